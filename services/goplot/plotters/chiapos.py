"""chiapos through `chia plots create`.

Log lines and files as written by chia-blockchain 2.7.5 with chiapos 2.0.12.
"""

import re
from dataclasses import replace
from pathlib import Path

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters.base import (
    UNFINISHED,
    ForeignPlot,
    Plotter,
    Progress,
    Request,
    advanced,
    option,
    option_path,
    program_arguments,
)

# Maximum temporary space in GiB, from Chia's table of k sizes.
_TEMP_GIB = {32: 240, 33: 522, 34: 1042, 35: 2176}

_ID = re.compile(r"ID: ([0-9a-f]{64})$")
_PHASE = re.compile(r"Starting phase ([1-4])/4: ")
_PHASE_TIME = re.compile(r"Time for phase ([1-4]) = ([0-9.]+) seconds")
_PROGRESS = re.compile(r"Progress update: ([01]?\.[0-9]+|[01])$")
# Renamed final file from "/t/x.plot.2.tmp" to "/t/x.plot"
_DONE = "Renamed final file from "
# What chiapos itself reports at the begin of each phase, at most.
_BEGINS = {"1": 0.0, "2": 0.42, "3": 0.61, "4": 0.98}
_TROUBLE = re.compile(
    r"Could not|Only wrote|Retrying in five minutes|No space left|^\w*Error: |terminate called"
)


def command(request: Request) -> list[str]:
    """`chia plots create` for one plot; the user's options come last, so that they take precedence.

    Raises ValueError for a compressed plot, which chiapos can't make.
    """
    if request.format.compression:
        raise ValueError("chiapos makes no compressed plots; set plot.compression to 0")
    arguments = [request.program, "plots", "create", "-n", "1", "-x", "-k", str(request.format.k)]
    arguments += ["-f", request.farmer_public_key]
    if request.pool_contract_address:
        arguments += ["-c", request.pool_contract_address]
    else:
        arguments += ["-p", request.pool_public_key]
    folder = str(request.folder)
    # One folder for all three: the finished plot is renamed in place and the tractor delivers it.
    return [*arguments, "-t", folder, "-2", folder, "-d", folder, *request.options]


def read_line(progress: Progress, line: str) -> Progress:
    """Progress after one more line of the log."""
    if match := _PROGRESS.search(line):
        fraction = min(UNFINISHED, float(match[1]))
        return replace(progress, fraction=max(progress.fraction, fraction))
    if match := _PHASE.match(line):
        return advanced(progress, _BEGINS, match[1], 0.0)
    if match := _PHASE_TIME.match(line):
        seconds = {**progress.phase_seconds, match[1]: float(match[2])}
        return advanced(replace(progress, phase_seconds=seconds), _BEGINS, match[1], 1.0)
    if line.startswith(_DONE):
        return replace(progress, fraction=1.0)
    if match := _ID.match(line):
        return replace(progress, plot_id=match[1])
    if _TROUBLE.search(line):
        stuck = progress.stuck or "Retrying in five minutes" in line
        return replace(progress, error=line.strip()[:200], stuck=stuck)
    return progress


def temp_bytes(plot_format: PlotFormat, options: tuple[str, ...] = ()) -> int:
    """The maximum space of one plot in its temp farm, whatever the options."""
    del options
    known = _TEMP_GIB.get(plot_format.k)
    if known is not None:
        return known * GIB
    # Measured from k18 to k25: at most 2.9 times the plot.
    return int(2.9 * plot_format.plot_bytes)


def foreign(arguments: list[str], folder: Path | None = None) -> ForeignPlot | None:
    """`chia plots create` or `chia plotters chiapos` that was started by hand."""
    words = program_arguments(arguments)
    if not words or not words[0].startswith("chia"):
        return None
    if words[1:3] not in (["plots", "create"], ["plotters", "chiapos"]):
        return None
    k = option(arguments, "-k", "--size") or "32"
    if not k.isdigit():
        return None
    temp = option_path(arguments, folder, "-t", "--tmp_dir")
    temp2 = option_path(arguments, folder, "-2", "--tmp2_dir")
    try:
        plot_format = PlotFormat(int(k))
    except ValueError:
        return None
    return ForeignPlot(
        plot_format,
        tuple(path for path in (temp, temp2) if path is not None),
        option_path(arguments, folder, "-d", "--final_dir"),
    )


PLOTTER = Plotter(command, read_line, temp_bytes, foreign)
