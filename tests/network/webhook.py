"""What Alertmanager sends in the tests: keeps each notification as a line of JSON.

webhook.py PORT TOKEN FILE: a request without that bearer token is refused.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """Appends to the file; one line a request."""

    token = ""
    file = Path()

    def do_POST(self) -> None:
        """A notification, as Alertmanager's webhook sends it."""
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == f"Bearer {self.token}"
        if allowed:
            with self.file.open("a", encoding="utf-8") as kept:
                kept.write(f"{json.dumps(document)}\n")
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    Handler.token, Handler.file = sys.argv[2], Path(sys.argv[3])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
