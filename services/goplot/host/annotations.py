"""The spool of annotations: if Grafana is down, no plot waits and no annotation is lost."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goplot.farm.jobs import Job
from goplot.host.files import make_folder, write_whole


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation; `time` in epoch seconds."""

    time: float
    tags: tuple[str, ...]
    text: str

    def tagged(self, tags: tuple[str, ...]) -> "Annotation":
        """The same with further tags; the first stays the event's, which dashboards query."""
        return replace(self, tags=(*self.tags, *tags))

    def body(self) -> dict[str, Any]:
        """The body of POST /api/annotations, whose times are in milliseconds."""
        return {"time": int(self.time * 1000), "tags": list(self.tags), "text": self.text}


def plot_start(job: Job, active: int, max_plots: int) -> Annotation:
    """That a plot started; `active` counts this one."""
    text = (
        f"start plot #{job.index}: farm {job.dest_farm}, disk {job.disk}, "
        f"temp farm {job.temp_farm}, {job.format.name}, {active}/{max_plots} active"
    )
    return Annotation(job.start.time, ("plot_start",), text)


def plot_stop(
    job: Job, ended: float, seconds: float, outcome: str, active: int, max_plots: int
) -> Annotation:
    """That a plot ended; `active` counts the remaining ones."""
    begun = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(job.start.time))
    text = (
        f"stop plot #{job.index} ({outcome}): farm {job.dest_farm}, disk {job.disk}, "
        f"started {begun}, total time {seconds:.0f} s, {active}/{max_plots} active"
    )
    return Annotation(ended, ("plot_stop",), text)


def spool_folder(state: Path) -> Path:
    """The folder of waiting annotations."""
    return state / "annotations"


def spool(state: Path, index: int, annotation: Annotation) -> None:
    """Save a plot's annotation until it is sent, durably. Raises OSError."""
    folder = spool_folder(state)
    make_folder(folder)
    # One name per event: an annotation spooled again after a crash replaces the waiting one.
    name = f"{index:09d}-{annotation.tags[0]}.json"
    write_whole(folder / name, json.dumps(annotation.body()) + "\n")


def spooled(state: Path) -> list[Path]:
    """The annotations that have not been sent, oldest first. Raises OSError."""
    try:
        return sorted(path for path in spool_folder(state).iterdir() if _is_spooled(path.name))
    except FileNotFoundError:
        return []


def dated(body: bytes, now: float) -> bytes:
    """The body of a spooled annotation; a date in the future, which is damaged, becomes `now`."""
    try:
        document = json.loads(body)
        if document["time"] <= now * 1000:
            return body
        return json.dumps({**document, "time": int(now * 1000)}).encode()
    except (ValueError, TypeError, LookupError):
        return body


def waiting(state: Path) -> int:
    """How many annotations are not sent yet."""
    return len(spooled(state))


def _is_spooled(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")
