"""What the pacer reported at its last poll: why no plot starts."""

import json
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.codec import encode
from goplot.farm.jobs import Start
from goplot.host import clock
from goplot.host.files import write_whole
from goplot.host.statefile import read_state

# The pacer's report is valid for this many polls, and for one slow poll.
_POLLS = 3
_SLACK = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """The reason, a pacer.decision.Reason, and its detail."""

    reason: str
    detail: str


def write_report(state: Path, report: Report, moment: Start) -> None:
    """Save the pacer's report of a moment. Raises OSError."""
    write_whole(_path(state), json.dumps(encode(report)) + "\n", durable=False)
    # In a file of its own: the first release reads the report too, and knows two keys.
    write_whole(_moment_path(state), json.dumps(encode(moment)) + "\n", durable=False)


def read_report(state: Path, plot_poll: float) -> Report | None:
    """The pacer's report; None if it is too old."""
    try:
        if _age(state) > _POLLS * plot_poll + _SLACK:
            return None
    except OSError:
        return None
    return read_state(_path(state), Report)


def has_reported(state: Path) -> bool:
    """True where a pacer has ever run."""
    return _path(state).exists()


def _age(state: Path) -> float:
    """Seconds since the last report; of one by the first release, by its file."""
    now = clock.now()
    moment = read_state(_moment_path(state), Start)
    if moment is None:
        return clock.seconds_since(_path(state).stat().st_mtime, now)
    return clock.seconds_between(moment, now)


def _path(state: Path) -> Path:
    return state / "pacer.json"


def _moment_path(state: Path) -> Path:
    return state / "last_poll.json"
