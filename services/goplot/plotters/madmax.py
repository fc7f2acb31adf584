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
    advanced,
    option,
    option_path,
    program_arguments,
)

# Peak of both temporary folders together, by madmax' own help; other k in proportion.
_TEMP_GIB_K32 = 256
# Of each where they are two, by its README.
_TWO_TEMPS_GIB_K32 = (220, 110)

_NAME = re.compile(r"Plot Name: plot-k[0-9]{2}-.*-([0-9a-f]{64})$")
# [P1] Table 2 took 145.011 sec, found 4294900000 matches
_P1_TABLE = re.compile(r"\[P1\] Table ([1-7])")
# [P2] Table 7 scan took 9.9 sec, [P2] Table 7 rewrite took 30.1 sec, dropped 0 entries (0 %)
_P2_TABLE = re.compile(r"\[P2\] Table ([2-7])( scan)?")
# [P3-1] Table 2 took 72.8 sec, wrote 3429415508 right entries, [P3-2] Table 2 took 48.6 sec, …
_P3_TABLE = re.compile(r"\[P3(?:-([12]))?\] Table ([2-7])")
# [P4] Starting to write C1 and C3 tables, [P4] Finished writing C2 table
_P4_STEP = re.compile(r"\[P4\] (Starting to write C1|Finished writing C1|Writing C2|Finished)")
_P4_SHARES = {
    "Starting to write C1": 0.1,
    "Finished writing C1": 0.5,
    "Writing C2": 0.6,
    "Finished": 0.9,
}
_PHASE_TIME = re.compile(r"Phase ([1-4]) took ([0-9.]+) sec")
# Total plot creation time was 2530.76 sec (42.1793 min)
_DONE = "Total plot creation time was "
_TROUBLE = re.compile(
    r"failed with:|Invalid |needs to be specified|Failed to write|Cannot open|No space left"
    r"|terminate called|what\(\)"
)
# The share of the whole plot at which each phase begins, by madmax' usual times.
_BEGINS = {"1": 0.0, "2": 0.42, "3": 0.6, "4": 0.95}


def command(request: Request) -> list[str]:
    """`chia_plot` for one plot. Raises ValueError for a compressed plot."""
    if request.format.compression:
        raise ValueError("madmax makes no compressed plots; set plot.compression to 0")
    # madmax rejects folders without a trailing slash.
    folder, second = f"{request.folder}/", f"{request.temp2}/"
    arguments = [request.program, "-n", "1"]
    # A chia_plot that supports only k32 does not know -k.
    if request.format.k != 32:
        arguments += ["-k", str(request.format.k)]
    arguments += ["-t", folder, "-2", second, "-d", folder, "-f", request.farmer_public_key]
    if request.pool_contract_address:
        arguments += ["-c", request.pool_contract_address]
    else:
        arguments += ["-p", request.pool_public_key]
    return [*arguments, *request.options]


def read_line(progress: Progress, line: str) -> Progress:
    """Progress after one more line of the log."""
    if line.startswith("[P"):
        step = _step(line)
        return progress if step is None else advanced(progress, _BEGINS, *step)
    if match := _PHASE_TIME.match(line):
        seconds = {**progress.phase_seconds, match[1]: float(match[2])}
        after = replace(progress, phase_seconds=seconds)
        if match[1] == "4":
            return advanced(after, _BEGINS, "4", 1.0)
        return advanced(after, _BEGINS, str(int(match[1]) + 1), 0.0)
    if line.startswith(_DONE):
        return replace(progress, fraction=1.0)
    if match := _NAME.match(line):
        return advanced(replace(progress, plot_id=match[1]), _BEGINS, "1", 0.0)
    if _TROUBLE.search(line):
        return replace(progress, error=line.strip()[:200])
    return progress


def temp_bytes(plot_format: PlotFormat, options: tuple[str, ...] = ()) -> int:
    """The maximum space of one plot in its temp farm, both temporary folders together."""
    del options
    return _in_proportion(_TEMP_GIB_K32, plot_format)


def two_temps(plot_format: PlotFormat) -> tuple[int, int]:
    """The maximum space of one plot in each of its temporary folders."""
    first, second = _TWO_TEMPS_GIB_K32
    return _in_proportion(first, plot_format), _in_proportion(second, plot_format)


def _in_proportion(gib_k32: int, plot_format: PlotFormat) -> int:
    scale = plot_format.expected_bytes / PlotFormat(32).expected_bytes
    return int(gib_k32 * GIB * scale)


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


def _step(line: str) -> tuple[str, float] | None:
    """The phase that a line is of, and the share of it that is done; None for other lines."""
    if match := _P1_TABLE.match(line):
        return "1", int(match[1]) / 7.5
    if match := _P2_TABLE.match(line):
        # Down from table 7, each read and then written.
        return "2", ((7 - int(match[1])) * 2 + (1 if match[2] else 2)) / 12.5
    if match := _P3_TABLE.match(line):
        # Up from table 2, each in two steps.
        return "3", ((int(match[2]) - 2) * 2 + int(match[1] or "1")) / 12.5
    if match := _P4_STEP.match(line):
        return "4", _P4_SHARES[match[1]]
    return None


PLOTTER = Plotter(command, read_line, temp_bytes, foreign, two_temps)
