"""`goplot status`: problems first, then tunables, plots, the next start, disks and temp farms."""

from typing import Any

from goplot.farm.disks import Disk, TempFarm
from goplot.farm.jobs import Job, Stage
from goplot.host import clock
from goplot.host.tunables import Tunables
from goplot.people.table import duration, size, table
from goplot.tractor.reserve import View


def problems(view: View, tunables: Tunables, pacer_up: bool) -> list[str]:
    """What a person should look at, worst first."""
    found = []
    if not pacer_up:
        found.append("the pacer does not run: systemctl status goplot-pacer")
    for index, fault in view.observation.broken.items():
        found.append(f"plot {index}: its job file can't be read: {fault}")
    found += [f"disk {d.path} is {d.trouble}" for d in view.observation.disks if d.trouble]
    found += [f"temp farm {t.path} is {t.trouble}" for t in view.observation.temps if t.trouble]
    found += [
        f"plot {job.index} is finished, but {job.note}"
        for job in view.observation.jobs
        if job.stage is Stage.STRANDED
    ]
    found += [
        f"{name}.goplot {fault}; goplot set {name} VALUE puts it right"
        for name, fault in tunables.invalid.items()
    ]
    if view.facts.settings_fault is not None:
        found.append(view.facts.settings_fault)
    return found


def status_document(view: View, tunables: Tunables, pacer_up: bool) -> dict[str, Any]:
    """The status for programs. Sizes are bytes, times seconds."""
    facts = view.facts
    return {
        "problems": problems(view, tunables, pacer_up),
        "pacer_up": pacer_up,
        "tunables": {
            "on_toggle": tunables.on_toggle,
            **tunables.values,
            "invalid": tunables.invalid,
        },
        "load": round(facts.load, 2),
        "plots": [_job_document(job) for job in view.observation.jobs],
        "running": view.observation.running,
        "foreign": view.observation.foreign,
        "next": {
            "reason": view.decision.reason.value,
            "detail": view.decision.detail,
            "wait_seconds": view.decision.wait,
        },
        "disks": [disk_document(disk, facts.need.plot_bytes) for disk in facts.disks],
        "temps": [_temp_document(temp, facts.need.temp_bytes) for temp in facts.temps],
    }


def disk_document(disk: Disk, plot_bytes: int) -> dict[str, Any]:
    """One disk for programs; `room` is how many more plots fit."""
    return {
        "farm": disk.farm,
        "disk": disk.name,
        "path": str(disk.path),
        "state": disk_state(disk, plot_bytes),
        "mounted": disk.mounted,
        "in_rotation": disk.in_rotation,
        "size": disk.space.total if disk.space else None,
        "used": disk.space.used if disk.space else None,
        "committed": disk.committed,
        "available": disk.available,
        "room": disk.available // plot_bytes,
    }


def disk_state(disk: Disk, plot_bytes: int) -> str:
    """One word or two on a disk: its trouble, `out of rotation`, `full` or `ok`."""
    if disk.trouble is not None:
        return disk.trouble
    if disk.space is not None and disk.space.free - disk.committed < plot_bytes:
        return "full"
    return "out of rotation" if disk.taken_out else "ok"


def status_text(view: View, tunables: Tunables, pacer_up: bool) -> str:
    """The status for people."""
    parts = []
    found = problems(view, tunables, pacer_up)
    if found:
        parts.append("\n".join(["PROBLEMS", *[f"  {problem}" for problem in found]]))
    values = tunables.values
    parts.append(
        f"on_toggle {tunables.on_toggle}   plots {view.observation.running}/"
        f"{values['max_plots']:.0f}   plot_gap {values['plot_gap']:.0f} s   "
        f"plot_poll {values['plot_poll']:.0f} s   load {view.facts.load:.2f}/{values['load_max']:g}"
    )
    parts.append(f"next start: {_next(view)}")
    if view.observation.jobs:
        parts.append(_plots(view.observation.jobs))
    if view.observation.foreign:
        parts.append(f"{view.observation.foreign} plots run outside goplot")
    parts.append(disks_text(view))
    parts.append(_temps(view))
    return "\n\n".join(parts)


def disks_text(view: View) -> str:
    """The table of disks."""
    plot_bytes = view.facts.need.plot_bytes
    rows = [
        [
            str(disk.farm),
            disk.name,
            disk_state(disk, plot_bytes),
            size(disk.space.used) if disk.space else "-",
            size(disk.space.total) if disk.space else "-",
            size(disk.committed) if disk.committed else "-",
            size(disk.available) if disk.space else "-",
            str(disk.available // plot_bytes),
        ]
        for disk in view.facts.disks
    ]
    head = ["farm", "disk", "state", "used", "size", "committed", "available", "room for"]
    return table(head, rows)


def _next(view: View) -> str:
    decision = view.decision
    if decision.placement is not None:
        return f"at the next poll: {decision.detail}"
    wait = f" (about {duration(decision.wait)})" if decision.wait else ""
    return f"waits for {decision.reason}: {decision.detail}{wait}"


def _plots(jobs: tuple[Job, ...]) -> str:
    now = clock.now()
    rows = [
        [
            str(job.index),
            job.format.name,
            job.phase,
            f"{job.progress:.0%}",
            duration(clock.seconds_between(job.start, now)),
            str(job.temp_path),
            str(job.disk_path),
        ]
        for job in jobs
    ]
    return table(["plot", "format", "phase", "done", "age", "temp", "disk"], rows)


def _temps(view: View) -> str:
    temp_bytes = view.facts.need.temp_bytes
    rows = [
        [
            str(temp.farm),
            temp.trouble or "ok",
            size(temp.space.used) if temp.space else "-",
            size(temp.space.total) if temp.space else "-",
            size(temp.committed) if temp.committed else "-",
            size(temp.available) if temp.space else "-",
            str(len(temp.phases)),
            str(temp.available // temp_bytes) if temp_bytes else "-",
        ]
        for temp in view.facts.temps
    ]
    head = ["temp", "state", "used", "size", "committed", "available", "plots", "room for"]
    return table(head, rows)


def _job_document(job: Job) -> dict[str, Any]:
    return {
        "index": job.index,
        "format": job.format.name,
        "plotter": job.plotter,
        "stage": job.stage.value,
        "phase": job.phase,
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
    return {
        "farm": temp.farm,
        "path": str(temp.path),
        "state": temp.trouble or "ok",
        "mounted": temp.mounted,
        "size": temp.space.total if temp.space else None,
        "used": temp.space.used if temp.space else None,
        "committed": temp.committed,
        "available": temp.available,
        "plots": len(temp.phases),
        "room": temp.available // temp_bytes if temp_bytes else None,
    }
