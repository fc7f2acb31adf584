"""bladebit 3.1: ramplot, diskplot and cudaplot, for k32.

Log lines and files as in the sources of Chia-Network/bladebit.
"""

import re
from dataclasses import replace
from functools import partial
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
    path_of,
    program_arguments,
)

RAMPLOT, DISKPLOT, CUDAPLOT = "ramplot", "diskplot", "cudaplot"

# Maximum temporary space of diskplot.
_DISKPLOT_GIB = 480
# What cudaplot keeps on disk when it has 128 or 16 GiB of memory instead of 256.
_CUDA_DISK_GIB = {"--disk-128": 128, "--disk-16": 240}

_GENERATING = re.compile(r"Generating plot [0-9]+(?: / [0-9]+)?: ([0-9a-f]{64})$")
# Running Phase 1
_PHASE = re.compile(r"Running Phase ([1-4])$")
# Finished Phase 1 in 12.34 seconds ( 0.2 minutes ). cudaplot: Completed Phase 1 in 68.00 seconds
_PHASE_TIME = re.compile(r"(?:Finished|Completed) Phase ([1-4]) in ([0-9.]+) seconds")
# Finished F1 in 2.75 seconds. Others: Finished F1 generation in 6.57 seconds.
_F1 = re.compile(r"Finished [Ff]1 ")
# cudaplot: Table 2 completed in 6.19 seconds with 4294967296 entries.
# ramplot: Finished forward propagating table 2 in 9.76 seconds.
# diskplot: Completed table 2 in 100.01 seconds with 4294830225 entries.
_PHASE_1_TABLE = re.compile(
    r"(?:(?:Finished forward propagating|Completed) )?[Tt]able ([2-7]) (?:completed )?in "
)
# cudaplot: Finalizing Table 7, Finalized Table 7 in 3.98 seconds.
_PHASE_1_FINAL = re.compile(r"Finaliz(ing|ed) Table 7")
# cudaplot: Marked Table 6 in 2.16 seconds. ramplot: Finished prunning table 6 in 0.48 seconds.
# diskplot: Finished marking table 6 in 20.30 seconds.
_PHASE_2_TABLE = re.compile(
    r"\s*(?:Marked|Finished prunn?ing|Finished marking) [Tt]able ([1-6]) in "
)
# Compressing Table 2 and 3... diskplot: Compressing tables 1 and 2.
_PHASE_3_BEGIN = re.compile(r"\s*Compressing [Tt]ables? ([1-6]) and [2-7]")
# Finished compressing tables 1 and 2 in 20.12 seconds.
_PHASE_3_END = re.compile(r"\s*Finished compressing [Tt]ables? ([1-6]) and [2-7] in ")
# cudaplot, before the plot is written: Completed Plot 1 in 160.71 seconds ( 2.68 minutes )
_MADE = re.compile(r"Completed Plot [0-9]+ in ")
_DONE = re.compile(r"(Finished plotting in|Completed writing plot in|Renaming plot to) ")
_TROUBLE = re.compile(r"^(Fatal|\s*\*\*\* (Fatal|Crash))|[Ee]rror|Failed to|No space left")
# The share of the whole plot at which each phase begins; cudaplot's last is writing the plot.
_BEGINS = {"1": 0.0, "2": 0.45, "3": 0.65, "4": 0.95}
_CUDA_BEGINS = {"1": 0.0, "2": 0.35, "3": 0.4, "4": 0.8}


def command(kind: str, request: Request) -> list[str]:
    """Bladebit for one plot.

    The user's options stand before the command's name; those after `--` stand behind it. Raises
    ValueError for a plot that bladebit can't create.
    """
    if request.format.k != 32:
        raise ValueError("bladebit makes k32 only; set plot.k to 32")
    if request.format.compression and kind == DISKPLOT:
        raise ValueError("bladebit diskplot makes no compressed plots; set plot.compression to 0")
    before, behind = _split(request.options)
    arguments = [request.program, "-n", "1", "-f", request.farmer_public_key]
    if request.pool_contract_address:
        arguments += ["-c", request.pool_contract_address]
    else:
        arguments += ["-p", request.pool_public_key]
    if request.format.compression:
        arguments += ["-z", str(request.format.compression)]
    folder = str(request.folder)
    arguments += [*before, kind, *behind]
    if kind == DISKPLOT or any(name in behind for name in _CUDA_DISK_GIB):
        arguments += ["-t1", folder]
    return [*arguments, folder]


def read_line(kind: str, progress: Progress, line: str) -> Progress:
    """Progress after one more line of the log."""
    begins = _CUDA_BEGINS if kind == CUDAPLOT else _BEGINS
    if match := _PHASE_TIME.match(line):
        seconds = {**progress.phase_seconds, match[1]: float(match[2])}
        after = replace(progress, phase_seconds=seconds)
        return advanced(after, begins, match[1], 1.0)
    if match := _GENERATING.match(line):
        return advanced(replace(progress, plot_id=match[1]), begins, "1", 0.0)
    if _DONE.match(line):
        return replace(progress, fraction=1.0)
    if _MADE.match(line):
        return replace(progress, fraction=max(progress.fraction, (begins["4"] + UNFINISHED) / 2))
    if step := _step(line):
        return advanced(progress, begins, *step)
    if _TROUBLE.search(line):
        return replace(progress, error=line.strip()[:200])
    return progress


def _step(line: str) -> tuple[str, float] | None:
    """The phase that a line is of, and the share of it that is done; None for other lines."""
    if match := _PHASE.match(line):
        return match[1], 0.01
    if _F1.match(line):
        return "1", 1 / 7.5
    if match := _PHASE_1_FINAL.match(line):
        return "1", 0.95 if match[1] == "ing" else 0.98
    if match := _PHASE_2_TABLE.match(line):
        return "2", (7 - int(match[1])) / 6.5
    if match := _PHASE_3_BEGIN.match(line):
        return "3", (int(match[1]) - 0.8) / 6.5
    if match := _PHASE_3_END.match(line):
        return "3", int(match[1]) / 6.5
    if match := _PHASE_1_TABLE.match(line):
        return "1", int(match[1]) / 7.5
    return None


def temp_bytes(kind: str, plot_format: PlotFormat, options: tuple[str, ...] = ()) -> int:
    """The maximum space of one plot in its temp farm; every plot is finished there."""
    plot = plot_format.plot_bytes
    if kind == DISKPLOT:
        return _DISKPLOT_GIB * GIB + plot
    disk = max((gib for name, gib in _CUDA_DISK_GIB.items() if name in options), default=0)
    return disk * GIB + plot


def foreign(kind: str, arguments: list[str], folder: Path | None = None) -> ForeignPlot | None:
    """Bladebit that was started by hand."""
    words = program_arguments(arguments)
    if not words or not words[0].startswith("bladebit") or kind not in words[1:]:
        return None
    level = option(words[1:], "-z", "--compress") or "0"
    try:
        plot_format = PlotFormat(32, int(level) if level.isdigit() else 1)
    except ValueError:
        return None
    behind = words[words.index(kind) + 1 :]
    temps = [option_path(behind, folder, name) for name in ("-t1", "--temp1", "-t2", "--temp2")]
    dest = path_of(words[-1], folder) if len(behind) and not words[-1].startswith("-") else None
    known = tuple(path for path in temps if path is not None)
    return ForeignPlot(plot_format, known, dest, tuple(behind))


def _split(options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    if "--" not in options:
        return list(options), []
    position = options.index("--")
    return list(options[:position]), list(options[position + 1 :])


def _plotter(kind: str) -> Plotter:
    return Plotter(
        partial(command, kind),
        partial(read_line, kind),
        partial(temp_bytes, kind),
        partial(foreign, kind),
    )


PLOTTERS = {f"bladebit-{kind}": _plotter(kind) for kind in (RAMPLOT, DISKPLOT, CUDAPLOT)}
