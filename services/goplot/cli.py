"""goplot: what people type."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from goplot import __version__
from goplot.host.settings import DEFAULT_PATH, Settings, SettingsError, load
from goplot.host.tunables import NAMES, Tunables, read_last_good, read_tunables

OK = 0
FAILED = 1
USAGE = 2
PROBLEMS = 3
_SETTINGS = 78


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 when all is well, 1 when it could not be done, 2 for a wrong call, 3 when status
    shows problems, 78 when the settings can't be used.
    """
    options = _parser().parse_args(arguments)
    try:
        settings = load(options.settings)
        command: str = options.command
        if command == "set":
            return _set(settings, options.name, options.value)
        return _status(settings, as_json=options.json)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return _SETTINGS
    except (OSError, ValueError) as error:
        print(f"goplot: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="goplot", description="A manager for Chia farms.")
    parser.add_argument("--version", action="version", version=f"goplot {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", type=Path, default=DEFAULT_PATH, metavar="FILE")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    status = commands.add_parser("status", parents=[common], help="show what plots and what waits")
    status.add_argument("--json", action="store_true", help="for programs")
    change = commands.add_parser("set", parents=[common], help="change a tunable")
    change.add_argument("name", choices=NAMES)
    change.add_argument("value")
    return parser


def _status(settings: Settings, *, as_json: bool) -> int:
    from goplot.people.status import problems, status_document, status_text
    from goplot.tractor.reserve import look

    tunables = _tunables(settings)
    view = look(settings, tunables)
    pacer_up = _pacer_up(settings, tunables)
    if as_json:
        print(json.dumps(status_document(view, tunables, pacer_up), indent=2))
    else:
        print(status_text(view, tunables, pacer_up))
    return PROBLEMS if problems(view, tunables, pacer_up) else OK


def _set(settings: Settings, name: str, value: str) -> int:
    from goplot.host.tunables import set_tunable

    _become_owner(settings.roots.config)
    set_tunable(settings.roots.config, name, value)
    return OK


def _tunables(settings: Settings) -> Tunables:
    return read_tunables(settings.roots.config, read_last_good(settings.roots.state))


def _pacer_up(settings: Settings, tunables: Tunables) -> bool:
    """True when the pacer has looked within its last three polls."""
    try:
        age = time.time() - (settings.roots.state / "pacer.json").stat().st_mtime
    except OSError:
        return False
    return age < 3 * tunables["plot_poll"] + 30


def _become_owner(folder: Path) -> None:
    """As root, become a folder's owner, so that goplot's services may change what is written."""
    owner = folder.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.setgroups([])
        os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
        os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)


if __name__ == "__main__":
    sys.exit(main())
