"""What `goplot status` and `goplot disks` show: problems first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.farm.disks import HIDDEN, Disk, TempFarm, Trouble, TroubleKind
from goplot.farm.jobs import Job, Stage
from goplot.host import clock
from goplot.host.tunables import Tunables
from goplot.pacer.decision import Reason
from goplot.pacer.start import Snapshot
from goplot.people.table import duration, size, table


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is shown.

    `reasons` holds by disk why diskhand took it out of rotation; `paused` the indexes of plots
    that are frozen; `annotations` how many wait for Grafana; `kept` the finished plots on temp
    farms that no job delivers; `mistakes` those in the settings file, each in a line.
    `no_tunables` is the folder of tunables on a host that does not plot.
    """

    view: Snapshot
    tunables: Tunables
    pacer_up: bool
    reasons: Mapping[str, str]
    paused: frozenset[int]
    annotations: int
    kept: tuple[Path, ...] = ()
    mistakes: tuple[str, ...] = ()
    no_tunables: Path | None = None

    @property
    def plot_bytes(self) -> int:
        """The maximum size of the next plot on a disk."""
        return self.view.facts.need.plot_bytes


def problems(status: Status) -> list[str]:
    """What needs a person's attention, worst first."""
    view = status.view
    found = list(status.mistakes)
    plots = status.no_tunables is None
    if plots and not status.pacer_up:
        found.append("the pacer does not run: systemctl status goplot-pacer")
    for index, fault in view.observation.broken.items():
        found.append(f"plot {index}: its job file can't be read: {fault}")
    for disk in view.observation.disks:
        seen = None if disk.trouble == HIDDEN else disk.trouble
        trouble = seen or Trouble.of(status.reasons.get(disk.name, ""))
        if trouble is not None and (seen or trouble.kind is TroubleKind.FAILING):
            found.append(f"disk {disk.path} {trouble.predicate}")
    found += [
        f"temp farm {temp.path} {temp.trouble.predicate}"
        for temp in view.observation.temps
        if temp.trouble is not None and temp.trouble != HIDDEN
    ]
    for job in view.observation.jobs:
        if job.stage is Stage.STRANDED:
            found.append(f"plot {job.index} is finished, but {job.note}")
        elif job.note is not None:
            found.append(f"plot {job.index} {job.note}")
    if not plots:
        return found
    found += [
        f"{plot} is a finished plot that no job delivers: move it to a disk, or delete it"
        for plot in status.kept
    ]
    found += [
        f"{name}.goplot {fault}; goplot set {name} VALUE puts it right"
        for name, fault in status.tunables.invalid.items()
    ]
    if view.facts.settings_fault is not None and not status.mistakes:
        found.append(view.facts.settings_fault)
    if view.decision.reason is Reason.BACKOFF:
        found.append(f"no plot starts for {view.decision.detail}")
    return found


def disk_state(disk: Disk, plot_bytes: int, reasons: Mapping[str, str]) -> str:
    """The state of a disk: its trouble, why it is out of rotation, `full` or `ok`."""
    if disk.trouble is not None:
        return str(disk.trouble)
    if disk.space is not None and disk.space.free - disk.committed < plot_bytes:
        return "full"
    if disk.taken_out:
        return reasons.get(disk.name) or "taken out by hand"
    return "ok"


def status_document(status: Status) -> dict[str, Any]:
    """The status for programs. Sizes are bytes, times seconds."""
    view, tunables = status.view, status.tunables
    return {
        "problems": problems(status),
        "pacer_up": status.pacer_up,
        "tunables": {
            "on_toggle": tunables.on_toggle,
            **tunables.values,
            "invalid": dict(tunables.invalid),
        },
        "load": round(view.facts.load, 2),
        "plots": [_job_document(job, status.paused) for job in view.observation.jobs],
        "running": view.observation.running,
        "foreign": view.observation.foreign,
        "next": next_document(view),
        "disks": disks_document(status),
        "temps": [
            _temp_document(temp, view.facts.need.temp_bytes) for temp in view.observation.temps
        ],
        "annotations_waiting": status.annotations,
        "kept_plots": [str(plot) for plot in status.kept],
    }


def next_document(view: Snapshot) -> dict[str, Any]:
    """The decision of this moment for programs."""
    decision = view.decision
    place = decision.placement
    return {
        "reason": decision.reason.value,
        "detail": decision.detail,
        "wait_seconds": decision.wait,
        "temp": None if place is None else str(place.temp.path),
        "disk": None if place is None else str(place.disk.path),
        "plot_bytes": view.facts.need.plot_bytes,
        "temp_bytes": view.facts.need.temp_bytes,
    }


def disks_document(status: Status) -> list[dict[str, Any]]:
    """The disks for programs; `room` is how many more plots fit."""
    return [
        {
            "farm": disk.farm,
            "disk": disk.name,
            "path": str(disk.path),
            "state": disk_state(disk, status.plot_bytes, status.reasons),
            "mounted": disk.mounted,
            "in_rotation": disk.in_rotation,
            "size": disk.space.total if disk.space else None,
            "used": disk.space.used if disk.space else None,
            "committed": disk.committed,
            "available": disk.available,
            "room": disk.available // status.plot_bytes,
        }
        for disk in status.view.observation.disks
    ]


def status_text(status: Status) -> str:
    """The status for people."""
    view, tunables = status.view, status.tunables
    parts = []
    found = problems(status)
    if found:
        parts.append("\n".join(["PROBLEMS", *[f"  {problem}" for problem in found]]))
    if status.no_tunables is not None:
        parts.append(f"this host does not plot: there are no tunables in {status.no_tunables}")
        if view.observation.disks:
            parts.append(disks_text(status))
        return "\n\n".join(parts)
    parts.append(
        f"on_toggle {tunables.on_toggle}   plots {view.observation.running}/{tunables.max_plots}   "
        f"plot_gap {tunables.plot_gap} s   plot_poll {tunables.plot_poll} s   "
        f"load {view.facts.load:.2f}/{tunables.load_max:g}"
    )
    parts.append(f"next start: {next_text(view)}")
    if view.observation.jobs:
        parts.append(_plots(view.observation.jobs, status.paused))
    if view.observation.foreign:
        parts.append(f"{view.observation.foreign} plots run outside goplot")
    if status.annotations:
        parts.append(f"{status.annotations} annotations wait for Grafana")
    parts.append(disks_text(status))
    parts.append(_temps(view))
    return "\n\n".join(parts)


def next_text(view: Snapshot) -> str:
    """The decision of this moment for people."""
    decision = view.decision
    if decision.placement is not None:
        return f"at the next poll: {decision.detail}"
    if decision.reason is Reason.START:
        return f"the pacer started a plot at its last poll: {decision.detail}"
    wait = f" (about {duration(decision.wait)})" if decision.wait else ""
    return f"waits for {decision.reason}: {decision.detail}{wait}"


def disks_text(status: Status) -> str:
    """The table of disks."""
    rows = [
        [
            str(disk.farm),
            disk.name,
            disk_state(disk, status.plot_bytes, status.reasons),
            size(disk.space.used) if disk.space else "-",
            size(disk.space.total) if disk.space else "-",
            size(disk.committed) if disk.committed else "-",
            size(disk.available) if disk.space else "-",
            str(disk.available // status.plot_bytes),
        ]
        for disk in status.view.observation.disks
    ]
    head = ["farm", "disk", "state", "used", "size", "committed", "available", "room for"]
    return table(head, rows)


def _plots(jobs: tuple[Job, ...], paused: frozenset[int]) -> str:
    now = clock.now()
    rows = [
        [
            str(job.index),
            job.format.name,
            f"{job.phase} (paused)" if job.index in paused else job.phase,
            f"{job.progress:.0%}",
            duration(clock.seconds_between(job.start, now)),
            str(job.temp_path),
            str(job.disk_path),
        ]
        for job in jobs
    ]
    return table(["plot", "format", "phase", "done", "age", "temp", "disk"], rows)


def _temps(view: Snapshot) -> str:
    temp_bytes = view.facts.need.temp_bytes
    rows = [
        [
            str(temp.farm),
            str(temp.trouble or "ok"),
            size(temp.space.used) if temp.space else "-",
            size(temp.space.total) if temp.space else "-",
            size(temp.committed) if temp.committed and temp.trouble != HIDDEN else "-",
            size(temp.available) if temp.space and temp.trouble != HIDDEN else "-",
            str(len(temp.phases)),
            str(temp.available // temp_bytes) if temp_bytes and temp.trouble != HIDDEN else "-",
        ]
        for temp in view.observation.temps
    ]
    head = ["temp", "state", "used", "size", "committed", "available", "plots", "room for"]
    return table(head, rows)


def _job_document(job: Job, paused: frozenset[int]) -> dict[str, Any]:
    return {
        "index": job.index,
        "format": job.format.name,
        "plotter": job.plotter,
        "stage": job.stage.value,
        "phase": job.phase,
        "paused": job.index in paused,
        "progress": job.progress,
        "age_seconds": round(clock.seconds_between(job.start, clock.now()), 1),
        "temp_farm": job.temp_farm,
        "temp": str(job.temp_path),
        "farm": job.dest_farm,
        "disk": job.disk,
        "disk_path": str(job.disk_path),
        "log": str(job.disk_path / "logs" / job.log_name),
        "plot_id": job.plot_id,
        "origin": job.origin,
        "note": job.note,
    }


def _temp_document(temp: TempFarm, temp_bytes: int) -> dict[str, Any]:
    hidden = temp.trouble == HIDDEN
    return {
        "farm": temp.farm,
        "path": str(temp.path),
        "state": str(temp.trouble or "ok"),
        "mounted": temp.mounted,
        "size": temp.space.total if temp.space else None,
        "used": temp.space.used if temp.space else None,
        "committed": None if hidden else temp.committed,
        "available": None if hidden else temp.available,
        "plots": len(temp.phases),
        "room": temp.available // temp_bytes if temp_bytes and not hidden else None,
    }


def units_document(problems: Sequence[str], running: Mapping[int, bool]) -> dict[str, Any]:
    """What is known of the status without settings: the plots that run, True where paused."""
    return {
        "problems": list(problems),
        "plots": [{"index": index, "paused": running[index]} for index in sorted(running)],
        "running": len(running),
    }


def units_text(running: Mapping[int, bool]) -> str:
    """The same for people."""
    plots = ", ".join(f"{i} (paused)" if running[i] else str(i) for i in sorted(running))
    return f"plots that run, according to systemd: {plots or 'none'}"
