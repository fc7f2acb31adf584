"""A Prometheus, asked over HTTP with the standard library alone."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.panels.queries import Query

_TIMEOUT = 120


class RefusedError(Exception):
    """Prometheus did not answer a query; the message is its own."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where a Prometheus is: its URL, the CA of its certificate, `user:password` for basic auth."""

    url: str
    ca: Path | None = None
    credentials: str | None = None

    def series(self, query: Query, at: float) -> list[dict[str, Any]]:
        """What a panel's query gives at a time, in seconds of Unix time. Raises RefusedError."""
        if query.instant:
            return self.ask("query", query=query.expression, time=at)
        return self.ask(
            "query_range", query=query.expression, start=at - query.since, end=at, step=query.step
        )

    def ask(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """A query's result. Raises RefusedError, OSError."""
        result: list[dict[str, Any]] = self._data("POST", path, parameters)["result"]
        return result

    def rule_groups(self) -> list[dict[str, Any]]:
        """Groups of rules, with how long each took when it was last evaluated."""
        groups: list[dict[str, Any]] = self._data("GET", "rules", {})["groups"]
        return groups

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts that pend or fire."""
        alerts: list[dict[str, Any]] = self._data("GET", "alerts", {})["alerts"]
        return alerts

    def _data(self, method: str, path: str, parameters: dict[str, object]) -> dict[str, Any]:
        url = urllib.parse.urlsplit(self.url)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.credentials is not None:
            coded = base64.b64encode(self.credentials.encode()).decode()
            headers["Authorization"] = f"Basic {coded}"
        line = self._connection(url.netloc, tls=url.scheme == "https")
        try:
            form = urllib.parse.urlencode(parameters)
            line.request(method, f"{url.path}/api/v1/{path}", form, headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        if answer.status != http.HTTPStatus.OK:
            raise RefusedError(f"{answer.status}: {text.decode(errors='replace')[:300]}")
        data: dict[str, Any] = json.loads(text)["data"]
        return data

    def _connection(self, netloc: str, *, tls: bool) -> http.client.HTTPConnection:
        if not tls:
            return http.client.HTTPConnection(netloc, timeout=_TIMEOUT)
        trust = ssl.create_default_context(cafile=self.ca)
        return http.client.HTTPSConnection(netloc, timeout=_TIMEOUT, context=trust)
