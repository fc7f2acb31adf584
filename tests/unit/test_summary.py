"""The daily summary: its words, what it asks, and what it does when nobody answers."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from goplot.summary import PROBLEMS, PROBLEMS_NOW, QUESTIONS, Day, Problem, alert, day_of
from tests.support.metric_names import is_written, names_in

_TIB = 1024**4
FULL = {
    "hosts": 3.0,
    "hosts_up": 2.0,
    "made": 24.0,
    "failed": 1.0,
    "running": 8.0,
    "plots": 1203.0,
    "bytes": 118.24 * _TIB,
    "bytes_before": 115.84 * _TIB,
    "eligible": 4210.0,
    "proofs": 1.0,
    "blocks": 1.0,
    "mojo": 0.875e12,
    "expected_seconds": 9 * 86400.0,
    "partials": 812.0,
    "partials_lost": 3.0,
    "free_bytes": 40.2 * _TIB,
    "full_seconds": 30 * 3600.0,
}


def sample(value: float, **labels: str) -> dict[str, Any]:
    return {"metric": labels, "value": [0, str(value)]}


def test_a_day_is_summarised_in_a_few_lines() -> None:
    problems = (
        Problem("HarvesterDown", "harvester1", True),
        Problem("DiskGone", "plotter1", False),
    )
    day = Day(FULL, problems)
    assert day.title() == "The farm's day: 24 plots made, 1 block farmed, 2 problems"
    assert day.text().splitlines() == [
        "Farming: 1 block farmed, 0.875 XCH, 1 proof, 4210 eligible plots, "
        "a win is expected every 9 days",
        "Pool: 812 valid partials, 3 lost",
        "Plots: 24 plots made, 1 failed, 8 running, 1203 farmed",
        "Space: 118.2 TiB of plots (+2.4 TiB), 40.2 TiB free, full in 30 hours at this rate",
        "Hosts: 2 of 3 answer",
        "Problems: DiskGone of plotter1 (still), HarvesterDown of harvester1",
    ]


def test_what_is_not_known_is_left_out() -> None:
    day = Day({"hosts": 1.0, "hosts_up": 1.0, "bytes": 2.0 * _TIB}, ())
    assert day.title() == "The farm's day: no problem"
    assert day.text().splitlines() == [
        "Space: 2.0 TiB of plots",
        "Hosts: 1 of 1 answer",
        "Problems: none",
    ]


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ({"bytes": 3.5 * 1024**3, "bytes_before": 3.6 * 1024**3}, "3.5 GiB of plots (-102.4 MiB)"),
        ({"free_bytes": 0.0}, "0.0 MiB free"),
        ({"full_seconds": 10.0}, "full in 1 minute at this rate"),
        ({"full_seconds": 7100.0}, "full in 118 minutes at this rate"),
        ({"full_seconds": 3 * 86400.0}, "full in 3 days at this rate"),
    ],
)
def test_sizes_and_spans_are_in_units_that_fit(numbers: dict[str, float], line: str) -> None:
    assert f"Space: {line}" in Day(numbers, ()).text()


def test_many_problems_are_counted() -> None:
    day = Day({}, tuple(Problem("HostDown", f"host{n:02}", False) for n in range(25)))
    assert day.title().endswith("25 problems")
    assert day.text().endswith("HostDown of host19 (still), and 5 more")


def test_answers_make_the_day() -> None:
    answers = {
        QUESTIONS["made"]: [sample(3)],
        QUESTIONS["proofs"]: [sample(float("nan"))],
        PROBLEMS: [
            sample(1, alertname="HostDown", instance="h1", severity="critical"),
            sample(1, alertname="PlotSlow", instance="h2", severity="warning"),
        ],
        PROBLEMS_NOW: [sample(1, alertname="PlotSlow", instance="h2", severity="warning")],
    }
    day = day_of(lambda expression: answers.get(expression, []))
    assert day.numbers == {"made": 3.0}
    assert day.problems == (Problem("HostDown", "h1", True), Problem("PlotSlow", "h2", False))


def test_each_summary_is_an_alert_of_its_own() -> None:
    first, second = (alert("farmer1", "t", "d", now) for now in (1.7e9, 1.7e9 + 60))
    assert first["labels"]["severity"] == "summary"
    assert first["labels"]["instance"] == "farmer1"
    assert first["labels"] != second["labels"]
    assert first["endsAt"] > first["startsAt"]


def test_the_questions_are_asked_of_metrics_that_are_written(
    promtool: Path, tmp_path: Path
) -> None:
    expressions = [*QUESTIONS.values(), PROBLEMS, PROBLEMS_NOW]
    assert not [name for name in names_in("\n".join(expressions)) if not is_written(name)]
    rules = [{"record": f"question:{n}", "expr": one} for n, one in enumerate(expressions)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", file], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Both(BaseHTTPRequestHandler):
    """Prometheus, that asks for a password, and Alertmanager, that keeps what it is sent."""

    login = "goplot:pass:word"
    got: list[Any]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        if given != f"Basic {base64.b64encode(self.login.encode()).decode()}":
            self.reply(401, {})
            return
        (query,) = parse_qs(urlsplit(self.path).query)["query"]
        result = [sample(5)] if query == QUESTIONS["made"] else []
        self.reply(200, {"status": "success", "data": {"result": result}})

    def do_POST(self) -> None:
        assert self.path.startswith("/api/v2/alerts")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(json.loads(body))
        self.reply(200, {})

    def reply(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def both() -> Iterator[tuple[str, list[Any]]]:
    """The address of both, and what Alertmanager got."""
    got: list[Any] = []
    handler = type("Handler", (Both,), {"got": got})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def run(prometheus: str, alertmanager: str, credentials: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "goplot.summary", "--farm", "farmer1"]
    return subprocess.run(
        [*command, "--prometheus", prometheus, "--alertmanager", alertmanager],
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_summary_goes_to_alertmanager(both: tuple[str, list[Any]], tmp_path: Path) -> None:
    address, got = both
    (tmp_path / "prometheus.login").write_text(f"{Both.login}\n")
    done = run(address, address, tmp_path)
    assert done.returncode == 0, done.stderr
    ((sent,),) = got
    assert sent["annotations"]["summary"] == "The farm's day: 5 plots made, no problem"
    assert sent["labels"]["alertname"] == "DailySummary"
    assert sent["annotations"]["description"] == "Plots: 5 plots made\nProblems: none"


def test_a_day_that_cant_be_queried_is_reported_as_that(
    both: tuple[str, list[Any]], tmp_path: Path
) -> None:
    address, got = both
    done = run(address, address, tmp_path)
    assert done.returncode == 1
    ((sent,),) = got
    assert sent["annotations"] == {
        "summary": "The farm's day can't be summarised",
        "description": f"{address} answers with status 401",
    }


def test_without_alertmanager_the_unit_fails(both: tuple[str, list[Any]], tmp_path: Path) -> None:
    (tmp_path / "prometheus.login").write_text(Both.login)
    done = run(both[0], "http://127.0.0.1:9", tmp_path)
    assert done.returncode == 1
    assert "http://127.0.0.1:9 does not answer" in done.stderr
    assert both[1] == []
