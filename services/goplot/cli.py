"""goplot: the command line interface."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from goplot.host.account import AccountError, become
from goplot.host.chia_command import replace_by_chia
from goplot.host.observe import Observation
from goplot.host.program import FAILED, OK, SETTINGS
from goplot.host.report import has_reported, read_report
from goplot.host.settings import TABLES, Settings, SettingsError, load
from goplot.host.tunables import (
    NAMES,
    RUN,
    Tunables,
    read_last_good,
    read_tunables,
    set_tunable,
    tunable_path,
)
from goplot.host.units import SystemdUnits, UnitError, units_of
from goplot.pacer.decision import Decision, Reason, decide, decide_by_hand
from goplot.pacer.start import Turn, look, start_plot
from goplot.people.arguments import command_parser
from goplot.people.caller import act_as_goplot, seen_by_caller
from goplot.people.output import json_text, print_error, print_text
from goplot.people.status import (
    Status,
    disks_document,
    disks_text,
    next_document,
    next_text,
    problems,
    status_document,
    status_text,
    units_document,
    units_text,
)

PROBLEMS = 3
NOT_STARTED = 4
#: What a shell shows for a program that SIGPIPE has ended.
READER_LEFT = 128 + 13

#: The tables of the settings that a command uses; what it does not name uses all.
_USED: Mapping[str, tuple[str, ...]] = {
    "status": ("roots", "host"),
    "disks": ("roots", "host"),
    "set": ("roots",),
    "stop": ("roots", "host"),
    "pause": ("roots", "host"),
    "resume": ("roots", "host"),
    "farm": ("roots", "chia", "farmer_collector", "harvester_collector", "host"),
    "keys": ("roots", "chia", "farmer_collector", "harvester_collector", "host"),
    "chia": ("chia",),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code that the help text names.

    A reader that has left, such as `head`, ends the command without a message.
    """
    try:
        try:
            return _main(sys.argv[1:] if arguments is None else arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would be written once more when the interpreter ends.
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return READER_LEFT


def _main(arguments: Sequence[str]) -> int:
    parser = command_parser()
    options = parser.parse_args(arguments)
    if options.command == "harvester-log" and not (options.check or options.files):
        parser.error("harvester-log --check needs a FILE")
    try:
        if options.command == "completion":
            return _completion()
        if options.command == "harvester-log":
            return _check_log([*options.check, *options.files], as_json=options.json)
        if options.command in ("status", "disks"):
            return _show(options)
        return _run(load(options.settings, _USED.get(options.command, TABLES)), options)
    except BrokenPipeError:
        raise
    except SettingsError as error:
        print_error(str(error))
        return SETTINGS
    except PermissionError as error:
        cure = f"run: {shlex.join(['sudo', 'goplot', *arguments])}"
        print_error(f"goplot: {_what(error)}; {cure}")
        return FAILED
    except OSError as error:
        print_error(f"goplot: {_what(error)}")
        return FAILED
    except (ValueError, UnitError, AccountError) as error:
        print_error(f"goplot: {error}")
        return FAILED


def _what(error: OSError) -> str:
    """What happened to which file, without the number of the error."""
    where = error.filename
    return f"{where}: {error.strerror}" if where and error.strerror else str(error)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    command: str = options.command
    if command == "set":
        return _set(settings, options.name, options.value)
    if command == "plot":
        return _plot(settings, dry_run=options.dry_run, as_json=options.json)
    if command == "diskhand":
        return _diskhand(settings)
    if command == "collect":
        return _collect(settings, as_json=options.json)
    if command == "farm":
        return _farm(settings, options.log, as_json=options.json)
    if command == "keys":
        return _keys(settings, add=options.action == "add", as_json=options.json)
    if command == "chia":
        replace_by_chia(settings.chia, options.arguments)
    return _control(settings, command, options.index)


def _set(settings: Settings, name: str, value: str) -> int:
    act_as_goplot(settings.roots.state, settings.roots.config)
    set_tunable(settings.roots.config, name, value)
    if name == "on_toggle" and value.strip() != RUN:
        print(f"on_toggle is {value.strip()}: no new plot starts; only {RUN} starts plots")
    return OK


def _show(options: argparse.Namespace) -> int:
    """Show the status, or the disks: as much of it as the settings allow."""
    whole = options.command == "status"
    try:
        settings = load(options.settings, _USED[options.command])
    except SettingsError as error:
        if whole:
            _show_units(str(error).splitlines(), as_json=options.json)
        raise
    status = _status(settings)
    if options.json:
        print_text(json_text(status_document(status) if whole else disks_document(status)))
    else:
        print_text(status_text(status) if whole else disks_text(status))
    if settings.mistakes:
        return SETTINGS
    return PROBLEMS if problems(status) else OK


def _show_units(mistakes: Sequence[str], *, as_json: bool) -> None:
    """Show what runs where the settings can't be used."""
    try:
        running = SystemdUnits().running()
    except UnitError as error:
        print_error(f"goplot: {error}")
        return
    if as_json:
        print(json.dumps(units_document(mistakes, running), indent=2))
    else:
        print(units_text(running))


def _status(settings: Settings) -> Status:
    from goplot.diskhand.leftovers import kept_plots
    from goplot.host.annotations import waiting
    from goplot.host.diskstate import read_own

    tunables = _tunables(settings)
    snapshot = look(settings)
    paused: list[int] = []
    if snapshot.observation.jobs:
        try:
            running = units_of(settings).running()
            paused = [index for index, frozen in running.items() if frozen]
        except UnitError as error:
            print_error(f"goplot: {error}")
    report = read_report(settings.roots.state, tunables.plot_poll)
    seen = seen_by_caller(snapshot.observation, settings.roots.state)
    decision = decide(snapshot, tunables)
    if seen != snapshot.observation and report is not None:
        # The pacer sees everything.
        decision = Decision(Reason(report.reason), report.detail)
    return Status(
        turn=Turn(replace(snapshot, observation=seen), decision),
        tunables=tunables,
        pacer_up=report is not None,
        reasons={name: own.reason for name, own in read_own(settings.roots.state).items()},
        paused=frozenset(paused),
        annotations=waiting(settings.roots.state),
        kept=tuple(chain.from_iterable(kept_plots(seen).values())),
        mistakes=tuple(f"{settings.path}: {mistake}" for mistake in settings.mistakes),
        no_tunables=None if _plots_here(settings, seen) else settings.roots.config,
    )


def _plots_here(settings: Settings, farm: Observation) -> bool:
    """False on a host that has no tunables, and on which no pacer has ever run."""
    paths = (tunable_path(settings.roots.config, name) for name in NAMES)
    return (
        farm.running > 0
        or has_reported(settings.roots.state)
        or any(path.exists() for path in paths)
    )


def _plot(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    tunables = _tunables(settings)
    if dry_run:
        snapshot = look(settings)
        turn = Turn(snapshot, decide_by_hand(snapshot, tunables))
    else:
        act_as_goplot(settings.roots.state, settings.roots.state)
        turn = start_plot(settings, tunables, units_of(settings), by_hand=True)
    index = None if turn.job is None else turn.job.index
    starts = turn.decision.placement is not None
    if as_json:
        print_text(json_text({"index": index, "starts": starts, **next_document(turn)}))
    else:
        print_text(_plot_text(turn, index))
    return OK if starts else NOT_STARTED


def _plot_text(turn: Turn, index: int | None) -> str:
    if turn.decision.placement is None:
        return f"no plot starts; {next_text(turn)}"
    if index is None:
        return f"a plot would start: {turn.decision.detail}"
    return f"plot {index} starts: {turn.decision.detail}"


def _control(settings: Settings, command: str, index: int) -> int:
    from goplot.farm.jobs import Stage
    from goplot.host.jobstore import read_job, stop_path
    from goplot.tractor.delivery import is_in_sight

    job = read_job(settings.roots.jobs, index)
    if job is None:
        print(f"goplot: no such plot: {index}; goplot status lists the plots")
        return FAILED
    act_as_goplot(settings.roots.state, settings.roots.state)
    units = units_of(settings)
    if command == "pause":
        units.freeze(index)
    elif command == "resume":
        units.thaw(index)
    elif job.stage in (Stage.DELIVERING, Stage.STRANDED) and is_in_sight(job):
        print(f"goplot: plot {index} is finished and only has to be delivered; not stopped")
        return FAILED
    else:
        stop_path(settings.roots.jobs, index).touch()
        units.stop(index)
    return OK


def _diskhand(settings: Settings) -> int:
    from goplot.diskhand.service import check

    become("goplot-diskhand", settings.roots.state)
    print_text("\n".join(check(settings)))
    return OK


def _collect(settings: Settings, *, as_json: bool) -> int:
    from goplot.people.collect import collect, collect_document, collect_text

    found = collect(settings)
    print_text(json_text(collect_document(found)) if as_json else collect_text(found))
    return FAILED if any(one.fault for one in found) else OK


def _farm(settings: Settings, lines: int, *, as_json: bool) -> int:
    from goplot.people import farm
    from goplot.people.farm_log import last_lines
    from goplot.people.farm_samples import read_farm

    found = read_farm(settings)
    last, trouble = [], ""
    try:
        last = last_lines(settings.chia, lines) if lines else []
    except OSError as error:
        trouble = f"goplot: the Chia log can't be read: {error}; sudo may help"
    if as_json:
        more = {"log_lines": last} if lines else {}
        print_text(json_text({**farm.farm_document(found), **more}))
    else:
        print_text("\n".join([farm.farm_text(found), *([""] if last else []), *last]))
    if trouble:
        print_error(trouble)
        return FAILED
    return PROBLEMS if farm.problems(found) else OK


def _keys(settings: Settings, *, add: bool, as_json: bool) -> int:
    from goplot.people.keys import add_key, keys_document, keys_text, read_keys

    if add:
        print_text(add_key(settings))
        return OK
    found = read_keys(settings)
    print_text(json_text(keys_document(found)) if as_json else keys_text(found))
    return OK if found.usable and found.loaded is not False else PROBLEMS


def _check_log(paths: Sequence[Path], *, as_json: bool) -> int:
    from goplot.harvester_log.check import check
    from goplot.people.log_check import check_document, check_text

    found = check(paths)
    print_text(json_text(check_document(found)) if as_json else check_text(found))
    return OK if found.understood else FAILED


def _completion() -> int:
    from goplot.people.completion import bash_completion

    print(bash_completion(command_parser()), end="")
    return OK


def _tunables(settings: Settings) -> Tunables:
    return read_tunables(settings.roots.config, read_last_good(settings.roots.state))


if __name__ == "__main__":
    sys.exit(main())
