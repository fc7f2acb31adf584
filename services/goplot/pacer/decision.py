"""Whether the next plot starts now, and where, or why not. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from goplot.farm.disks import Disk, TempFarm
from goplot.farm.placement import Limits, Need, NoRoom, Placement, place


class Reason(StrEnum):
    """Why no plot starts now: one at a time, the first in this order that applies.

    `fault`: the pacer can't read or write its state, or can't start units.
    """

    START = "start"
    TOGGLE = "toggle"
    FAULT = "fault"
    SETTINGS = "settings"
    MAX_PLOTS = "max_plots"
    PLOT_GAP = "plot_gap"
    BACKOFF = "backoff"
    LOAD = "load"
    MEMORY = "memory"
    NO_DISK = NoRoom.NO_DISK.value
    DISK_SPACE = NoRoom.DISK_SPACE.value
    DISK_LIMIT = NoRoom.DISK_LIMIT.value
    NO_TEMP = NoRoom.NO_TEMP.value
    TEMP_SPACE = NoRoom.TEMP_SPACE.value
    TEMP_LIMIT = NoRoom.TEMP_LIMIT.value


_ROOM_TEXT = {
    NoRoom.NO_DISK: "no disk is mounted, writable and in rotation",
    NoRoom.DISK_SPACE: "no disk in rotation has room for a plot beside what is committed",
    NoRoom.DISK_LIMIT: "every destination farm with room has dest_plots_max plots under way",
    NoRoom.NO_TEMP: "no temp farm is mounted and writable",
    NoRoom.TEMP_SPACE: "no temp farm has room for a plot beside what is committed",
    NoRoom.TEMP_LIMIT: "temp_plots_max or early_plots_max is reached in every temp farm with room",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """The tunables that a decision needs. Seconds, bytes; 0 turns `memory_min` off."""

    run: bool
    plot_gap: float
    max_plots: int
    load_max: float
    memory_min: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision depends on.

    `since_start`: seconds since the last plot start (None: there was none). `settings_fault`:
    why no plot can be made at all. `backoff`: seconds that failures still hold starts back, and
    `backoff_cause` what failed.
    """

    pace: Pace
    settings_fault: str | None
    running: int
    since_start: float | None
    backoff: float
    backoff_cause: str
    load: float
    free_memory: int
    disks: Sequence[Disk]
    temps: Sequence[TempFarm]
    need: Need
    last_dest: int
    last_temp: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Start at `placement`, or wait for `reason`; `wait` seconds at least when that is known."""

    reason: Reason
    detail: str
    placement: Placement | None = None
    wait: float | None = None


def decide(facts: Facts) -> Decision:
    """Whether a plot starts now; the same facts give the same decision."""
    pace = facts.pace
    if not pace.run:
        return Decision(Reason.TOGGLE, "on_toggle is not run; running plots go on")
    if facts.settings_fault is not None:
        return Decision(Reason.SETTINGS, facts.settings_fault)
    if facts.running >= pace.max_plots:
        detail = f"{facts.running} plots run and max_plots is {pace.max_plots}"
        return Decision(Reason.MAX_PLOTS, detail)
    if facts.since_start is not None and facts.since_start < pace.plot_gap:
        wait = pace.plot_gap - facts.since_start
        detail = f"{facts.since_start:.0f} s since the last start of {pace.plot_gap:.0f} s plot_gap"
        return Decision(Reason.PLOT_GAP, detail, wait=wait)
    if facts.backoff > 0:
        detail = f"{facts.backoff:.0f} s more, because {facts.backoff_cause}"
        return Decision(Reason.BACKOFF, detail, wait=facts.backoff)
    if facts.load > pace.load_max:
        detail = f"goplot load {facts.load:.2f} is above load_max {pace.load_max:g}"
        return Decision(Reason.LOAD, detail)
    if facts.free_memory < pace.memory_min:
        detail = f"{facts.free_memory >> 20} MiB of memory free of {pace.memory_min >> 20} wanted"
        return Decision(Reason.MEMORY, detail)
    return decide_place(facts)


def decide_place(facts: Facts) -> Decision:
    """The part of a decision that also applies to a plot started by hand: where it fits."""
    found = place(
        facts.disks, facts.temps, facts.need, facts.last_dest, facts.last_temp, facts.pace.limits
    )
    if isinstance(found, NoRoom):
        return Decision(Reason(found.value), _ROOM_TEXT[found])
    return Decision(
        Reason.START, f"temp farm {found.temp.farm}, disk {found.disk.path}", placement=found
    )
