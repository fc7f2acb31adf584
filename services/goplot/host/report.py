"""What the pacer said at its last look: why no plot starts."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.codec import decode, encode
from goplot.host.files import write_whole

# The pacer's word counts for this many polls, and for a look that takes its time.
_POLLS = 3
_SLACK = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """The reason, as pacer.decision.Reason has it, and its detail."""

    reason: str
    detail: str


def write_report(state: Path, report: Report) -> None:
    """Keep what the pacer says. Raises OSError."""
    write_whole(state / "pacer.json", json.dumps(encode(report)) + "\n", durable=False)


def read_report(state: Path, plot_poll: float) -> Report | None:
    """What the pacer says; None when it has not looked within its last polls."""
    path = state / "pacer.json"
    try:
        if time.time() - path.stat().st_mtime > _POLLS * plot_poll + _SLACK:
            return None
        return decode(Report, json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
