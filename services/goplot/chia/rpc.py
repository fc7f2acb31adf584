"""Chia's RPC: POST of JSON over mutual TLS, in one session of requests.

The server's certificate names `chia.net` wherever it runs, so its name proves nothing and is not
checked; that the farm's own CA signed it is.
"""

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Session

#: An answer for a farm of 100,000 plots is 50 MB; goplot never expects more.
MOST_BYTES = 256 * 1024 * 1024
_PART = 256 * 1024


class RpcError(Exception):
    """A service did not answer, or not as expected; the text says why."""


class UnknownEndpointError(RpcError):
    """The service's release does not have this endpoint."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files: a private certificate of the farm, its key, and the CA that signed them."""

    certificate: Path
    key: Path
    ca: Path


def certificates_of(root: Path, service: str) -> Certificates:
    """The certificates that systemd gave to this unit (LoadCredential=).

    Without these, those of a service under CHIA_ROOT, which only their owner can read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        given = Path(folder)
        return Certificates(given / "chia.crt", given / "chia.key", given / "chia_ca.crt")
    pair = root / "config" / "ssl" / service
    return Certificates(
        pair / f"private_{service}.crt",
        pair / f"private_{service}.key",
        root / "config" / "ssl" / "ca" / "private_ca.crt",
    )


def check_certificates(certificates: Certificates) -> ssl.SSLContext:
    """What mutual authentication takes; requests would fail only at the first query.

    Chia's certificates have no authority key identifier, which the contexts of `ssl` and urllib3
    require since Python 3.13 (VERIFY_X509_STRICT). Raises RpcError when a file can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        context.load_verify_locations(certificates.ca)
        context.load_cert_chain(certificates.certificate, certificates.key)
    except OSError as error:
        raise RpcError(f"the certificates can't be used: {error}") from error
    return context


def _session(certificates: Certificates) -> "Session":
    """A session with mutual authentication that ignores the environment. Raises RpcError."""
    from requests import Session
    from requests.adapters import HTTPAdapter

    context = check_certificates(certificates)

    class FarmAdapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(
                *arguments, **options, assert_hostname=False, ssl_context=context
            )

    session = Session()
    session.trust_env = False
    # Without this, any certificate of a public CA would be accepted.
    session.verify = str(certificates.ca)
    session.mount("https://", FarmAdapter())
    return session


class Rpc:
    """One service, queried in one session.

    All questions together have `timeout` seconds: once one question found no answer, the next ones
    fail at once. A service that sends its answer's head byte by byte may take longer: whoever asks
    several sets the end for all of them (`ask_all`).
    """

    def __init__(self, host: str, port: int, certificates: Certificates, timeout: float) -> None:
        """Connects only at the first query. Raises RpcError when a certificate can't be used."""
        self._name = f"{host}:{port}"
        self._url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._end = time.monotonic() + timeout
        self._timeout = timeout
        self._broken = ""
        self._session = _session(certificates)

    def __enter__(self) -> "Rpc":
        """The client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._session.close()

    def ask(self, endpoint: str, question: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The answer to one query. Raises RpcError."""
        from requests import Timeout
        from urllib3.exceptions import HTTPError
        from urllib3.exceptions import TimeoutError as ReadTimeout

        if self._broken:
            raise RpcError(self._broken)
        try:
            answer = json.loads(self._post(endpoint, json.dumps(question or {})))
        except (TimeoutError, Timeout, ReadTimeout):
            self._broken = f"{self._name} did not answer {endpoint} within {self._timeout:g} s"
            raise RpcError(self._broken) from None
        except (OSError, HTTPError, ValueError) as error:
            fault = _certificate_fault(error)
            self._broken = f"{self._name} did not answer {endpoint}: {_reason(error)}"
            if fault is not None:
                self._broken = f"{self._name} is not of this farm's CA: {fault.verify_message}"
            raise RpcError(self._broken) from error
        if not isinstance(answer, dict):
            raise RpcError(f"{self._name} gave no answer to {endpoint}")
        if answer.get("success") is not True:
            raise RpcError(f"{self._name} refused {endpoint}: {answer.get('error', 'no reason')}")
        return answer

    def _post(self, endpoint: str, body: str) -> bytes:
        with self._session.post(
            f"{self._url}/{endpoint}",
            body,
            headers={"Content-Type": "application/json"},
            timeout=self._left(),
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code == HTTPStatus.NOT_FOUND:
                raise UnknownEndpointError(f"{self._name} does not know {endpoint}")
            if response.status_code != HTTPStatus.OK:
                raise OSError(f"HTTP status {response.status_code}")
            parts = []
            size = 0
            # Available bytes are read at once: waiting for more would let a slow sender stall this.
            while part := response.raw.read1(_PART, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > MOST_BYTES:
                    raise OSError("the answer is too long")
                self._left()
        return b"".join(parts)

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _certificate_fault(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Why the server's certificate was rejected, if that caused an error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _reason(error: BaseException) -> str:
    """The system's message at the bottom of an error that libraries have wrapped."""
    if isinstance(error, json.JSONDecodeError):
        return "the answer is not JSON"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
