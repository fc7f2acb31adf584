"""goplot-certificates-collector: when the certificates of this host expire.

It is given the certificates as credentials and reads nothing else: what holds them may hold keys.
"""

import logging
import os
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

from goplot.host import program
from goplot.host.settings import Settings
from goplot.host.success import add_success
from goplot.host.textfile import Metrics

_logger = logging.getLogger(__name__)
_PROGRAM = "goplot-certificates-collector"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def collect(folder: Path) -> Metrics:
    """When each certificate in a folder expires, by name of its file.

    Raises OSError when one can't be read, ValueError with its name when it is not a certificate.
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
    """Epoch seconds at which the first of the certificates in a PEM text expires, by openssl.

    Raises ValueError without a certificate, or if openssl can't read it, OSError without openssl.
    """
    ends = [_not_after(certificate) for certificate in _PEM.findall(pem)]
    if not ends:
        raise ValueError("it contains no certificate")
    return min(ends)


def _not_after(pem: str) -> float:
    done = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate"],
        input=pem,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError("a certificate is corrupt")
    return float(ssl.cert_time_to_seconds(done.stdout.strip().removeprefix("notAfter=")))


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser(_PROGRAM, __doc__).parse_args()
    return program.run(_PROGRAM, options.settings, _once, ("roots",))


def _once(settings: Settings) -> int:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        _logger.error("systemd has passed no credentials")
        return program.FAILED
    try:
        metrics = collect(Path(folder))
    except ValueError as error:
        _logger.error("%s", error)
        return program.FAILED
    metrics.write(settings.roots.textfiles, "certificates")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
