"""What the tractor needs to know about a plotter."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from goplot.farm.formats import MAX_K, MIN_K, PlotFormat
from goplot.farm.keys import NAMED_TEXTS, POSITIVE, TEXT, TEXTS, key, whole


@dataclass(frozen=True, slots=True)
class PlotterSettings:
    """How one plotter is run: a table of [plotters]."""

    name: str
    program: str = key(TEXT, "", "the plotter's program")
    options: tuple[str, ...] = key(TEXTS, (), "further arguments, appended as they are")
    environment: Mapping[str, str] = key(
        NAMED_TEXTS, {}, "further environment, such as `CHIA_ROOT`"
    )
    temp_gib: float | None = key(
        POSITIVE,
        None,
        "maximum GiB that one plot uses in its temp farm, including the plot itself",
        shown="by plotter and format",
    )
    temp2: int | None = key(
        whole(1, 999_999),
        None,
        "temp farm of the second temporary folder, used for nothing else; madmax and templates "
        "with `{temp2}`",
    )
    temp2_gib: float | None = key(
        POSITIVE,
        None,
        "maximum GiB that one plot uses in its second temporary folder",
        shown="by plotter and format",
    )
    command: tuple[str, ...] = key(
        TEXTS, (), "a command template instead of `program` and `options`"
    )
    grammar: str = key(
        TEXT, "", "with `command`: the plotter whose log and files the program writes"
    )


@dataclass(frozen=True, slots=True)
class PlotSettings:
    """What the next plot is: the table [plot]."""

    plotter: str = key(TEXT, "chiapos", "which of `[plotters]` creates the next plot")
    k: int = key(whole(MIN_K, MAX_K), 32, "size of the plot; a plotter may accept fewer")
    compression: int = key(whole(0, 9), 0, "compression level, if Chia's table of sizes has it")
    farmer_public_key: str = key(TEXT, "", "required by every plotter without a command template")
    pool_contract_address: str = key(TEXT, "", "pool of the plot: this, or `pool_public_key`")
    pool_public_key: str = key(TEXT, "", "pool of the plot: this, or `pool_contract_address`")

    @property
    def format(self) -> PlotFormat:
        """The format. Raises ValueError for one of unknown size."""
        return PlotFormat(self.k, self.compression)


@dataclass(frozen=True, slots=True)
class Request:
    """One requested plot. `folder` gets the temporary files and the finished plot.

    `temp2` gets the second temporary files where the plotter has such; it may be `folder`.
    """

    program: str
    options: tuple[str, ...]
    format: PlotFormat
    folder: Path
    temp2: Path
    farmer_public_key: str
    pool_contract_address: str
    pool_public_key: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a plotter's log has reported so far. `fraction` is of the whole plot, 0 to 1.

    `error` is the last line that reports trouble; `stuck` is true once the plotter waits for
    space or for a disk to work again, which it would do forever.
    """

    phase: str = "start"
    fraction: float = 0.0
    plot_id: str | None = None
    phase_seconds: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None
    stuck: bool = False


#: The most that a plot which is not finished shows: as a whole per cent it is not 100.
UNFINISHED = 0.99


def advanced(progress: Progress, begins: Mapping[str, float], phase: str, share: float) -> Progress:
    """Progress at a share of a phase, 0 to 1; never backwards, and below 1.

    `begins` has for each phase, in their order, the fraction of the whole plot that it begins at.
    """
    order = list(begins)
    if progress.phase in order and order.index(progress.phase) > order.index(phase):
        return progress
    begin = begins[phase]
    end = next((value for value in begins.values() if value > begin), UNFINISHED)
    fraction = min(UNFINISHED, begin + (end - begin) * min(1.0, max(0.0, share)))
    return replace(progress, phase=phase, fraction=max(progress.fraction, fraction))


@dataclass(frozen=True, slots=True)
class ForeignPlot:
    """A plotter that was started by hand, from its command line."""

    format: PlotFormat
    temp_paths: tuple[Path, ...]
    dest_path: Path | None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plotter:
    """A plotter as a set of pure functions.

    `command` builds the argument list, and raises ValueError for a plot that this plotter can't
    make; `read_line` takes one line of its log; `temp_bytes` is the most that one plot, itself
    included, takes in its temp farm with the user's options; `foreign` reads the command line of
    a running process, and its folder where that is known, and returns None when it is not this
    plotter. `two_temps` is the most in each temporary folder where they are two (None: it has
    but one).
    """

    command: Callable[[Request], list[str]]
    read_line: Callable[[Progress, str], Progress]
    temp_bytes: Callable[[PlotFormat, tuple[str, ...]], int]
    foreign: Callable[[list[str], Path | None], ForeignPlot | None]
    two_temps: Callable[[PlotFormat], tuple[int, int]] | None = None


def program_arguments(arguments: list[str]) -> list[str]:
    """A command line with the bare name of its program first, also when Python runs it."""
    words = list(arguments)
    if words and PurePath(words[0]).name.startswith("python"):
        words = words[1:]
    return [PurePath(words[0]).name, *words[1:]] if words else []


def option(arguments: list[str], *names: str) -> str | None:
    """The value of an option in an argument list: `-k 32`, `-k32`, `--size 32`, `--size=32`."""
    for position, argument in enumerate(arguments):
        for name in names:
            if argument == name and position + 1 < len(arguments):
                return arguments[position + 1]
            if name.startswith("--"):
                if argument.startswith(name + "="):
                    return argument[len(name) + 1 :]
            elif argument.startswith(name) and len(argument) > len(name) and argument[1] != "-":
                return argument[len(name) :]
    return None


def path_of(value: str | None, folder: Path | None) -> Path | None:
    """A path that a process was given, from its folder on; None when that can't be known."""
    if not value or (folder is None and not value.startswith("/")):
        return None
    return Path(os.path.normpath(Path(value) if folder is None else folder / value))


def option_path(arguments: list[str], folder: Path | None, *names: str) -> Path | None:
    """An option's value as an absolute path; None when it is absent, or relative to who knows."""
    return path_of(option(arguments, *names), folder)
