"""Client for the HTTP APIs of Grafana, Prometheus and Alertmanager, for goplot's modules."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import open_url

_TIMEOUT = 20
_PAUSE = 1.0
_ACCEPTED, _REFUSED = 200, 401


class ServiceError(Exception):
    """A service can't be reached, or its answer can't be used. The text is for people."""


class Service:
    """One service at a URL, queried as `login` (user, password), with a `token`, or anonymously.

    Its certificate must be of the CA in the file `ca_path`, or of one that the system trusts.
    """

    def __init__(
        self,
        url: str,
        login: tuple[str, str] | None = None,
        token: str = "",
        ca_path: str | None = None,
    ) -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json"}
        self._options: dict[str, Any] = {"ca_path": ca_path or None}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        if login:
            user, password = login
            self._options.update(url_username=user, url_password=password, force_basic_auth=True)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The answer's status and its document, a text if it is not JSON.

        Raises ServiceError without an answer.
        """
        data = None if body is None else json.dumps(body)
        try:
            answer = open_url(
                f"{self.url}{path}",
                method=method,
                data=data,
                headers=self._headers,
                timeout=_TIMEOUT,
                use_proxy=False,
                follow_redirects="none",
                **self._options,
            )
        except HTTPError as error:
            answer = error
        except (URLError, OSError) as error:
            raise ServiceError(f"{self.url} does not answer: {error}") from error
        content = answer.read().decode("utf-8", "replace")
        try:
            return answer.code, json.loads(content)
        except ValueError:
            return answer.code, content

    def accepts(self, path: str, seconds: float = 60) -> bool:
        """Whether the login or token is right: True for status 200, False for 401.

        All others mean "not now": a service that has just started answers 500 and 503 for a while.
        Raises ServiceError without such an answer in that time.
        """
        deadline = time.monotonic() + seconds
        while True:
            status, _ = self.ask("GET", path)
            if status in (_ACCEPTED, _REFUSED):
                return status == _ACCEPTED
            if time.monotonic() >= deadline:
                raise ServiceError(
                    f"GET {self.url}{path}: status {status} for {seconds:.0f} s. Nothing was"
                    " changed: see the service's log, and run the play again."
                )
            time.sleep(_PAUSE)

    def wait(self, path: str, seconds: float) -> None:
        """Return when a path is answered with status 200, or after this time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.ask("GET", path)[0] == _ACCEPTED:
                    return
            except ServiceError:
                pass  # It does not listen yet.
            time.sleep(_PAUSE)

    def take(self, method: str, path: str, body: object = None) -> Any:
        """The document of a successful answer. Raises ServiceError."""
        status, document = self.ask(method, path, body)
        if not 200 <= status < 300:
            said = document.get("message", "") if isinstance(document, dict) else ""
            raise ServiceError(f"{method} {self.url}{path}: status {status} {said}".rstrip())
        return document
