"""bladebit 3.1: ramplot, diskplot and cudaplot, for k32.

Log lines and files as in the sources of Chia-Network/bladebit.
"""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters.base import (
    ForeignPlot,
    Plotter,
    Progress,
    Request,
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
_PHASE = re.compile(r"Running Phase ([1-4])$")
_PHASE_TIME = re.compile(r"Finished Phase ([1-4]) in ([0-9.]+) seconds")
_DONE = re.compile(r"(Finished plotting in|Completed Plot [0-9]+ in|Renaming plot to)")
_TROUBLE = re.compile(r"^(Fatal|\s*\*\*\* (Fatal|Crash))|[Ee]rror|Failed to|No space left")
_BEGINS = {"1": 0.0, "2": 0.45, "3": 0.65, "4": 0.97}


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


def read_line(progress: Progress, line: str) -> Progress:
    """Progress after one more line of the log."""
    if match := _PHASE.match(line):
        fraction = max(progress.fraction, _BEGINS[match[1]])
        return replace(progress, phase=match[1], fraction=fraction)
    if match := _PHASE_TIME.match(line):
        seconds = {**progress.phase_seconds, match[1]: float(match[2])}
        return replace(progress, phase_seconds=seconds)
    if match := _GENERATING.match(line):
        return replace(progress, plot_id=match[1], phase="1")
    if _DONE.match(line):
        return replace(progress, fraction=1.0)
    if _TROUBLE.search(line):
        return replace(progress, error=line.strip()[:200])
    return progress


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
        partial(command, kind), read_line, partial(temp_bytes, kind), partial(foreign, kind)
    )


PLOTTERS = {f"bladebit-{kind}": _plotter(kind) for kind in (RAMPLOT, DISKPLOT, CUDAPLOT)}
