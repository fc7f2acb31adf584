"""Whether the next plot starts now, and where, or why not. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from goplot.farm.placement import Limits, Need, NoRoom, Placement, place
from goplot.host.observe import Observation
from goplot.host.tunables import Tunables
from goplot.pacer.backoff import Failure


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
    DISK_REFUSED = NoRoom.DISK_REFUSED.value
    DISK_LIMIT = NoRoom.DISK_LIMIT.value
    NO_TEMP = NoRoom.NO_TEMP.value
    TEMP_SPACE = NoRoom.TEMP_SPACE.value
    TEMP_LIMIT = NoRoom.TEMP_LIMIT.value


_ROOM_TEXT = {
    NoRoom.NO_DISK: "no disk is mounted, writable and in rotation",
    NoRoom.DISK_SPACE: "no disk in rotation has room for a plot beside what is committed",
    NoRoom.DISK_REFUSED: "every disk with room has refused a plot of this size",
    NoRoom.DISK_LIMIT: "every destination farm with room has dest_plots_max plots under way",
    NoRoom.NO_TEMP: "no temp farm is mounted and writable",
    NoRoom.TEMP_SPACE: "no temp farm has room for a plot beside what is committed",
    NoRoom.TEMP_LIMIT: "temp_plots_max or early_plots_max is reached in every temp farm with room",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The host at one moment: everything that a decision and its reservation depend on.

    `settings_fault`: why no plot can be made at all. `since_start`: seconds since the last plot
    start (None: there was none). `backoff`: seconds that failures still hold starts back, and
    `backoff_cause` what failed; `new_failure` is one that was not seen before. `last_dest` and
    `last_temp` are the farms last used, `next_index` is that of the next plot.
    """

    observation: Observation
    settings_fault: str | None
    since_start: float | None
    backoff: float
    backoff_cause: str
    new_failure: Failure | None
    load: float
    free_memory: int
    need: Need
    last_dest: int
    last_temp: int
    next_index: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Start at `placement`, or wait for `reason`; `wait` seconds at least when that is known."""

    reason: Reason
    detail: str
    placement: Placement | None = None
    wait: float | None = None


_STOPPED = "on_toggle is not run; running plots go on; goplot set on_toggle run starts new ones"


def decide(snapshot: Snapshot, tunables: Tunables) -> Decision:
    """Whether a plot starts now; the same facts give the same decision."""
    if not tunables.run:
        return Decision(Reason.TOGGLE, _STOPPED)
    if snapshot.settings_fault is not None:
        return Decision(Reason.SETTINGS, snapshot.settings_fault)
    running, since_start = snapshot.observation.running, snapshot.since_start
    if running >= tunables.max_plots:
        detail = f"{running} plots run and max_plots is {tunables.max_plots}"
        return Decision(Reason.MAX_PLOTS, detail)
    if since_start is not None and since_start < tunables.plot_gap:
        wait = tunables.plot_gap - since_start
        detail = f"{since_start:.0f} s since the last start of {tunables.plot_gap} s plot_gap"
        return Decision(Reason.PLOT_GAP, detail, wait=wait)
    if snapshot.backoff > 0:
        detail = f"{snapshot.backoff:.0f} s more, because {snapshot.backoff_cause}"
        return Decision(Reason.BACKOFF, detail, wait=snapshot.backoff)
    if snapshot.load > tunables.load_max:
        detail = f"goplot load {snapshot.load:.2f} is above load_max {tunables.load_max:g}"
        return Decision(Reason.LOAD, detail)
    if snapshot.free_memory >> 20 < tunables.memory_min:
        detail = f"{snapshot.free_memory >> 20} MiB of memory free of {tunables.memory_min} wanted"
        return Decision(Reason.MEMORY, detail)
    return _decide_place(snapshot, tunables)


def decide_by_hand(snapshot: Snapshot, tunables: Tunables) -> Decision:
    """Whether a plot that a person asks for starts now: if it may be made and fits."""
    if not tunables.run:
        return Decision(Reason.TOGGLE, "on_toggle is not run")
    if snapshot.settings_fault is not None:
        return Decision(Reason.SETTINGS, snapshot.settings_fault)
    return _decide_place(snapshot, tunables)


def _decide_place(snapshot: Snapshot, tunables: Tunables) -> Decision:
    found = place(
        snapshot.observation.disks,
        snapshot.observation.temps,
        snapshot.need,
        snapshot.last_dest,
        snapshot.last_temp,
        Limits(
            temp_jobs=tunables.temp_plots_max,
            early_jobs=tunables.early_plots_max,
            early_phase=tunables.early_phase,
            dest_jobs=tunables.dest_plots_max,
        ),
    )
    if isinstance(found, NoRoom):
        return Decision(Reason(found.value), _ROOM_TEXT[found])
    return Decision(
        Reason.START, f"temp farm {found.temp.farm}, disk {found.disk.path}", placement=found
    )
