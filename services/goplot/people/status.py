"""What `goplot status` and `goplot disks` show: problems first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.farm.disks import HIDDEN, Disk, Refused, TempFarm, Trouble, TroubleKind
from goplot.farm.jobs import Job, Stage
from goplot.host import clock
from goplot.host.observe import Observation
from goplot.host.tunables import Tunables
from goplot.pacer.decision import Reason
from goplot.pacer.start import Turn
from goplot.people.table import duration, size, table


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is shown.

    `reasons` holds by disk why diskhand took it out of rotation; `paused` the indexes of plots
    that are frozen; `annotations` how many wait for Grafana; `kept` the finished plots on temp
    farms that no job delivers; `mistakes` those in the settings file, each in a line.
    `no_tunables` is the folder of tunables on a host that does not plot.
    """

    turn: Turn
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
        return self.turn.snapshot.need.plot_bytes

    @property
    def farm(self) -> Observation:
        """What was seen of the farm."""
        return self.turn.snapshot.observation


#: Why no plot starts just now on a plotter on which all is in order.
_AT_PACE = (Reason.START, Reason.PLOT_GAP, Reason.MAX_PLOTS)


def problems(status: Status) -> list[str]:
    """What needs a person's attention, worst first."""
    turn = status.turn
    found = list(status.mistakes)
    plots = status.no_tunables is None
    if plots and not status.pacer_up:
        found.append("the pacer does not run: systemctl status goplot-pacer")
    for index, fault in status.farm.broken.items():
        found.append(f"plot {index}: its job file can't be read: {fault}")
    for disk in status.farm.disks:
        seen = None if disk.trouble == HIDDEN else disk.trouble
        trouble = seen or Trouble.of(status.reasons.get(disk.name, ""))
        if trouble is not None and (seen or trouble.kind is TroubleKind.FAILING):
            found.append(f"disk {disk.path} {trouble.predicate}")
        elif disk.refused is not None:
            found.append(f"disk {disk.path} {_refusal(disk.refused)}")
    found += [
        f"temp farm {temp.path} {temp.trouble.predicate}"
        for temp in status.farm.temps
        if temp.trouble is not None and temp.trouble != HIDDEN
    ]
    for job in status.farm.jobs:
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
    if turn.snapshot.settings_fault is not None and not status.mistakes:
        found.append(turn.snapshot.settings_fault)
    if turn.decision.reason is Reason.BACKOFF:
        found.append(f"no plot starts for {turn.decision.detail}")
    return found


def disk_state(disk: Disk, plot_bytes: int, reasons: Mapping[str, str]) -> str:
    """The state of a disk: its trouble, why it is out of rotation, `full` or `ok`."""
    if disk.trouble is not None:
        return str(disk.trouble)
    if disk.space is not None and disk.left < plot_bytes:
        return "full"
    if disk.taken_out:
        return reasons.get(disk.name) or "taken out by hand"
    if disk.refused is not None and not disk.takes(plot_bytes):
        return _refusal(disk.refused)
    return "ok"


def _refusal(refused: Refused) -> str:
    again = duration(refused.seconds)
    return f"refused {size(refused.size)} ({refused.detail}), tried again in {again}"


def status_document(status: Status) -> dict[str, Any]:
    """The status for programs. Sizes are bytes, times seconds."""
    turn, tunables = status.turn, status.tunables
    return {
        "problems": problems(status),
        "pacer_up": status.pacer_up,
        "tunables": {
            "on_toggle": tunables.on_toggle,
            **tunables.values,
            "invalid": dict(tunables.invalid),
        },
        "load": round(turn.snapshot.load, 2),
        "plots": [_job_document(job, status) for job in status.farm.jobs],
        "running": status.farm.running,
        "foreign": status.farm.foreign,
        "next": next_document(turn),
        "disks": disks_document(status),
        "temps": [
            _temp_document(temp, turn.snapshot.need.temp_bytes_on(temp.farm))
            for temp in status.farm.temps
        ],
        "annotations_waiting": status.annotations,
        "kept_plots": [str(plot) for plot in status.kept],
    }


def next_document(turn: Turn) -> dict[str, Any]:
    """The decision of this moment for programs."""
    decision = turn.decision
    place = decision.placement
    return {
        "reason": decision.reason.value,
        "detail": decision.detail,
        "wait_seconds": decision.wait,
        "temp": None if place is None else str(place.temp.path),
        "disk": None if place is None else str(place.disk.path),
        "plot_bytes": turn.snapshot.need.plot_bytes,
        "temp_bytes": turn.snapshot.need.temp_bytes,
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
            "room": disk.room(status.plot_bytes),
            "volume": disk.volume,
        }
        for disk in status.farm.disks
    ]


def status_text(status: Status) -> str:
    """The status for people."""
    turn, tunables = status.turn, status.tunables
    parts = []
    found = problems(status)
    if found:
        parts.append("\n".join(["PROBLEMS", *[f"  {problem}" for problem in found]]))
    if status.no_tunables is not None:
        parts.append(f"this host does not plot: there are no tunables in {status.no_tunables}")
        if status.farm.disks:
            parts.append(disks_text(status))
        return "\n\n".join(parts)
    parts.append(
        f"on_toggle {tunables.on_toggle}   plots {status.farm.running}/{tunables.max_plots}   "
        f"plot_gap {tunables.plot_gap} s   plot_poll {tunables.plot_poll} s   "
        f"load {turn.snapshot.load:.2f}/{tunables.load_max:g}"
    )
    parts.append(f"next start: {next_text(turn)}")
    if not found and turn.decision.reason in _AT_PACE:
        parts.append("in order: keys, disks, temp farms and pacing; nothing is left to do")
    if status.farm.jobs:
        parts.append(_plots(status.farm, status.paused))
    if status.farm.foreign:
        parts.append(f"{status.farm.foreign} plots run outside goplot")
    if status.annotations:
        parts.append(f"{status.annotations} annotations wait for Grafana")
    parts.append(disks_text(status))
    parts.append(_temps(turn))
    return "\n\n".join(parts)


def next_text(turn: Turn) -> str:
    """The decision of this moment for people."""
    decision = turn.decision
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
            str(disk.room(status.plot_bytes)),
        ]
        for disk in status.farm.disks
    ]
    head = ["farm", "disk", "state", "used", "size", "committed", "available", "room for"]
    return "\n".join([table(head, rows), *_shared(status.farm)])


def _shared(farm: Observation) -> list[str]:
    """A line for each file system that holds several disks or temp farms."""
    on: dict[str, list[str]] = {}
    places: list[Disk | TempFarm] = [*farm.disks, *farm.temps]
    for place in places:
        if place.volume is not None:
            on.setdefault(place.volume, []).append(str(place.path))
    return [
        f"{', '.join(paths)} are on one file system; its space counts once"
        for paths in on.values()
        if len(paths) > 1
    ]


def _plots(farm: Observation, paused: frozenset[int]) -> str:
    rows = [
        [
            str(job.index),
            job.format.name,
            f"{job.phase} (paused)" if job.index in paused else job.phase,
            f"{job.progress:.0%}",
            duration(clock.seconds_between(job.start, farm.moment)),
            str(job.temp_path),
            str(job.disk_path),
        ]
        for job in farm.jobs
    ]
    return table(["plot", "format", "phase", "done", "age", "temp", "disk"], rows)


def _temps(turn: Turn) -> str:
    need = turn.snapshot.need
    room = {
        temp.farm: str(temp.available // size_there) if size_there else "-"
        for temp in turn.snapshot.observation.temps
        for size_there in [need.temp_bytes_on(temp.farm)]
    }
    rows = [
        [
            str(temp.farm),
            str(temp.trouble or "ok"),
            size(temp.space.used) if temp.space else "-",
            size(temp.space.total) if temp.space else "-",
            size(temp.committed) if temp.committed and temp.trouble != HIDDEN else "-",
            size(temp.available) if temp.space and temp.trouble != HIDDEN else "-",
            str(len(temp.phases)),
            room[temp.farm] if temp.trouble != HIDDEN else "-",
        ]
        for temp in turn.snapshot.observation.temps
    ]
    head = ["temp", "state", "used", "size", "committed", "available", "plots", "room for"]
    return table(head, rows)


def _job_document(job: Job, status: Status) -> dict[str, Any]:
    return {
        "index": job.index,
        "format": job.format.name,
        "plotter": job.plotter,
        "stage": job.stage.value,
        "phase": job.phase,
        "paused": job.index in status.paused,
        "progress": job.progress,
        "age_seconds": round(clock.seconds_between(job.start, status.farm.moment), 1),
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
        "volume": temp.volume,
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
