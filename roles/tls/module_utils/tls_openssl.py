"""Keys and certificates by the openssl command, for modules that run as root."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

_HOST_DAYS = 825  # the maximum that browsers accept from a private CA
_CA_DAYS = 7300
_RENEW_SECONDS = 90 * 86400


class OpenSsl:
    """openssl for one module, which fails with openssl's error message."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._program = module.get_bin_path("openssl", required=True)

    def make_key(self, path: Path) -> None:
        """Creates a private key of curve P-256, which only root can read at any time."""
        options = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        text = self._run("genpkey", *options)
        replace(path, text, 0o600)

    def make_authority(self, key: Path) -> str:
        """A new CA's certificate for a key, PEM. Its name is unique, so two never mix."""
        config = f"""
            [req]
            distinguished_name = name
            x509_extensions = extensions
            prompt = no
            [name]
            CN = goplot farm CA {secrets.token_hex(4)}
            [extensions]
            basicConstraints = critical,CA:TRUE,pathlen:0
            keyUsage = critical,keyCertSign,cRLSign
            subjectKeyIdentifier = hash
        """
        with _file(config) as path:
            options = ["-x509", "-new", "-sha256", "-key", str(key), "-days", str(_CA_DAYS)]
            return self._run("req", *options, "-config", path)

    def request(self, key: Path) -> str:
        """A certificate request for a key, PEM. It contains only the public key."""
        config = "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = goplot\n"
        with _file(config) as path:
            return self._run("req", "-new", "-sha256", "-key", str(key), "-config", path)

    def sign(self, request: str, names: Iterable[str], ca: Path, ca_key: Path) -> str:
        """A host's certificate for the public key of a request and for these names, PEM."""
        config = f"""
            basicConstraints = critical,CA:FALSE
            keyUsage = critical,digitalSignature
            extendedKeyUsage = serverAuth
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid
            subjectAltName = {",".join(sorted(alternative_names(names)))}
        """
        with _file(request) as asked, _file(config) as extensions:
            options = ["-req", "-sha256", "-in", asked, "-extfile", extensions]
            options += ["-CA", str(ca), "-CAkey", str(ca_key), "-days", str(_HOST_DAYS)]
            return self._run("x509", *options, "-set_serial", f"0x{secrets.token_hex(16)}")

    def serves(self, certificate: Path, key: Path, ca: str, names: Iterable[str]) -> bool:
        """Whether a certificate is valid for this key, CA and names for three more months."""
        if not certificate.exists():
            return False
        at = str(certificate)
        with _file(ca) as trusted:
            verify = ["verify", "-no_check_time", "-CAfile", trusted, at]
            if self._module.run_command([self._program, *verify])[0] != 0:
                return False
        last = ["x509", "-noout", "-in", at, "-checkend", str(_RENEW_SECONDS)]
        if self._module.run_command([self._program, *last])[0] != 0:
            return False
        public = self._run("x509", "-noout", "-pubkey", "-in", at)
        if public != self._run("pkey", "-pubout", "-in", str(key)):
            return False
        shown = self._run("x509", "-noout", "-ext", "subjectAltName", "-in", at)
        return shown_names(shown) == alternative_names(names)

    def _run(self, *arguments: str) -> str:
        code, out, err = self._module.run_command([self._program, *arguments])
        if code != 0:
            self._module.fail_json(msg=f"openssl {arguments[0]}: {err.strip()}")
        return str(out)


def alternative_names(names: Iterable[str]) -> set[str]:
    """Names and addresses as a subjectAltName: DNS:farmer1, IP:10.0.0.1."""
    return {_alternative(name) for name in names}


def shown_names(text: str) -> set[str]:
    """The same from openssl's output for a certificate."""
    found = re.findall(r"(DNS|IP Address):([^,\s]+)", text)
    return {_alternative(value) for _, value in found}


def _alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def replace(path: Path, text: str, mode: int) -> None:
    """Replaces a file atomically; it never exists with another mode."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    Path(file.name).rename(path)


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        yield file.name
