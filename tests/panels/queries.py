"""Every query of every panel, with its variables and its step filled in as Grafana fills them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_JSON = Path(__file__).parents[2] / "dashboard/json"
#: The scrape interval that Grafana's data source is given; seconds.
SCRAPE = 15
#: How wide a dashboard is drawn; a panel asks for no more points than it has pixels.
_PIXELS = 1600
_STEPS = (15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel; `since` and `step` in seconds, `empty` is what it says without data."""

    board: str
    panel: str
    expression: str
    instant: bool
    since: int
    step: int
    empty: str

    @property
    def place(self) -> str:
        """Where a person finds it."""
        return f"{self.board}: {self.panel}"


def boards() -> list[dict[str, Any]]:
    """The committed dashboards."""
    return [json.loads(path.read_text()) for path in sorted(_JSON.glob("*.json"))]


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """A dashboard's panels, without the rows that head them."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def filled(expression: str, step: int = SCRAPE, since: int = 6 * 3600) -> str:
    """An expression for all hosts, with the range and the interval of rates that Grafana takes."""
    interval = max(step + SCRAPE, 4 * SCRAPE)
    expression = expression.replace("$__rate_interval", f"{interval}s")
    expression = expression.replace("$__range", f"{since}s")
    return re.sub(r"\$(?:job|group|instance)\b", ".+", expression)


def queries() -> Iterator[Query]:
    """Every query of every panel for its dashboard's usual time range."""
    for board in boards():
        since = _seconds(board["time"]["from"])
        for panel in panels(board):
            most = _PIXELS * panel["gridPos"]["w"] // 24
            least = _seconds(panel.get("interval", f"{SCRAPE}s"))
            step = next(step for step in _STEPS if since / step <= most and step >= least)
            for target in panel["targets"]:
                yield Query(
                    board["title"],
                    panel["title"],
                    filled(target["expr"], step, since),
                    bool(target.get("instant")),
                    since,
                    step,
                    panel["fieldConfig"]["defaults"]["noValue"],
                )


def _seconds(text: str) -> int:
    amount, unit = text.removeprefix("now-")[:-1], text[-1]
    return int(amount) * _UNITS[unit]
