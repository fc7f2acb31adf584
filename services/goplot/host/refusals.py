"""Which disks refused a plot, in the state folder."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from goplot.farm.codec import decode, encode
from goplot.farm.disks import Space
from goplot.farm.refusals import Refusal, refusal_after
from goplot.host import clock
from goplot.host.files import locked, write_whole
from goplot.host.statefile import read_table


def refusals_path(state: Path) -> Path:
    """Where tractors record which disks refused a plot."""
    return state / "refusals.json"


def read_refusals(state: Path) -> dict[str, Refusal]:
    """The last refusal of each disk, by path; empty if unknown."""
    return read_table(refusals_path(state), partial(decode, Refusal))


def record_refusal(state: Path, disk: Path, size: int, detail: str, space: Space) -> None:
    """Record that a disk refused a plot; `space` is what it showed before. Raises OSError."""
    with locked(state / "refusals.lock"):
        refusals = read_refusals(state)
        earlier = refusals.get(str(disk))
        refusals[str(disk)] = refusal_after(earlier, size, detail, clock.now(), space)
        _write(state, refusals)


def forget_refusal(state: Path, disk: Path, size: int) -> None:
    """Forget what a disk refused, because it has taken a plot of that size. Raises OSError."""
    refusal = read_refusals(state).get(str(disk))
    if refusal is None or size < refusal.size:
        return
    with locked(state / "refusals.lock"):
        refusals = read_refusals(state)
        refusals.pop(str(disk), None)
        _write(state, refusals)


def _write(state: Path, refusals: Mapping[str, Refusal]) -> None:
    document = {path: encode(refusal) for path, refusal in refusals.items()}
    write_whole(refusals_path(state), json.dumps(document) + "\n")
