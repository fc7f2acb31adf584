"""Plotters that somebody started by hand, found in /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

from goplot.plotters.base import ForeignPlot
from goplot.plotters.registry import PLOTTERS

_HINTS = (b"chia", b"bladebit")


def foreign_plots(proc: Path, roots: tuple[Path, ...]) -> list[tuple[ForeignPlot, int]]:
    """Plots that run in a /proc and are none of goplot's jobs, each with its temp bytes.

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
