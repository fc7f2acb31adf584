"""What the dashboards and the rules cost with a hundred hosts, in a real Prometheus.

The farm is made, a week of it; Prometheus scrapes and judges it on while it is asked.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.hosts.system import wait_until
from tests.made_farm.server import made_farm
from tests.panels.ask import Prometheus
from tests.panels.queries import SCRAPE, Query, queries

HOSTS, DISKS = 100, 20
_TIMES = 3
_ROOT = Path(__file__).resolve().parents[2]
_SCRAPED = 'count(timestamp(up{job="node"}) > time() - 15)'


@dataclass(frozen=True, slots=True)
class Group:
    """A group of rules: the seconds that it takes, and those between two of its evaluations."""

    name: str
    spent: float
    interval: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds by query and by group of rules, the slowest first; `series` are scraped."""

    series: int
    panels: list[tuple[float, Query]]
    groups: list[Group]

    @property
    def round(self) -> float:
        """Seconds that rules take between two scrapes: Prometheus spreads those that run seldom."""
        return sum(group.spent * SCRAPE / group.interval for group in self.groups)


def measure(folder: Path) -> Figures:
    """Ask for every panel as Grafana would, and for every rule as Prometheus itself does."""
    command = [_ROOT / "tests/tools/prometheus", _ROOT / ".cache/prometheus"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    place = folder / "dashboards"
    place.mkdir()
    with made_farm(HOSTS, DISKS, place, Path(done.stdout.strip())) as made:
        wait_until("the first scrapes", lambda: _scraped(made.prometheus) == HOSTS, 300)
        found = measure_at(made.prometheus, made.process)
    return Figures(made.series, *found)


def measure_at(
    prometheus: Prometheus, process: int
) -> tuple[list[tuple[float, Query]], list[Group]]:
    """Seconds of panels and of groups of rules; `process` is Prometheus' own."""
    panels = [(_best(process, partial(_ask_now, prometheus, query)), query) for query in queries()]
    groups = []
    for group in prometheus.rule_groups():
        spent = 0.0
        for rule in group["rules"]:
            spent += _best(process, partial(prometheus.ask, "query", query=rule["query"]))
        groups.append(Group(group["name"], spent, group["interval"]))
    panels.sort(key=lambda one: one[0], reverse=True)
    return panels, sorted(groups, key=lambda group: group.spent, reverse=True)


def _ask_now(prometheus: Prometheus, query: Query) -> None:
    prometheus.series(query, time.time())


def _scraped(prometheus: Prometheus) -> int:
    answer = prometheus.ask("query", query=_SCRAPED)
    return int(answer[0]["value"][1]) if answer else 0


def _best(process: int, ask: Callable[[], object]) -> float:
    """Seconds of the best of three: by the clock, or of CPU where the machine has other work."""
    spent = []
    for _ in range(_TIMES):
        begin, used = time.perf_counter(), _cpu(process)
        ask()
        spent += [time.perf_counter() - begin, max(_TICK, _cpu(process) - used)]
    return min(spent)


_TICK = 0.01


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    # utime and stime, in hundredths of a second.
    return (int(fields[11]) + int(fields[12])) * _TICK
