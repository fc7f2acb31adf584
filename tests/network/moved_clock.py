"""A fake of a host whose clock is moved, for hosts that share their machine's clock.

moved_clock.py SECONDS: stands where node_exporter is asked, asks the real one on 127.0.0.1:9101,
and moves what it reports by its clock.
"""

from __future__ import annotations

import re
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_BY_THE_CLOCK = re.compile(rb"^(node_time_seconds|node_textfile_mtime_seconds\{.*\}) (\S+)$", re.M)


class Handler(BaseHTTPRequestHandler):
    """Answers every scrape with moved times."""

    seconds = 0.0

    def do_GET(self) -> None:
        """A scrape."""
        with urllib.request.urlopen(f"http://127.0.0.1:9101{self.path}", timeout=10) as answer:
            metrics, kind = answer.read(), answer.headers["Content-Type"]
        moved = _BY_THE_CLOCK.sub(
            lambda found: b"%s %f" % (found[1], float(found[2]) + self.seconds), metrics
        )
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(moved)


if __name__ == "__main__":
    Handler.seconds = float(sys.argv[1])
    ThreadingHTTPServer(("", 9100), Handler).serve_forever()
