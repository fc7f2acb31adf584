"""Starting a plot: the decision and its reservation under one lock, then the unit."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.codec import decode, encode
from goplot.farm.jobs import Job, Start
from goplot.farm.placement import Limits, Need, Placement
from goplot.host import clock
from goplot.host.files import locked, make_folder, write_whole
from goplot.host.jobstore import read_results, write_job
from goplot.host.observe import Observation, observe
from goplot.host.settings import Settings
from goplot.host.tunables import Tunables, read_number, tunable_path
from goplot.host.units import UnitError, Units
from goplot.pacer.backoff import Outcome, backoff
from goplot.pacer.decision import Decision, Facts, Pace, Reason, decide, decide_place
from goplot.plotters.registry import command_of, request_for, temp_need


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of a decision, and the decision."""

    observation: Observation
    facts: Facts
    decision: Decision


def settings_fault(settings: Settings) -> str | None:
    """Why no plot can be made with the settings (None: it can)."""
    if settings.mistakes:
        return f"{settings.path}: {settings.mistakes[0]}"
    plot = settings.plot
    plotter = settings.plotters[plot.plotter]
    if not plotter.command:
        if not plot.farmer_public_key:
            return f"{settings.path}: plot.farmer_public_key is empty"
        if not (plot.pool_contract_address or plot.pool_public_key):
            return f"{settings.path}: plot.pool_contract_address and plot.pool_public_key are empty"
    try:
        program = command_of(plotter, request_for(plot, plotter, plot.format, Path("/")))[0]
    except ValueError as error:
        return f"{settings.path}: {error}"
    if not Path(program).exists():
        return f"{settings.path}: plotters.{plot.plotter}: {program} is not there"
    return None


def look(settings: Settings, tunables: Tunables, *, by_hand: bool = False) -> Snapshot:
    """Gather the facts of this moment and decide. Raises OSError."""
    observation = observe(settings)
    facts = _facts(settings, tunables, observation)
    if not by_hand:
        return Snapshot(observation, facts, decide(facts))
    if not tunables.run:
        return Snapshot(observation, facts, Decision(Reason.TOGGLE, "on_toggle is not run"))
    if facts.settings_fault is not None:
        return Snapshot(observation, facts, Decision(Reason.SETTINGS, facts.settings_fault))
    return Snapshot(observation, facts, decide_place(facts))


def start_plot(
    settings: Settings, tunables: Tunables, units: Units, *, by_hand: bool = False
) -> tuple[Snapshot, Job | None]:
    """Decide and, if a plot starts, reserve its space and index and start its unit.

    One lock spans read, decision and reservation, so two starts never get the same space or
    index. Raises OSError, and UnitError when the unit did not start: the job then stays reserved
    and the pacer tries its unit again.
    """
    make_folder(settings.roots.jobs)
    with locked(settings.roots.state / "start.lock"):
        view = look(settings, tunables, by_hand=by_hand)
        placement = view.decision.placement
        if placement is None:
            return view, None
        job = _reserve(settings, placement, view.facts.need, "hand" if by_hand else "pacer")
    start_unit(units, job.index)
    return view, job


def start_unit(units: Units, index: int) -> None:
    """Start the unit of a job that is reserved. Raises UnitError."""
    try:
        units.start(index)
    except UnitError as error:
        raise UnitError(f"plot {index} is reserved, but its unit did not start: {error}") from error


def _facts(settings: Settings, tunables: Tunables, observation: Observation) -> Facts:
    roots = settings.roots
    last = last_start(roots.state)
    held, cause = _backoff(settings)
    return Facts(
        pace=Pace(
            run=tunables.run,
            plot_gap=tunables.plot_gap,
            max_plots=tunables.max_plots,
            load_max=tunables.load_max,
            memory_min=tunables.memory_min << 20,
            limits=Limits(
                temp_jobs=tunables.temp_plots_max,
                early_jobs=tunables.early_plots_max,
                early_phase=tunables.early_phase,
                dest_jobs=tunables.dest_plots_max,
            ),
        ),
        settings_fault=settings_fault(settings),
        running=observation.running,
        since_start=None if last is None else clock.seconds_between(last, clock.now()),
        backoff=held,
        backoff_cause=cause,
        load=clock.goplot_load(),
        free_memory=clock.free_memory(),
        disks=observation.disks,
        temps=observation.temps,
        need=_need(settings),
        last_dest=read_number(tunable_path(roots.config, "farm_dest"), 0),
        last_temp=read_number(tunable_path(roots.config, "farm_temp"), 0),
    )


def _need(settings: Settings) -> Need:
    """The space of the next plot; none on a temp farm where its plotter has a mistake."""
    plot = settings.plot
    plotter = settings.plotters.get(plot.plotter)
    return Need(plot.format.plot_bytes, temp_need(plotter, plot.format) if plotter else 0)


def _reserve(settings: Settings, placement: Placement, need: Need, origin: str) -> Job:
    roots = settings.roots
    job = Job(
        index=_next_index(settings),
        plotter=settings.plot.plotter,
        format=settings.plot.format,
        temp_farm=placement.temp.farm,
        temp_path=placement.temp.path,
        dest_farm=placement.disk.farm,
        disk=placement.disk.name,
        disk_path=placement.disk.path,
        plot_bytes=need.plot_bytes,
        temp_bytes=need.temp_bytes,
        start=clock.now(),
        origin=origin,
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


def _next_index(settings: Settings) -> int:
    """One more than every index that was ever used, whatever became of index.goplot."""
    roots = settings.roots
    used = [
        read_number(tunable_path(roots.config, "index"), 0),
        read_number(roots.state / "index", 0),
    ]
    used += [int(path.stem) for path in roots.jobs.glob("*.json") if path.stem.isdecimal()]
    used += [result.index for result in read_results(roots.state, tail=65536)]
    return max(used) + 1


def _backoff(settings: Settings) -> tuple[float, str]:
    outcomes = [
        Outcome(result.done, result.reason, result.detail, result.ended)
        for result in read_results(settings.roots.state, tail=16384)
    ]
    return backoff(outcomes, time.time(), settings.path.stat().st_mtime)


def last_start(state: Path) -> Start | None:
    """When the last plot started; None if there was none."""
    try:
        return decode(Start, json.loads((state / "last_start.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write_last_start(state: Path, start: Start) -> None:
    write_whole(state / "last_start.json", json.dumps(encode(start)) + "\n")
