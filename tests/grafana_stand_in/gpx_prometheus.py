#!/usr/bin/python3
"""The stand-in's Prometheus datasource: a plugin is a process of its own, which Grafana asks.

`gpx_prometheus SOCKET` answers each datasource, a line of JSON, with [healthy, message].
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import Any
from urllib.parse import urlsplit


def health(source: dict[str, Any]) -> tuple[bool, str]:
    """Asks Prometheus as the datasource says."""
    url, headers = urlsplit(source["url"]), {}
    secret = source.get("secureJsonData", {})
    if source.get("basicAuth"):
        pair = f"{source['basicAuthUser']}:{secret.get('basicAuthPassword', '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection = HTTPConnection(url.netloc, timeout=10)
    if url.scheme == "https":
        given = source.get("jsonData", {}).get("tlsAuthWithCACert")
        context = ssl.create_default_context(cadata=secret["tlsCACert"] if given else None)
        connection = HTTPSConnection(url.netloc, timeout=10, context=context)
    try:
        connection.request("GET", "/api/v1/query?query=1%2B1", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            return False, f"{answer.status} {answer.reason}"
        json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        return False, f"{error}"
    finally:
        connection.close()
    return True, "Successfully queried the Prometheus API."


class Handler(StreamRequestHandler):
    """One question."""

    def handle(self) -> None:
        """Answer."""
        self.wfile.write(json.dumps(health(json.loads(self.rfile.readline()))).encode() + b"\n")


if __name__ == "__main__":
    with ThreadingUnixStreamServer(sys.argv[1], Handler) as server:
        print("listening", flush=True)
        server.serve_forever()
