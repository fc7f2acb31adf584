"""What the pacer reported at its last poll: why no plot starts."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.codec import decode, encode
from goplot.host.files import write_whole

# The pacer's report is valid for this many polls, and for one slow poll.
_POLLS = 3
_SLACK = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """The reason, a pacer.decision.Reason, and its detail."""

    reason: str
    detail: str


def write_report(state: Path, report: Report) -> None:
    """Save the pacer's report. Raises OSError."""
    write_whole(_path(state), json.dumps(encode(report)) + "\n", durable=False)


def read_report(state: Path, plot_poll: float) -> Report | None:
    """The pacer's report; None if it is too old."""
    path = _path(state)
    try:
        if time.time() - path.stat().st_mtime > _POLLS * plot_poll + _SLACK:
            return None
        return decode(Report, json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def has_reported(state: Path) -> bool:
    """True where a pacer has ever run."""
    return _path(state).exists()


def _path(state: Path) -> Path:
    return state / "pacer.json"
