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
        description="Paces, places and monitors the plots of a Chia farm.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    settings: dict[str, Any] = {"metavar": "FILE", "help": f"default: {DEFAULT_PATH}"}
    parser.add_argument("--version", action="version", version=f"goplot {__version__}")
    parser.add_argument("--settings", type=Path, default=DEFAULT_PATH, **settings)
    common = argparse.ArgumentParser(add_help=False)
    # Without a default of its own: it would replace what stands before the command.
    common.add_argument("--settings", type=Path, default=argparse.SUPPRESS, **settings)
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON, for programs")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = [common, as_json]

    def add(name: str, text: str, **more: Any) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", **more
        )

    add("status", "show running plots, why the next one waits, and problems", parents=shared)
    add("disks", "show the disks: state, used and free space", parents=shared)
    plot = add("plot", "start a plot now, regardless of plot_gap and load", parents=shared)
    plot.add_argument("--dry-run", action="store_true", help="only show where the plot would go")
    for name, text in (
        ("stop", "stop a running plot and remove its temporary files"),
        ("pause", "pause a running plot"),
        ("resume", "resume a paused plot"),
    ):
        job = add(name, text, parents=[common])
        job.add_argument("index", type=int, help="index of the plot, as goplot status shows it")
    change = add(
        "set",
        "change a tunable",
        parents=[common],
        epilog=_tunables_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    change.add_argument("name", choices=NAMES, metavar="NAME", help="one of those below")
    change.add_argument("value", metavar="VALUE", help="the new value, used from the next poll")
    add("diskhand", "check every disk now", parents=[common])
    add("collect", "run the collectors of this host now", parents=shared)
    farm = add("farm", "show the state of the farm, its harvesters and its wins", parents=shared)
    farm.add_argument(
        "--log",
        type=_line_count,
        nargs="?",
        const=10,
        default=0,
        metavar="LINES",
        help="also show the last lines of the Chia log (default: 10)",
    )
    keys = add("keys", "show the farmer's keys, or add one", parents=shared)
    keys.add_argument(
        "action", nargs="?", choices=("add",), help="read a mnemonic from the terminal, unseen"
    )
    # Every option is Chia's.
    chia = add("chia", "run Chia's command as Chia's user", add_help=False, prefix_chars="\0")
    chia.add_argument("arguments", nargs=argparse.REMAINDER)
    log = add(
        "harvester-log",
        "check whether goplot understands a Chia log",
        parents=[as_json],
        usage="goplot harvester-log [-h] [--json] --check FILE [FILE ...]",
    )
    # The files may stand apart from --check: options come in any order.
    files: dict[str, Any] = {"type": Path, "nargs": "*", "metavar": "FILE"}
    check = "check these files, write no metrics"
    log.add_argument("--check", action="extend", required=True, help=check, **files)
    log.add_argument("files", help="further files", **files)
    add("completion", "print the completion script for bash")
    return parser


def _line_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines from 1 to 10000")
    return int(text)


def _tunables_help() -> str:
    rows = [("on_toggle", "text", "run: start plots; anything else: start no new ones")]
    rows += [
        (name, f"{tunable.low:.0f} to {tunable.high:.0f}", tunable.help)
        for name, tunable in NUMBERS.items()
    ]
    lines = [f"  {name:<16} {values:<16} {text}" for name, values, text in rows]
    return "\n".join(["tunables:", *lines])
