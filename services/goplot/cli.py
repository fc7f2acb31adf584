"""goplot: the command line interface."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from goplot import __version__
from goplot.farm.names import shown
from goplot.host.account import AccountError, become
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
from goplot.pacer.start import Snapshot, look, start_plot
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
        print(shown(str(error)), file=sys.stderr)
        return SETTINGS
    except (OSError, ValueError, UnitError, AccountError) as error:
        print(shown(f"goplot: {error}"), file=sys.stderr)
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
    commands.add_parser("diskhand", parents=[common], help="check every disk now")
    commands.add_parser("collect", parents=shown, help="write the metrics of this host now")
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
        become("goplot", settings.roots.state)
        set_tunable(settings.roots.config, options.name, options.value)
        return OK
    if command == "plot":
        return _plot(settings, dry_run=options.dry_run, as_json=options.json)
    if command == "diskhand":
        return _diskhand(settings)
    if command == "collect":
        return _collect(settings, as_json=options.json)
    if command == "farm":
        return _farm(settings, as_json=options.json)
    if command in ("stop", "pause", "resume"):
        return _control(settings, command, options.index)
    status = _status(settings)
    if options.json:
        document = status_document(status) if command == "status" else disks_document(status)
        _print(_json(document))
    else:
        _print(status_text(status) if command == "status" else disks_text(status))
    return PROBLEMS if problems(status) else OK


def _status(settings: Settings) -> Status:
    from goplot.diskhand.leftovers import kept_plots
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
            print(shown(f"goplot: {error}"), file=sys.stderr)
    return Status(
        view=view,
        tunables=tunables,
        pacer_up=read_report(settings.roots.state, tunables.plot_poll) is not None,
        reasons={name: own.reason for name, own in read_own(settings.roots.state).items()},
        paused=frozenset(paused),
        annotations=waiting(settings.roots.state),
        kept=tuple(kept_plots(view.observation)),
    )


def _plot(settings: Settings, *, dry_run: bool, as_json: bool) -> int:
    tunables = _tunables(settings)
    index = None
    if dry_run:
        view = look(settings, tunables, by_hand=True)
    else:
        become("goplot", settings.roots.state)
        view, job = start_plot(settings, tunables, units_of(settings), by_hand=True)
        index = None if job is None else job.index
    starts = view.decision.placement is not None
    if as_json:
        _print(_json({"index": index, "starts": starts, **next_document(view)}))
    else:
        _print(_plot_text(view, index))
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
    become("goplot", settings.roots.state)
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
    _print("\n".join(check(settings)))
    return OK


def _collect(settings: Settings, *, as_json: bool) -> int:
    from goplot.people.collect import collect, collect_document, collect_text

    found = collect(settings)
    _print(_json(collect_document(found)) if as_json else collect_text(found))
    return FAILED if any(one.fault for one in found) else OK


def _farm(settings: Settings, *, as_json: bool) -> int:
    from goplot.people import farm

    found = farm.read_farm(settings)
    _print(_json(farm.farm_document(found)) if as_json else farm.farm_text(found))
    return PROBLEMS if farm.problems(found) else OK


def _check_log(paths: Sequence[Path], *, as_json: bool) -> int:
    from goplot.harvester_log.check import check
    from goplot.people.log_check import check_document, check_text

    found = check(paths)
    _print(_json(check_document(found)) if as_json else check_text(found))
    return OK if found.understood else FAILED


def _print(text: str) -> None:
    """Write to standard output, which may know fewer characters than the names of a farm have."""
    encoding = sys.stdout.encoding or "utf-8"
    print(shown(text).encode(encoding, "backslashreplace").decode(encoding))


def _json(document: object) -> str:
    """A document for programs: whatever it is made of, names in it are valid Unicode."""
    return json.dumps(_with_shown_names(document), indent=2)


def _with_shown_names(value: object) -> object:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): _with_shown_names(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_with_shown_names(entry) for entry in value]
    return value


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
