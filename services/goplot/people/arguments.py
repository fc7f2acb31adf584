"""The command line of goplot: its commands, their arguments and their help."""

import argparse
from pathlib import Path
from typing import Any

from goplot import __version__
from goplot.host.settings import DEFAULT_PATH
from goplot.host.tunables import NAMES, NUMBERS

_EPILOG = """exit codes: 0 success, 1 failure, 2 usage error,
3 status, disks, farm or keys show a problem, 4 no plot starts now, 78 the settings can't be used"""


def command_parser() -> argparse.ArgumentParser:
    """The parser of every command; `command` is the one that was chosen."""
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
    shared = [common, as_json]
    commands.add_parser("status", parents=shared, help="show running plots and waiting ones")
    commands.add_parser("disks", parents=shared, help="show the disks and their free space")
    plot = commands.add_parser(
        "plot", parents=shared, help="start a plot now, without waiting for plot_gap or load"
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
    commands.add_parser("diskhand", parents=[common], help="check every disk now")
    commands.add_parser("collect", parents=shared, help="write the metrics of this host now")
    farm = commands.add_parser(
        "farm", parents=shared, help="show whether the farm farms, and its wins"
    )
    farm.add_argument(
        "--log",
        type=_line_count,
        nargs="?",
        const=10,
        default=0,
        metavar="LINES",
        help="also show the last lines of the Chia log, 10 unless given",
    )
    keys = commands.add_parser(
        "keys",
        parents=shared,
        help="show the farmer's keys, or add your own",
        epilog="add: take the words of a key from the terminal, without echo",
    )
    keys.add_argument("action", nargs="?", choices=("add",))
    # Every option is Chia's.
    chia = commands.add_parser(
        "chia", add_help=False, prefix_chars="\0", help="run Chia's command as Chia's user"
    )
    chia.add_argument("arguments", nargs=argparse.REMAINDER)
    log = commands.add_parser(
        "harvester-log",
        parents=[as_json],
        help="show what goplot understands in a Chia log",
        usage="goplot harvester-log [-h] [--json] --check FILE [FILE ...]",
    )
    # The files may stand apart from --check: options come in any order.
    files: dict[str, Any] = {"type": Path, "nargs": "*", "metavar": "FILE"}
    log.add_argument("--check", action="extend", required=True, help="write no metrics", **files)
    log.add_argument("files", help="further files", **files)
    commands.add_parser("completion", help="print the completion script for bash")
    return parser


def _line_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines from 1 to 10000")
    return int(text)


def _tunables_help() -> str:
    rows = [("on_toggle", "text", "run: new plots start; anything else: none starts")]
    rows += [
        (name, f"{tunable.low:.0f} to {tunable.high:.0f}", tunable.help)
        for name, tunable in NUMBERS.items()
    ]
    lines = [f"  {name:<16} {values:<16} {text}" for name, values, text in rows]
    return "\n".join(["tunables:", *lines])
