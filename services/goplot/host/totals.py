"""Counters over all results that survive restarts: totals are saved with the offset read so far."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from goplot.farm.codec import encode
from goplot.host.files import write_whole
from goplot.host.jobstore import Result, read_results, results_path
from goplot.host.statefile import read_state


@dataclass(slots=True)
class Totals:
    """Sums over results up to a byte offset of the results file.

    `phases` holds by `plotter/format/phase` the number of plots and their seconds.
    """

    offset: int = 0
    finished: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    phases: dict[str, list[float]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count one more result."""
        if not result.done:
            self.failed[result.reason] = self.failed.get(result.reason, 0) + 1
            return
        self.finished += 1
        for phase, seconds in result.phase_seconds.items():
            entry = self.phases.setdefault(f"{result.plotter}/{result.format}/{phase}", [0, 0.0])
            entry[0] += 1
            entry[1] += seconds


def read_totals(state: Path) -> Totals:
    """Totals of all results so far. Raises OSError."""
    path = state / "totals.json"
    totals = read_state(path, Totals) or Totals()
    try:
        size = results_path(state).stat().st_size
    except FileNotFoundError:
        return totals
    if size < totals.offset:
        totals = Totals()
    if size > totals.offset:
        for result in read_results(state, start=totals.offset, end=size):
            totals.add(result)
        totals.offset = size
        write_whole(path, json.dumps(encode(totals)) + "\n")
    return totals
