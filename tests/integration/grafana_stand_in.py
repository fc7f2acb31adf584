"""A stand-in for Grafana's annotations, for tests: no real Grafana can be had there.

`grafana_stand_in.py PORT TOKEN FILE` answers POST /api/annotations as Grafana documents it and
appends each annotation that it took to FILE, one JSON document a line.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class StandIn(HTTPServer):
    """Takes annotations of those who have the token."""

    def __init__(self, port: int, token: str, file: Path) -> None:
        """Listens on every address."""
        super().__init__(("", port), Handler)
        self.token = token
        self.file = file


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: StandIn

    def do_POST(self) -> None:
        """Take an annotation."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {self.server.token}":
            self._answer(HTTPStatus.UNAUTHORIZED, {"message": "Invalid API key"})
        elif self.path != "/api/annotations" or not json.loads(body).get("text"):
            self._answer(HTTPStatus.BAD_REQUEST, {"message": "Failed to save annotation"})
        else:
            with self.server.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(json.loads(body)) + "\n")
            self._answer(HTTPStatus.OK, {"id": 1, "message": "Annotation added"})

    def _answer(self, status: HTTPStatus, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    StandIn(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])).serve_forever()
