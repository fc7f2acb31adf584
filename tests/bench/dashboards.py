"""What the dashboards and the rules cost with a hundred hosts, in a real Prometheus.

The farm is made, a week of it; Prometheus scrapes and judges it on while it is asked.
"""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.hosts.system import wait_until
from tests.made_farm.server import made_farm
from tests.panels.ask import Prometheus
from tests.panels.queries import Query, queries

HOSTS, DISKS = 100, 20
_TIMES = 3
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds by query and by group of rules, the slowest first."""

    series: int
    panels: list[tuple[float, Query]]
    groups: list[tuple[float, str]]


def measure(folder: Path) -> Figures:
    """Ask for every panel as Grafana would, and look at how long the rules take.

    The best of three: the machine may have other work.
    """
    command = [_ROOT / "tests/tools/prometheus", _ROOT / ".cache/prometheus"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    place = folder / "dashboards"
    place.mkdir()
    with made_farm(HOSTS, DISKS, place, Path(done.stdout.strip())) as (prometheus, held):
        groups = _rules(prometheus)
        panels = [(_best(prometheus, query), query) for query in queries()]
        panels.sort(key=lambda found: found[0], reverse=True)
    return Figures(held["series"], panels, groups)


def _best(prometheus: Prometheus, query: Query) -> float:
    spent = []
    for _ in range(_TIMES):
        begin = time.perf_counter()
        prometheus.series(query, time.time())
        spent.append(time.perf_counter() - begin)
    return min(spent)


def _rules(prometheus: Prometheus) -> list[tuple[float, str]]:
    """The least time of each group over some rounds, once every host has been scraped."""
    now = 'count(timestamp(up{job="node"}) > time() - 15)'

    def scraped() -> bool:
        answer = prometheus.ask("query", query=now)
        return bool(answer) and float(answer[0]["value"][1]) == HOSTS

    wait_until("the first scrapes", scraped, 300)
    since = time.time()
    rounds: dict[str, dict[str, float]] = defaultdict(dict)

    def looked() -> bool:
        for group in prometheus.rule_groups():
            moment = group["lastEvaluation"]
            if datetime.fromisoformat(moment[:19] + "+00:00").timestamp() > since:
                rounds[group["name"]][moment] = group["evaluationTime"]
        known = len(prometheus.rule_groups())
        return len(rounds) == known and all(len(found) >= _TIMES for found in rounds.values())

    wait_until("rounds of the rules", looked, 600)
    best = ((min(found.values()), name) for name, found in rounds.items())
    return sorted(best, reverse=True)
