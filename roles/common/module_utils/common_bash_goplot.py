"""A bash goplot in /etc/chia/goplot, goplot's predecessor: what of it is at work on a host."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common_ending import CronLine, cron_lines

CHOICE = "goplot_existing"
#: Its folder, which is goplot's too.
FOLDER = Path("/etc/chia/goplot")
# A plot job: it ends by itself, with its plot.
_JOB = "tractor.sh"
_LOOPS = ("goplot.sh", "diskhand.sh", "harvesterlog.sh")
_COLLECTORS = ("goplot_collector.sh", "getfarm_collector.sh", "getharvester_collector.sh")
_CRON = re.compile(rf"/(?:{'|'.join(map(re.escape, (*_LOOPS, *_COLLECTORS, _JOB)))})(?![\w.])")
_SHELLS = ("bash", "sh", "dash")


@dataclass(frozen=True)
class Script:
    """A running script."""

    pid: int
    name: str


@dataclass(frozen=True)
class BashGoplot:
    """What is at work. `jobs` are plot jobs, which nobody ends."""

    loops: tuple[Script, ...] = ()
    jobs: tuple[Script, ...] = ()
    cron: tuple[CronLine, ...] = ()


def look(host: Path = Path("/")) -> BashGoplot:
    """Looks at the host whose root directory is `host`."""
    scripts = list(_scripts(host))
    return BashGoplot(
        loops=tuple(one for one in scripts if one.name != _JOB),
        jobs=tuple(one for one in scripts if one.name == _JOB),
        cron=tuple(cron_lines(host, _CRON)),
    )


def is_there(found: BashGoplot, folder: Path = FOLDER) -> bool:
    """Whether there is anything of it: at work, or its logs, which goplot keeps elsewhere."""
    logs = folder / "logs"
    return bool(
        found.loops or found.jobs or found.cron or (logs.is_dir() and not logs.is_symlink())
    )


def refused(found: BashGoplot, choice: str) -> list[str]:
    """Why goplot can't be installed beside it, a sentence each."""
    if choice != "refuse" or not (found.loops or found.cron):
        return []
    return [
        f"{CHOICE} is not set, and this host has a bash goplot at work: {_named(found)}. Set it to "
        "adopt (goplot ends these loops and lines of crontabs; its settings, index, disk files and "
        "logs are kept, running plots finish), or end them yourself."
    ]


def takes(found: BashGoplot, choice: str) -> list[str]:
    """What goplot ends, as a sentence; nothing if there is nothing."""
    if choice != "adopt" or not (found.loops or found.cron):
        return []
    return [f"goplot ends the bash goplot: {_named(found)}."]


def _named(found: BashGoplot) -> str:
    parts = [
        *(f"{one.name} (process {one.pid})" for one in found.loops),
        *(f"'{one.line.strip()}' in the crontab of {one.user or one.file}" for one in found.cron),
        *(f"{one.name} (process {one.pid}), which finishes its plot" for one in found.jobs),
    ]
    return ", ".join(parts)


def _scripts(host: Path) -> Iterator[Script]:
    commands = dict(_commands(host))
    # goplot.sh runs tractor.sh within a copy of itself, which waits for the plot.
    waiting = {parent for parent, words in commands.values() if {"plots", "create"} <= set(words)}
    for pid, (_, words) in sorted(commands.items()):
        names = [word.rsplit("/", 1)[-1] for word in words[:2]]
        name = names[1] if names[0] in _SHELLS and len(names) > 1 else names[0]
        if name in (*_LOOPS, _JOB):
            yield Script(pid, _JOB if pid in waiting else name)


def _commands(host: Path) -> Iterator[tuple[int, tuple[int, list[str]]]]:
    """The parent and the command line of each process that is in no container, by its id."""
    here = (host / "proc/self/ns/pid").readlink()
    for folder in (host / "proc").glob("[0-9]*"):
        # A process may end meanwhile.
        with contextlib.suppress(OSError, IndexError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            stat = (folder / "stat").read_bytes().decode(errors="replace")
            if (folder / "ns/pid").readlink() == here:
                yield int(folder.name), (int(stat.rpartition(")")[2].split()[1]), words)
