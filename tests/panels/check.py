"""Which panels have data, and what the others say instead."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from dashboard.parts import NO_DATA
from tests.panels.ask import Prometheus, RefusedError
from tests.panels.queries import Query, queries


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, and what Prometheus gave for its queries; `empty` is its described empty state."""

    place: str
    empty: str
    series: int
    errors: tuple[str, ...]

    @property
    def fault(self) -> str:
        """Why a person would be puzzled by it: an error, or emptiness that explains nothing."""
        if self.errors:
            return "; ".join(dict.fromkeys(self.errors))
        if self.series == 0 and self.empty == NO_DATA:
            return "it is empty and does not say why"
        return ""


def look_at_all(prometheus: Prometheus, at: float | None = None) -> list[Panel]:
    """Ask for every panel; `at` in seconds of Unix time, now by default. Raises OSError."""
    moment = time.time() if at is None else at
    asked: dict[str, list[Query]] = defaultdict(list)
    for query in queries():
        asked[query.place].append(query)
    return [_look(prometheus, place, found, moment) for place, found in asked.items()]


def unexplained(panels: list[Panel], absent: Collection[str]) -> dict[str, str]:
    """Panels at fault, and empty ones that say what is not among what the farm lacks."""
    found = {panel.place: panel.fault for panel in panels if panel.fault}
    for panel in panels:
        if not panel.series and panel.empty not in absent:
            found.setdefault(panel.place, panel.empty)
    return found


def _look(prometheus: Prometheus, place: str, asked: list[Query], at: float) -> Panel:
    series, errors = 0, []
    for query in asked:
        try:
            series += len(prometheus.series(query, at))
        except RefusedError as error:
            errors.append(str(error))
    return Panel(place, asked[0].empty, series, tuple(errors))
