"""Chia's RPC: POST of JSON over mutual TLS, on one kept connection.

The server's certificate names `chia.net` wherever it runs, so its name proves nothing and is not
checked; that the farm's own CA signed it is.
"""

import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

#: An answer of a farm of 100,000 plots is 50 MB; more is none of what goplot asks.
MOST_BYTES = 256 * 1024 * 1024
_PART = 256 * 1024


class RpcError(Exception):
    """A service did not answer, or not what was asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files: a private certificate of the farm, its key, and the CA that signed them."""

    certificate: Path
    key: Path
    ca: Path


def certificates_of(root: Path, service: str) -> Certificates:
    """The certificates that systemd gave to this unit (LoadCredential=).

    Without such, those of a service under CHIA_ROOT, which only their owner can read.
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


def context_of(certificates: Certificates) -> ssl.SSLContext:
    """What proves both sides to each other. Raises RpcError when a file can't be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(certificates.ca)
        context.load_cert_chain(certificates.certificate, certificates.key)
    except OSError as error:
        raise RpcError(f"the certificates can't be used: {error}") from error
    return context


class Rpc:
    """One service, asked on one connection.

    All questions together have `timeout` seconds: a service that hangs, or answers byte by byte,
    harms nobody else. Once one question found no answer, the next ones fail at once.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        """Nothing is connected before the first question."""
        self._name = f"{host}:{port}"
        self._end = time.monotonic() + timeout
        self._timeout = timeout
        self._broken = ""
        self._connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)

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
        self._connection.close()

    def ask(self, endpoint: str, question: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The answer to one question. Raises RpcError."""
        if self._broken:
            raise RpcError(self._broken)
        try:
            answer = self._post(endpoint, json.dumps(question or {}))
        except TimeoutError:
            self._broken = f"{self._name} did not answer {endpoint} within {self._timeout:g} s"
            raise RpcError(self._broken) from None
        except ssl.SSLCertVerificationError as error:
            self._broken = f"{self._name} is not of this farm's CA: {error.verify_message}"
            raise RpcError(self._broken) from None
        except (OSError, http.client.HTTPException) as error:
            self._broken = (
                f"{self._name} did not answer {endpoint}: {error or type(error).__name__}"
            )
            raise RpcError(self._broken) from error
        if not isinstance(answer, dict):
            raise RpcError(f"{self._name} gave no answer to {endpoint}")
        if answer.get("success") is not True:
            raise RpcError(f"{self._name} refused {endpoint}: {answer.get('error', 'no reason')}")
        return answer

    def _post(self, endpoint: str, body: str) -> Any:
        self._set_timeout()
        self._connection.request("POST", f"/{endpoint}", body, {"Content-Type": "application/json"})
        self._set_timeout()
        response = self._connection.getresponse()
        parts = []
        size = 0
        while part := response.read1(_PART):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise http.client.HTTPException("the answer is too long")
            self._set_timeout()
        # A body that ended too early is told by nothing else when it is read in parts.
        if response.length:
            raise http.client.IncompleteRead(b"".join(parts), response.length)
        # Only then is the connection free for the next question.
        response.close()
        if response.status != http.client.OK:
            raise http.client.HTTPException(f"HTTP status {response.status}")
        try:
            return json.loads(b"".join(parts))
        except ValueError:
            raise http.client.HTTPException("the answer is no JSON") from None

    def _set_timeout(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.timeout = left
        if self._connection.sock is not None:
            self._connection.sock.settimeout(left)
