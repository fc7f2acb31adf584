"""goplot-certificates-collector: when the certificates of this host end.

It is given the certificates as credentials and reads nothing else: what holds them may hold keys.
"""

import base64
import os
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from goplot.host import program
from goplot.host.settings import Settings
from goplot.host.success import add_success
from goplot.host.textfile import Metrics

_PROGRAM = "goplot-certificates-collector"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----")
# Tags of ASN.1, X.690: an optional version stands before what every certificate has.
_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0


def collect(folder: Path) -> Metrics:
    """When each certificate in a folder ends, by name of its file.

    Raises OSError when one can't be read, ValueError with its name when it is no certificate.
    """
    metrics = Metrics()
    for path in sorted(folder.iterdir()):
        try:
            end = expiry(path.read_text(encoding="ascii"))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        metrics.add("goplot_certificate_expiry_timestamp_seconds", end, certificate=path.name)
    add_success(metrics, {"certificates-collector": time.time()})
    return metrics


def expiry(pem: str) -> float:
    """Epoch seconds at which the first of the certificates in a PEM text ends.

    Raises ValueError when there is none, or one that RFC 5280 does not describe.
    """
    ends = []
    for body in _PEM.findall(pem):
        try:
            ends.append(_not_after(base64.b64decode(body)))
        except (IndexError, ValueError) as error:
            raise ValueError("a certificate is broken") from error
    if not ends:
        raise ValueError("there is no certificate in it")
    return min(ends)


def _not_after(der: bytes) -> float:
    """Certificate { tbsCertificate { [version], serial, algorithm, issuer, validity, ... } }."""
    _, start, _ = _element(der, 0, _SEQUENCE)
    _, at, _ = _element(der, start, _SEQUENCE)
    if der[at] == _VERSION:
        at = _element(der, at)[2]
    for _ in ("serial", "algorithm", "issuer"):
        at = _element(der, at)[2]
    _, at, _ = _element(der, at, _SEQUENCE)
    not_before = _element(der, at)
    kind, start, end = _element(der, not_before[2])
    text = der[start:end].decode("ascii")
    if kind == _UTC_TIME:
        # RFC 5280, 4.1.2.5.1: two digits from 50 on are of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif kind != _GENERALIZED_TIME:
        raise ValueError("its validity is no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(der: bytes, at: int, tag: int | None = None) -> tuple[int, int, int]:
    """(tag, start, end) of the content of the element at a position. Raises IndexError."""
    found, length, start = der[at], der[at + 1], at + 2
    if length >= 0x80:
        digits = length & 0x7F
        length = int.from_bytes(der[start : start + digits], "big")
        start += digits
    if start + length > len(der):
        raise IndexError(at)
    if tag is not None and found != tag:
        raise ValueError("it is no certificate")
    return found, start, start + length


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser(_PROGRAM, __doc__).parse_args()
    return program.run(_PROGRAM, options.settings, _once)


def _once(settings: Settings) -> int:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        print(f"{_PROGRAM}: systemd gives it no credentials", file=sys.stderr)
        return program.FAILED
    try:
        metrics = collect(Path(folder))
    except ValueError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return program.FAILED
    metrics.write(settings.roots.textfiles, "certificates")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
