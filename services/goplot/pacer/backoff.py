"""Delaying starts when the same failure repeats. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

_FIRST = 120.0
_LONGEST = 6 * 3600.0
# A manual stop and a host that went down say nothing about the next plot.
_NO_FAULT = ("stopped", "crash")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one job ended, as far as the next start is concerned; `ended` in epoch seconds."""

    done: bool
    reason: str
    detail: str
    ended: float


def backoff(outcomes: Sequence[Outcome], now: float, changed: float) -> tuple[float, str]:
    """Seconds that starts are still delayed, and why.

    `outcomes` in the order in which jobs ended. The second failure in a row for one reason holds
    starts back for two minutes, each further one for twice as long, six hours at most. A plot
    that is done and settings that `changed` (epoch seconds) since the last failure end it.
    """
    row: list[Outcome] = []
    for outcome in reversed(outcomes):
        if outcome.reason in _NO_FAULT:
            continue
        if outcome.done or (row and outcome.reason != row[0].reason):
            break
        row.append(outcome)
    if len(row) < 2 or changed > row[0].ended:
        return 0.0, ""
    hold = min(_LONGEST, _FIRST * 2.0 ** min(len(row) - 2, 16))
    # A clock that was set back must not delay starts for longer than that.
    left = hold - max(0.0, now - row[0].ended)
    if left <= 0:
        return 0.0, ""
    return left, f"{len(row)} plots in a row failed ({row[0].reason}): {row[0].detail}"
