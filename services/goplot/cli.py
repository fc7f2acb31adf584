"""goplot: the command line interface."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from goplot import __version__
from goplot.host.program import FAILED, OK, SETTINGS
from goplot.host.report import has_reported, read_report
from goplot.host.settings import DEFAULT_PATH, TABLES, Settings, SettingsError, load
from goplot.host.tunables import (
    NAMES,
    NUMBERS,
    RUN,
    Tunables,
    read_last_good,
    read_tunables,
    set_tunable,
    tunable_path,
)
from goplot.host.units import SystemdUnits, UnitError, units_of
from goplot.pacer.decision import Decision, Reason
from goplot.pacer.start import Snapshot, look, start_plot
from goplot.people.caller import become_owner, seen_by_caller
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
}

_EPILOG = """exit codes: 0 success, 1 failure, 2 usage error,
3 status, disks or farm show a problem, 4 no plot starts now, 78 the settings can't be used"""


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
    parser = _parser()
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
        print(error, file=sys.stderr)
        return SETTINGS
    except PermissionError as error:
        cure = f"run: {shlex.join(['sudo', 'goplot', *arguments])}"
        print(f"goplot: {error.filename}: {error.strerror}; {cure}", file=sys.stderr)
        return FAILED
    except (OSError, ValueError, UnitError) as error:
        print(f"goplot: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="goplot",
        description="A manager for Chia farms.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"goplot {__version__}")
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH, metavar="FILE")
    common = argparse.ArgumentParser(add_help=False)
    # Without a default of its own: it would replace what stands before the command.
    common.add_argument("--settings", type=Path, default=argparse.SUPPRESS, metavar="FILE")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="for programs")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = [common, as_json]
    commands.add_parser("status", parents=shown, help="show running plots and waiting ones")
    commands.add_parser("disks", parents=shown, help="show the disks and their free space")
    plot = commands.add_parser(
        "plot", parents=shown, help="start a plot now, without waiting for plot_gap or load"
    )
    plot.add_argument("--dry-run", action="store_true", help="only show where it would go")
    for name, text in (
        ("stop", "abort a running plot and remove its temporary files"),
        ("pause", "freeze a plot where it is"),
        ("resume", "resume a paused plot"),
    ):
        job = commands.add_parser(name, parents=[common], help=text)
        job.add_argument("index", type=int, help="the plot's index")
    change = commands.add_parser(
        "set",
        parents=[common],
        help="change a tunable",
        epilog=_tunables_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    change.add_argument("name", choices=NAMES)
    change.add_argument("value")
    commands.add_parser("farm", parents=shown, help="show whether the farm farms, and its wins")
    log = commands.add_parser(
        "harvester-log",
        parents=[as_json],
        help="show what goplot understands in a Chia log",
        usage="goplot harvester-log [-h] [--json] --check FILE [FILE ...]",
    )
    # The files may stand apart from --check: options come in any order.
    log.add_argument(
        "--check",
        type=Path,
        nargs="*",
        action="extend",
        required=True,
        metavar="FILE",
        help="read whole files, and write no metrics",
    )
    log.add_argument("files", type=Path, nargs="*", metavar="FILE", help="further files")
    commands.add_parser("completion", help="print the completion script for bash")
    return parser


def _tunables_help() -> str:
    rows = [("on_toggle", "text", "run: new plots start; anything else: none starts")]
    rows += [
        (name, f"{tunable.low:.0f} to {tunable.high:.0f}", tunable.help)
        for name, tunable in NUMBERS.items()
    ]
    lines = [f"  {name:<16} {values:<16} {text}" for name, values, text in rows]
    return "\n".join(["tunables:", *lines])


def _run(settings: Settings, options: argparse.Namespace) -> int:
    command: str = options.command
    if command == "set":
        return _set(settings, options.name, options.value)
    if command == "plot":
        return _plot(settings, dry_run=options.dry_run, as_json=options.json)
    if command == "farm":
        return _farm(settings, as_json=options.json)
    return _control(settings, command, options.index)


def _set(settings: Settings, name: str, value: str) -> int:
    become_owner(settings.roots.config)
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
        document = status_document(status) if whole else disks_document(status)
        print(json.dumps(document, indent=2))
    else:
        print(status_text(status) if whole else disks_text(status))
    if settings.mistakes:
        return SETTINGS
    return PROBLEMS if problems(status) else OK


def _show_units(mistakes: Sequence[str], *, as_json: bool) -> None:
    """Show what runs where the settings can't be used."""
    try:
        running = SystemdUnits().running()
    except UnitError as error:
        print(f"goplot: {error}", file=sys.stderr)
        return
    if as_json:
        print(json.dumps(units_document(mistakes, running), indent=2))
    else:
        print(units_text(running))


def _status(settings: Settings) -> Status:
    from goplot.host.annotations import waiting
    from goplot.host.diskstate import read_own

    tunables = _tunables(settings)
    view = look(settings, tunables)
    paused: list[int] = []
    if view.observation.jobs:
        try:
            running = units_of(settings).running()
            paused = [index for index, frozen in running.items() if frozen]
        except UnitError as error:
            print(f"goplot: {error}", file=sys.stderr)
    report = read_report(settings.roots.state, tunables.plot_poll)
    seen = seen_by_caller(view.observation, settings.roots.state)
    if seen != view.observation:
        view = replace(view, observation=seen)
        if report is not None:
            # The pacer sees everything.
            view = replace(view, decision=Decision(Reason(report.reason), report.detail))
    return Status(
        view=view,
        tunables=tunables,
        pacer_up=report is not None,
        reasons={name: own.reason for name, own in read_own(settings.roots.state).items()},
        paused=frozenset(paused),
        annotations=waiting(settings.roots.state),
        mistakes=tuple(f"{settings.path}: {mistake}" for mistake in settings.mistakes),
        no_tunables=None if _plots_here(settings, view) else settings.roots.config,
    )


def _plots_here(settings: Settings, view: Snapshot) -> bool:
    """False on a host that has no tunables, and on which no pacer has ever run."""
    paths = (tunable_path(settings.roots.config, name) for name in NAMES)
    return (
        view.observation.running > 0
        or has_reported(settings.roots.state)
        or any(path.exists() for path in paths)
    )


def _plot(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    tunables = _tunables(settings)
    index = None
    if dry_run:
        view = look(settings, tunables, by_hand=True)
    else:
        become_owner(settings.roots.state)
        view, job = start_plot(settings, tunables, units_of(settings), by_hand=True)
        index = None if job is None else job.index
    starts = view.decision.placement is not None
    if as_json:
        print(json.dumps({"index": index, "starts": starts, **next_document(view)}, indent=2))
    else:
        print(_plot_text(view, index))
    return OK if starts else NOT_STARTED


def _plot_text(view: Snapshot, index: int | None) -> str:
    if view.decision.placement is None:
        return f"no plot starts; {next_text(view)}"
    if index is None:
        return f"a plot would start: {view.decision.detail}"
    return f"plot {index} starts: {view.decision.detail}"


def _control(settings: Settings, command: str, index: int) -> int:
    from goplot.farm.jobs import Stage
    from goplot.host.jobstore import read_job, stop_path
    from goplot.tractor.delivery import is_in_sight

    job = read_job(settings.roots.jobs, index)
    if job is None:
        print(f"goplot: no such plot: {index}; goplot status lists the plots")
        return FAILED
    become_owner(settings.roots.state)
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


def _farm(settings: Settings, *, as_json: bool) -> int:
    from goplot.people import farm

    found = farm.read_farm(settings)
    print(json.dumps(farm.farm_document(found), indent=2) if as_json else farm.farm_text(found))
    return PROBLEMS if farm.problems(found) else OK


def _check_log(paths: Sequence[Path], *, as_json: bool) -> int:
    from goplot.harvester_log.check import check
    from goplot.people.log_check import check_document, check_text

    found = check(paths)
    print(json.dumps(check_document(found), indent=2) if as_json else check_text(found))
    return OK if found.understood else FAILED


def _completion() -> int:
    from goplot.people.completion import bash_completion

    print(bash_completion(_commands(_parser())), end="")
    return OK


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser of every command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("unreachable: the parser has commands")


def _tunables(settings: Settings) -> Tunables:
    return read_tunables(settings.roots.config, read_last_good(settings.roots.state))


if __name__ == "__main__":
    sys.exit(main())
