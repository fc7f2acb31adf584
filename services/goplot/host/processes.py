"""Processes of this host: plotters that were started by hand, and the states of a program."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goplot.plotters.base import ForeignPlot
from goplot.plotters.registry import PLOTTERS

if TYPE_CHECKING:
    from psutil import Process

_HINTS = ("chia", "bladebit")


@dataclass(frozen=True, slots=True)
class _Plotting:
    """A process that makes a plot, with its temp bytes."""

    process: "Process"
    plot: ForeignPlot
    temp_bytes: int


def foreign_plots(proc: Path, roots: tuple[Path, ...]) -> list[tuple[ForeignPlot, int]]:
    """Plots that run in a /proc and are not goplot's jobs, each with its temp bytes.

    A job of goplot is known by the folder that it plots in, `goplot-<index>` under one of the
    temp `roots`. A plotter that another one has started, as Chia's packaged program does with
    itself, is the same plot.
    """
    with _proc_at(proc):
        found = {one.process.pid: one for one in map(_plotting, _processes(proc)) if one}
        return [
            (one.plot, one.temp_bytes)
            for one in found.values()
            if not any(_is_ours(path, roots) for path in one.plot.temp_paths)
            and found.keys().isdisjoint(_ancestors(one.process))
        ]


def _plotting(process: "Process") -> _Plotting | None:
    import psutil

    try:
        arguments = process.cmdline()
        if not any(hint in word for word in arguments for hint in _HINTS):
            return None
        try:
            folder = process.cwd()
        except psutil.AccessDenied:
            # Another user's: its relative folders stay unknown.
            folder = ""
    except psutil.Error:
        return None
    for plotter in PLOTTERS.values():
        plot = plotter.foreign(arguments, Path(folder) if folder else None)
        if plot is not None:
            return _Plotting(process, plot, plotter.temp_bytes(plot.format, plot.options))
    return None


def _ancestors(process: "Process") -> Iterator[int]:
    """Process ids of parent, grandparent and so on."""
    import psutil

    with contextlib.suppress(psutil.Error):
        while (parent := process.ppid()) > 1:
            yield parent
            process = psutil.Process(parent)


def _processes(proc: Path) -> Iterator["Process"]:
    """Every process of a /proc; psutil.pids() can't take one without any process."""
    import psutil

    for entry in proc.iterdir():
        if entry.name.isdigit():
            # It may have ended meanwhile, or a /proc with hidepid does not show it.
            with contextlib.suppress(psutil.Error):
                yield psutil.Process(int(entry.name))


def states_of(name: str, proc: Path) -> list[str]:
    """The state of every process of a name, as one of psutil's STATUS_ constants."""
    import psutil

    found: list[str] = []
    with _proc_at(proc):
        for process in _processes(proc):
            with contextlib.suppress(psutil.Error):
                if process.name() == name:
                    found.append(process.status())
    return found


def works_in(folder: Path) -> bool:
    """True when a process of this host runs in a folder, as those of a plotter do at first."""
    import psutil

    for process in psutil.process_iter():
        # It has ended, or is another user's.
        with contextlib.suppress(psutil.Error):
            at = Path(process.cwd())
            if at == folder or folder in at.parents:
                return True
    return False


@contextlib.contextmanager
def _proc_at(proc: Path) -> Iterator[None]:
    """Let psutil read another /proc, then the usual one again: it has no other interface."""
    import psutil

    before = psutil.PROCFS_PATH
    psutil.PROCFS_PATH = str(proc)
    try:
        yield
    finally:
        psutil.PROCFS_PATH = before


def _is_ours(path: Path, roots: tuple[Path, ...]) -> bool:
    return path.name.startswith("goplot-") and any(root in path.parents for root in roots)
