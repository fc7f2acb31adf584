"""Delaying starts when the same failure repeats. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from goplot.farm.jobs import Start

_FIRST = 120.0
_LONGEST = 6 * 3600.0
# A manual stop and a host that went down say nothing about the next plot.
_NO_FAULT = ("stopped", "crash")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one job ended, as far as the next start is concerned.

    `ended` is in epoch seconds, by a clock that may have been wrong.
    """

    index: int
    done: bool
    reason: str
    detail: str
    ended: float


@dataclass(frozen=True, slots=True)
class Failure:
    """The last failure, dated when it was first seen: the job's index, and when it ended."""

    index: int
    moment: Start


def failures_in_a_row(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The latest failures for one reason, the last one first.

    `outcomes` in the order in which jobs ended. A plot that is done ends the row.
    """
    row: list[Outcome] = []
    for outcome in reversed(outcomes):
        if outcome.reason in _NO_FAULT:
            continue
        if outcome.done or (row and outcome.reason != row[0].reason):
            break
        row.append(outcome)
    return row


def backoff(row: Sequence[Outcome], passed: float, changed: float) -> tuple[float, str]:
    """Seconds that starts are still delayed, and why.

    `passed`: seconds since the last failure of the row. The second failure in a row for one
    reason holds starts back for two minutes, each further one for twice as long, six hours at
    most. Settings that `changed` since, that many seconds ago, end it.
    """
    if len(row) < 2 or changed < passed:
        return 0.0, ""
    left = min(_LONGEST, _FIRST * 2.0 ** min(len(row) - 2, 16)) - passed
    if left <= 0:
        return 0.0, ""
    return left, f"{len(row)} plots in a row failed ({row[0].reason}): {row[0].detail}"
