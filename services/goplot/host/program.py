"""How every goplot program begins and ends: its arguments, its settings, its exit code."""

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from goplot.host.account import AccountError, become
from goplot.host.log import start_logging
from goplot.host.settings import DEFAULT_PATH, TABLES, Settings, SettingsError, load

if TYPE_CHECKING:
    from argparse import ArgumentParser

_logger = logging.getLogger(__name__)
OK = 0
FAILED = 1
#: EX_CONFIG of sysexits.h; the units don't restart a program that ends with it.
SETTINGS = 78


def parser(program: str, description: str | None) -> "ArgumentParser":
    """The parser of a program's arguments, with --settings in it."""
    import argparse

    made = argparse.ArgumentParser(prog=program, description=description)
    made.add_argument("--settings", type=Path, default=DEFAULT_PATH, metavar="FILE")
    return made


def run(
    program: str,
    settings_file: Path,
    work: Callable[[Settings], int],
    tables: Collection[str] = TABLES,
) -> int:
    """Do the work of a program with those tables of the settings that it uses.

    A mistake in another table stops other programs, not this one. Root becomes the program's own
    user first. Returns what `work` returns, SETTINGS when the settings can't be used, FAILED after
    an OSError or when there is no such user; each is logged.
    """
    start_logging()
    try:
        settings = load(settings_file, tables)
        become(program, settings.roots.state)
        return work(settings)
    except SettingsError as error:
        _logger.error("%s", error)
        return SETTINGS
    except AccountError as error:
        _logger.error("%s", error)
        return FAILED
    except OSError as error:
        _logger.error("%s: %s", program, error)
        return FAILED
