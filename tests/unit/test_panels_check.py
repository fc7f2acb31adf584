"""The check of a running farm's panels distinguishes data, emptiness and errors."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from dashboard.parts import NO_DATA
from tests.panels.ask import Prometheus
from tests.panels.check import Panel, look_at_all, unexplained
from tests.panels.queries import filled, queries

_HOST = {"metric": {"instance": "farm1"}, "value": [0, "1"]}


class _Answers(BaseHTTPRequestHandler):
    """Knows the metrics whose names begin with chia_, and refuses what is asked of processors."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        (query,) = form["query"]
        refused = "node_cpu" in query
        result = [_HOST] if "chia_" in query else []
        text = "no such thing" if refused else json.dumps({"data": {"result": result}})
        self.send_response(422 if refused else 200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    """One that answers as above."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Prometheus(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_data_emptiness_and_errors_are_distinguished(prometheus: Prometheus) -> None:
    panels = {panel.place: panel for panel in look_at_all(prometheus)}
    assert panels["Farm: Height"].series == 1
    assert panels["Farm: Height"].fault == ""
    assert panels["Plotting: Running plots"].series == 0
    assert panels["Plotting: Running plots"].fault == ""
    assert panels["Plotting: Running plots"].empty == "No plot runs"
    assert "no such thing" in panels["Fleet: CPU"].fault


def test_a_panel_that_does_not_say_why_it_is_empty_is_at_fault(prometheus: Prometheus) -> None:
    silent = [
        panel
        for panel in look_at_all(prometheus)
        if panel.empty == NO_DATA and not panel.errors and not panel.series
    ]
    assert silent
    assert all(panel.fault for panel in silent)


def test_queries_are_filled_as_grafana_fills_them() -> None:
    query = 'rate(up{job=~"$job",groups=~"$group",instance=~"$instance"}[$__rate_interval])'
    assert filled(query) == 'rate(up{job=~".+",groups=~".+",instance=~".+"}[60s])'
    assert filled(query, 120).endswith("[135s])")
    for one in queries():
        assert not re.search(r"\$[a-z_]", one.expression)
        assert one.since / one.step <= 1600


def test_what_a_farm_lacks_explains_its_empty_panels() -> None:
    shown = Panel("Farm: Height", "The full node does not answer", 1, ())
    lacking = Panel("Plotting: Running plots", "No plot runs", 0, ())
    silent = Panel("Fleet: CPU", NO_DATA, 0, ())
    panels = [shown, lacking, silent]
    assert unexplained(panels, {"No plot runs"}).keys() == {"Fleet: CPU"}
    assert unexplained(panels, set()).keys() == {"Fleet: CPU", "Plotting: Running plots"}
