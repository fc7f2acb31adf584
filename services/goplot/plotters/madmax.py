"""madmax: `chia_plot`, or `chia_plot_k34` for k above 32.

Log lines and files as in the sources of madMAx43v3r/chia-plotter.
"""

import re
from dataclasses import replace
from pathlib import Path

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters.base import (
    ForeignPlot,
    Plotter,
    Progress,
    Request,
    option,
    option_path,
    program_arguments,
)

# Peak of both temporary folders together, by madmax' own help; other k in proportion.
_TEMP_GIB_K32 = 256

_NAME = re.compile(r"Plot Name: plot-k[0-9]{2}-.*-([0-9a-f]{64})$")
_TABLE = re.compile(r"\[P([1-4])\] .*?[Tt]able ([1-7])")
_PHASE_TIME = re.compile(r"Phase ([1-4]) took ([0-9.]+) sec")
_TROUBLE = re.compile(
    r"failed with:|Invalid |needs to be specified|Failed to write|Cannot open|No space left"
    r"|terminate called|what\(\)"
)
# The share of the whole plot at which each phase begins, by madmax' usual times.
_BEGINS = {"1": 0.0, "2": 0.42, "3": 0.6, "4": 0.95, "5": 1.0}


def command(request: Request) -> list[str]:
    """`chia_plot` for one plot. Raises ValueError for a compressed plot."""
    if request.format.compression:
        raise ValueError("madmax makes no compressed plots; set plot.compression to 0")
    # madmax rejects folders without a trailing slash.
    folder = f"{request.folder}/"
    arguments = [request.program, "-n", "1"]
    # A chia_plot that supports only k32 does not know -k.
    if request.format.k != 32:
        arguments += ["-k", str(request.format.k)]
    arguments += ["-t", folder, "-2", folder, "-d", folder, "-f", request.farmer_public_key]
    if request.pool_contract_address:
        arguments += ["-c", request.pool_contract_address]
    else:
        arguments += ["-p", request.pool_public_key]
    return [*arguments, *request.options]


def read_line(progress: Progress, line: str) -> Progress:
    """Progress after one more line of the log."""
    if match := _TABLE.match(line):
        # Phase 1 goes up the tables, the others down.
        share = int(match[2]) / 7 if match[1] == "1" else 1 - int(match[2]) / 8
        return _at(progress, match[1], share)
    if match := _PHASE_TIME.match(line):
        seconds = {**progress.phase_seconds, match[1]: float(match[2])}
        after = replace(progress, phase_seconds=seconds)
        following = str(int(match[1]) + 1)
        return _at(after, min(following, "4"), 0.0 if following < "5" else 1.0)
    if match := _NAME.match(line):
        return _at(replace(progress, plot_id=match[1]), "1", 0.0)
    if _TROUBLE.search(line):
        return replace(progress, error=line.strip()[:200])
    return progress


def temp_bytes(plot_format: PlotFormat, options: tuple[str, ...] = ()) -> int:
    """The maximum space of one plot in its temp farm, both temporary folders together."""
    del options
    scale = plot_format.expected_bytes / PlotFormat(32).expected_bytes
    return int(_TEMP_GIB_K32 * GIB * scale)


def foreign(arguments: list[str], folder: Path | None = None) -> ForeignPlot | None:
    """`chia_plot` that was started by hand."""
    words = program_arguments(arguments)
    if not words or not words[0].startswith("chia_plot"):
        return None
    k = option(words[1:], "-k", "--size") or "32"
    temp = option_path(words[1:], folder, "-t", "--tmpdir")
    if not k.isdigit() or temp is None:
        return None
    try:
        plot_format = PlotFormat(int(k))
    except ValueError:
        return None
    second = option_path(words[1:], folder, "-2", "--tmpdir2")
    temps = (temp, second) if second is not None else (temp,)
    return ForeignPlot(
        plot_format, temps, option_path(words[1:], folder, "-d", "--finaldir") or temp
    )


def _at(progress: Progress, phase: str, share: float) -> Progress:
    """Progress at a share of a phase; never backwards."""
    begin, end = _BEGINS[phase], _BEGINS[str(int(phase) + 1)]
    fraction = begin + (end - begin) * share
    return replace(progress, phase=phase, fraction=max(progress.fraction, fraction))


PLOTTER = Plotter(command, read_line, temp_bytes, foreign)
