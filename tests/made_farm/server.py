"""A real Prometheus that holds a made farm's history, and scrapes and judges the farm on."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.hosts.system import wait_until
from tests.made_farm.farm import Host, hosts, series
from tests.made_farm.history import record, write
from tests.made_farm.needed import RULES, rounds
from tests.made_farm.series import WEEK, Series
from tests.panels.ask import Prometheus, RefusedError

_READY = 120
#: So long the making of a thorough history may take without leaving a gap before now.
_LEAD = 150


@dataclass(frozen=True, slots=True)
class Made:
    """A Prometheus with a made farm: its process, and how many series it scrapes."""

    prometheus: Prometheus
    process: int
    series: int


@contextlib.contextmanager
def made_farm(
    count: int, disks: int, folder: Path, programs: Path, *, thorough: bool = False
) -> Iterator[Made]:
    """A Prometheus that scrapes `count` hosts with `disks` disks each until the block ends.

    `programs` holds prometheus and promtool; `thorough`: a history without gaps, for pictures.
    """
    end = int(time.time()) + (_LEAD if thorough else 0)
    made = list(series(count, disks, end - WEEK))
    data = folder / "data"
    data.mkdir()
    promtool = programs / "promtool"
    write((one for _, one in made), end, data, promtool, thorough=thorough)
    live: dict[str, list[Series]] = defaultdict(list)
    for host, one in made:
        live[host.name].append(one)
    with _exporter(live, end - WEEK) as exporter:
        port = _free_port()
        found = Prometheus(f"http://127.0.0.1:{port}")
        configuration = folder / "prometheus.yml"
        configuration.write_text(json.dumps(_configuration(hosts(count), exporter, port, [])))
        for round_of_rules in rounds():
            with _running(programs, configuration, data, port):
                record(found, round_of_rules, end, data, promtool)
        wait_until("the end of the history", lambda: time.time() >= end, _LEAD)
        rules = [str(path) for path in sorted(RULES.glob("*.yml"))]
        configuration.write_text(json.dumps(_configuration(hosts(count), exporter, port, rules)))
        with _running(programs, configuration, data, port) as process:
            now = time.time() - end + WEEK
            shown = sum(one.first <= now < one.last for _, one in made)
            yield Made(found, process, shown)


def _configuration(farm: list[Host], exporter: int, port: int, rules: list[str]) -> object:
    """As the role writes it; a host is a path of one exporter. Without rules nothing is scraped."""
    own = {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": farm[0].name}}
    targets = [
        {
            "targets": [f"127.0.0.1:{exporter}"],
            "labels": {
                "instance": host.name,
                "groups": host.groups,
                "__metrics_path__": f"/{host.name}",
            },
        }
        for host in farm
    ]
    jobs = [
        {"job_name": "prometheus", "static_configs": [own]},
        {"job_name": "node", "static_configs": targets},
    ]
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": rules,
        "scrape_configs": jobs if rules else [],
    }


@contextlib.contextmanager
def _running(programs: Path, configuration: Path, data: Path, port: int) -> Iterator[int]:
    command = [
        str(programs / "prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=400d",
        # Blocks are left as they are: joining them would take the time that is measured.
        "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=2h",
        "--storage.tsdb.allow-overlapping-blocks",
        "--log.level=error",
    ]
    # It complains of blocks that it was joining when it is asked to end.
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until("Prometheus", lambda: _answers(port), _READY)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    try:
        return bool(Prometheus(f"http://127.0.0.1:{port}").ask("query", query="vector(1)"))
    except (OSError, RefusedError):
        return False


@contextlib.contextmanager
def _exporter(live: dict[str, list[Series]], begin: int) -> Iterator[int]:
    """Serves every host's metrics of now, each under its name."""
    texts = {name: _renderer(found, begin) for name, found in live.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(texts[self.path.strip("/")]().encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _renderer(found: list[Series], begin: int) -> Callable[[], str]:
    # Prometheus itself adds `up`, and adds the labels of a target.
    known = [(_name(one), one) for one in found if one.last > WEEK and one.name != "up"]

    def render() -> str:
        t = time.time() - begin
        lines = [f"{name}{one.at(t):.12g}" for name, one in known if one.first <= t < one.last]
        return "\n".join([*lines, ""])

    return render


def _name(one: Series) -> str:
    labels = [
        label
        for label in one.labels.split('",')
        if not label.startswith(("job=", "instance=", "groups="))
    ]
    inner = '",'.join(labels)
    return f"{one.name}{{{inner}}} " if labels else f"{one.name} "


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
