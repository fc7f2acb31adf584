"""One HTTP request to a service of the farm: Grafana, Prometheus, Alertmanager."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import Response

_DEFAULT_CAS = Path("/etc/ssl/certs/ca-certificates.crt")


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout: float,
    body: bytes | None = None,
    ca: Path | None = None,
) -> "Response":
    """The answer, whatever its status. Raises OSError without an answer.

    `timeout` in seconds, for the connection and for each wait for bytes. `ca` is a file of the CAs
    to trust; without it those that the system trusts. Nothing of the caller's environment (proxies,
    ~/.netrc) is used, and no redirect is followed: it would turn a POST into a GET.
    """
    import requests

    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=timeout,
            verify=str(ca or _system_cas()),
            allow_redirects=False,
        )


def _system_cas() -> Path:
    """The CAs that the system trusts: requests itself would use those of its own package."""
    usual = ssl.get_default_verify_paths()
    return Path(usual.cafile or (_DEFAULT_CAS if _DEFAULT_CAS.exists() else usual.openssl_capath))
