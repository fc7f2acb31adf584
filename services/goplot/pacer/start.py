"""Starting a plot: look, decide and reserve under one lock, then start the unit."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from goplot.farm.codec import encode
from goplot.farm.jobs import Job, Start
from goplot.farm.placement import Need, Placement
from goplot.host import clock
from goplot.host.files import locked, make_folder, write_whole
from goplot.host.jobstore import RECENT_RESULTS, read_results, write_job
from goplot.host.observe import Observation, observe
from goplot.host.settings import Settings
from goplot.host.statefile import read_state
from goplot.host.tunables import Tunables, read_number, tunable_path
from goplot.host.units import UnitError, Units
from goplot.pacer.backoff import Failure, Outcome, backoff, failures_in_a_row
from goplot.pacer.decision import Decision, Snapshot, decide, decide_by_hand
from goplot.plotters.registry import command_of, request_for, temp2_need, temp_need


@dataclass(frozen=True, slots=True)
class Turn:
    """What was seen and decided, and the job that was reserved (None: no plot starts)."""

    snapshot: Snapshot
    decision: Decision
    job: Job | None = None


def settings_fault(settings: Settings) -> str | None:
    """Why no plot can be made with the settings (None: it can)."""
    if settings.mistakes:
        return f"{settings.path}: {settings.mistakes[0]}"
    plot = settings.plot
    plotter = settings.plotters[plot.plotter]
    if not plotter.command:
        if not plot.farmer_public_key:
            return (
                f"{settings.path}: plot.farmer_public_key is empty; goplot keys on the farmer, "
                "then site.yml, sets it"
            )
        if not (plot.pool_contract_address or plot.pool_public_key):
            return (
                f"{settings.path}: plot.pool_contract_address and plot.pool_public_key are empty; "
                "goplot keys on the farmer says which to write in the inventory"
            )
    try:
        program = command_of(plotter, request_for(plot, plotter, plot.format, Path("/")))[0]
    except ValueError as error:
        return f"{settings.path}: {error}"
    if not Path(program).exists():
        return f"{settings.path}: plotters.{plot.plotter}: {program} is not there"
    return None


def look(settings: Settings) -> Snapshot:
    """Look at the host once; every file is read at most once. Raises OSError."""
    roots = settings.roots
    observation = observe(settings)
    results = list(read_results(roots.state, tail=RECENT_RESULTS))
    row = failures_in_a_row(
        [Outcome(one.index, one.done, one.reason, one.detail, one.ended) for one in results]
    )
    moment = observation.moment
    known = read_state(_failure_path(roots.state), Failure)
    new = None
    if row and (known is None or known.index != row[0].index):
        known = new = _first_seen(row[0], moment)
    passed = 0.0 if known is None else clock.seconds_between(known.moment, moment)
    changed = clock.seconds_since(settings.path.stat().st_mtime, moment)
    held, cause = backoff(row, passed, changed)
    last = last_start(roots.state)
    # One more than every index that was ever used, whatever became of index.goplot.
    used = [
        read_number(tunable_path(roots.config, "index"), 0),
        read_number(roots.state / "index", 0),
        *[job.index for job in observation.jobs],
        *observation.broken,
        *[result.index for result in results],
    ]
    return Snapshot(
        observation=observation,
        settings_fault=settings_fault(settings),
        since_start=None if last is None else clock.seconds_between(last, moment),
        backoff=held,
        backoff_cause=cause,
        new_failure=new,
        load=clock.goplot_load(),
        free_memory=clock.free_memory(),
        need=_need(settings),
        last_dest=read_number(tunable_path(roots.config, "farm_dest"), 0),
        last_temp=read_number(tunable_path(roots.config, "farm_temp"), 0),
        next_index=max(used) + 1,
    )


def start_plot(
    settings: Settings,
    tunables: Tunables,
    units: Units,
    *,
    by_hand: bool = False,
    recover: Callable[[Observation], None] | None = None,
) -> Turn:
    """Decide and, if a plot starts, reserve its space and index and start its unit.

    One lock spans look, decision and reservation, so two starts never get the same space or
    index. `recover` is called with what was seen before anything is decided. Raises OSError, and
    UnitError when the unit did not start: the job then stays reserved and the pacer tries its
    unit again.
    """
    make_folder(settings.roots.jobs)
    with locked(settings.roots.state / "start.lock"):
        snapshot = look(settings)
        _remember(settings.roots.state, snapshot.new_failure)
        if recover is not None:
            recover(snapshot.observation)
        decision = (decide_by_hand if by_hand else decide)(snapshot, tunables)
        if decision.placement is None:
            return Turn(snapshot, decision)
        origin = "hand" if by_hand else "pacer"
        job = _reserve(settings, snapshot, decision.placement, origin)
    start_unit(units, job.index)
    return Turn(snapshot, decision, job)


def start_unit(units: Units, index: int) -> None:
    """Start the unit of a job that is reserved. Raises UnitError."""
    try:
        units.start(index)
    except UnitError as error:
        raise UnitError(f"plot {index} is reserved, but its unit did not start: {error}") from error


def _need(settings: Settings) -> Need:
    """The space of the next plot; none on a temp farm where its plotter has a mistake."""
    plot = settings.plot
    plotter = settings.plotters.get(plot.plotter)
    if plotter is None:
        return Need(plot.format.plot_bytes, 0)
    return Need(
        plot.format.plot_bytes,
        temp_need(plotter, plot.format),
        plotter.temp2,
        temp2_need(plotter, plot.format),
    )


def _reserve(settings: Settings, snapshot: Snapshot, placement: Placement, origin: str) -> Job:
    roots = settings.roots
    job = Job(
        index=snapshot.next_index,
        plotter=settings.plot.plotter,
        format=settings.plot.format,
        temp_farm=placement.temp.farm,
        temp_path=placement.temp.path,
        dest_farm=placement.disk.farm,
        disk=placement.disk.name,
        disk_path=placement.disk.path,
        plot_bytes=snapshot.need.plot_bytes,
        temp_bytes=snapshot.need.temp_bytes,
        start=snapshot.observation.moment,
        origin=origin,
        temp2_path=None if placement.temp2 is None else placement.temp2.path,
        temp2_bytes=snapshot.need.temp2_bytes,
    )
    # The index is used up before the job exists: a crash in between skips a number, but never
    # gives two jobs the same number.
    write_whole(roots.state / "index", f"{job.index}\n")
    for name, value in (
        ("index", job.index),
        ("farm_dest", job.dest_farm),
        ("farm_temp", job.temp_farm),
    ):
        write_whole(tunable_path(roots.config, name), f"{value}\n")
    _write_last_start(roots.state, job.start)
    write_job(roots.jobs, job)
    return job


def _first_seen(last: Outcome, now: Start) -> Failure:
    """A failure that is new: its own date says how long ago it was, unless that is damaged."""
    passed = clock.seconds_since(last.ended, now)
    ago = passed if math.isfinite(passed) else 0.0
    moment = replace(now, time=now.time - ago, boot_time=now.boot_time - ago)
    return Failure(last.index, moment)


def _remember(state: Path, failure: Failure | None) -> None:
    """Save the date of a failure that is new."""
    if failure is not None:
        write_whole(_failure_path(state), json.dumps(encode(failure)) + "\n")


def _failure_path(state: Path) -> Path:
    return state / "last_failure.json"


def last_start(state: Path) -> Start | None:
    """When the last plot started; None if there was none."""
    return read_state(_last_start_path(state), Start)


def _write_last_start(state: Path, start: Start) -> None:
    write_whole(_last_start_path(state), json.dumps(encode(start)) + "\n")


def _last_start_path(state: Path) -> Path:
    return state / "last_start.json"
