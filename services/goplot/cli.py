"""goplot: the command line interface."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from goplot import __version__
from goplot.host.program import FAILED, OK, SETTINGS
from goplot.host.report import read_report
from goplot.host.settings import DEFAULT_PATH, Settings, SettingsError, load
from goplot.host.tunables import (
    NAMES,
    NUMBERS,
    Tunables,
    read_last_good,
    read_tunables,
    set_tunable,
)
from goplot.host.units import UnitError, units_of
from goplot.pacer.decision import decide, decide_by_hand
from goplot.pacer.start import Turn, look, start_plot
from goplot.people.status import (
    Status,
    disks_document,
    disks_text,
    next_document,
    next_text,
    problems,
    status_document,
    status_text,
)

PROBLEMS = 3
NOT_STARTED = 4

_EPILOG = """exit codes: 0 success, 1 failure, 2 usage error,
3 status, disks or farm show a problem, 4 no plot starts now, 78 the settings can't be used"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code that the help text names."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "completion":
            return _completion()
        if options.command == "harvester-log":
            return _check_log(options.check, as_json=options.json)
        return _run(load(options.settings), options)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return SETTINGS
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
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", type=Path, default=DEFAULT_PATH, metavar="FILE")
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
        "harvester-log", parents=[as_json], help="show what goplot understands in a Chia log"
    )
    log.add_argument("--check", type=Path, nargs="+", required=True, metavar="FILE")
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
        _become_owner(settings.roots.config)
        set_tunable(settings.roots.config, options.name, options.value)
        return OK
    if command == "plot":
        return _plot(settings, dry_run=options.dry_run, as_json=options.json)
    if command == "farm":
        return _farm(settings, as_json=options.json)
    if command in ("stop", "pause", "resume"):
        return _control(settings, command, options.index)
    status = _status(settings)
    if options.json:
        document = status_document(status) if command == "status" else disks_document(status)
        print(json.dumps(document, indent=2))
    else:
        print(status_text(status) if command == "status" else disks_text(status))
    return PROBLEMS if problems(status) else OK


def _status(settings: Settings) -> Status:
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
            print(f"goplot: {error}", file=sys.stderr)
    return Status(
        turn=Turn(snapshot, decide(snapshot, tunables)),
        tunables=tunables,
        pacer_up=read_report(settings.roots.state, tunables.plot_poll) is not None,
        reasons={name: own.reason for name, own in read_own(settings.roots.state).items()},
        paused=frozenset(paused),
        annotations=waiting(settings.roots.state),
    )


def _plot(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    tunables = _tunables(settings)
    if dry_run:
        snapshot = look(settings)
        turn = Turn(snapshot, decide_by_hand(snapshot, tunables))
    else:
        _become_owner(settings.roots.state)
        turn = start_plot(settings, tunables, units_of(settings), by_hand=True)
    index = None if turn.job is None else turn.job.index
    starts = turn.decision.placement is not None
    if as_json:
        print(json.dumps({"index": index, "starts": starts, **next_document(turn)}, indent=2))
    else:
        print(_plot_text(turn, index))
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
    _become_owner(settings.roots.state)
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


def _become_owner(folder: Path) -> None:
    """As root, become a folder's owner, so that goplot's services may change the files."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)


if __name__ == "__main__":
    sys.exit(main())
