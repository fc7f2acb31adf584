"""Processes of this host: plotters that were started by hand, and the states of a program."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from goplot.plotters.base import ForeignPlot
from goplot.plotters.registry import PLOTTERS

_HINTS = (b"chia", b"bladebit")


def foreign_plots(proc: Path, roots: tuple[Path, ...]) -> list[tuple[ForeignPlot, int]]:
    """Plots that run in a /proc and are not goplot's jobs, each with its temp bytes.

    A job of goplot is known by the folder that it plots in, `goplot-<index>` under one of the
    temp `roots`.
    """
    found: list[tuple[ForeignPlot, int]] = []
    for arguments in _command_lines(proc):
        for plotter in PLOTTERS.values():
            plot = plotter.foreign(arguments)
            if plot is not None:
                if not any(_is_ours(path, roots) for path in plot.temp_paths):
                    found.append((plot, plotter.temp_bytes(plot.format, plot.options)))
                break
    return found


def states_of(name: str, proc: Path) -> list[str]:
    """The state of every process of a name, as one of psutil's STATUS_ constants."""
    import psutil

    found: list[str] = []
    with _proc_at(proc):
        # psutil.pids() fails on a custom /proc without any process.
        for entry in proc.iterdir():
            if not entry.name.isdigit():
                continue
            try:
                process = psutil.Process(int(entry.name))
                if process.name() == name:
                    found.append(process.status())
            except psutil.Error:
                # It has ended meanwhile, or a /proc with hidepid does not show it.
                continue
    return found


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


def _command_lines(proc: Path) -> Iterator[list[str]]:
    for entry in os.scandir(proc):
        if not entry.name[0].isdigit():
            continue
        try:
            text = Path(entry.path, "cmdline").read_bytes()
        except OSError:
            continue
        if any(hint in text for hint in _HINTS):
            yield text.decode(errors="replace").rstrip("\0").split("\0")
