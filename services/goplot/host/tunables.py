"""Tunables: one value per file, read at every poll."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from goplot.host.files import write_whole

RUN = "run"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Tunable:
    """One tunable number: its initial value, its range, and what it means.

    The file of an optional one may be absent, which means its first value.
    """

    name: str
    first: float
    low: float
    high: float
    whole: bool
    optional: bool
    help: str

    def parse(self, text: str) -> float:
        """The number in a file's text. Raises ValueError with the reason."""
        value = one_line(text)
        pattern = r"[0-9]{1,15}" if self.whole else r"[0-9]{1,15}(\.[0-9]{1,6})?"
        if not re.fullmatch(pattern, value):
            kind = "a whole number" if self.whole else "a number"
            raise ValueError(f"{value[:40]!r} is not {kind}")
        number = int(value) if self.whole else float(value)
        if not self.low <= number <= self.high:
            raise ValueError(f"{value} is not from {self.low:g} to {self.high:g}")
        return number


def _number(
    first: float, low: float, high: float, text: str, *, whole: bool = True, optional: bool = False
) -> Any:
    """Declare a tunable: a field of Tunables whose metadata describe it."""
    limits = {"first": first, "low": low, "high": high}
    about = {**limits, "whole": whole, "optional": optional, "help": text}
    return field(default=first, metadata=about)


def _limit(high: float, text: str) -> Any:
    return _number(0, 0, high, f"{text}; 0: no limit", optional=True)


@dataclass(frozen=True, slots=True)
class Tunables:
    """The current values, and the declaration of every tunable: initial value, range and help.

    `invalid` says, by name, what is wrong with a file's own value.
    """

    on_toggle: str = "off"
    # One k32 plot in ten hours on two threads, eight at a time: the original's advice for eight
    # cores.
    plot_gap: int = _number(4500, 0, 31_536_000, "minimum seconds between two plot starts")
    plot_poll: int = _number(60, 1, 86_400, "seconds between two polls of the conditions")
    max_plots: int = _number(8, 0, 10_000, "maximum plots that run at the same time")
    load_max: float = _number(100, 0, 100_000, "goplot load above which none starts", whole=False)
    temp_plots_max: int = _limit(10_000, "maximum plots in one temp farm")
    early_plots_max: int = _limit(10_000, "maximum plots of a temp farm before early_phase")
    early_phase: int = _limit(9, "phase from which a plot is not early")
    dest_plots_max: int = _limit(10_000, "maximum plots that write to one destination farm")
    memory_min: int = _limit(1_000_000_000, "minimum free memory for a start, in MiB")
    invalid: Mapping[str, str] = field(default_factory=dict)

    @property
    def run(self) -> bool:
        """True when new plots may start."""
        return self.on_toggle == RUN

    @property
    def values(self) -> dict[str, float]:
        """The numbers by name."""
        return {name: getattr(self, name) for name in NUMBERS}


NUMBERS: dict[str, Tunable] = {
    entry.name: Tunable(entry.name, **entry.metadata)
    for entry in fields(Tunables)
    if entry.metadata
}
#: Every file that `goplot set` writes.
NAMES = ("on_toggle", *NUMBERS)


def one_line(text: str) -> str:
    """The one line of a file. Raises ValueError unless the text is one whole line.

    A value without a newline may be half written, so it is not taken.
    """
    if not text.strip():
        raise ValueError("is empty")
    if not text.endswith("\n"):
        raise ValueError("does not end with a newline")
    if "\r" in text:
        raise ValueError("has a carriage return")
    line, rest = text.split("\n", 1)
    if rest:
        raise ValueError("has more than one line")
    return line.strip()


def tunable_path(config: Path, name: str) -> Path:
    """The file of a tunable or state value."""
    return config / f"{name}.goplot"


def read_tunables(config: Path, last_good: Mapping[str, float]) -> Tunables:
    """The current tunables: an invalid value leaves the last valid one.

    `last_good` by name; a name that it lacks has its first value. An on_toggle
    that can't be read counts as off: a plot must not start by accident.
    """
    invalid: dict[str, str] = {}
    on_toggle = _take(tunable_path(config, "on_toggle"), one_line, "off", invalid, "on_toggle")
    values: dict[str, float] = {}
    for name, tunable in NUMBERS.items():
        path = tunable_path(config, name)
        if tunable.optional and not path.exists():
            values[name] = tunable.first
            continue
        fallback = last_good.get(name, tunable.first)
        values[name] = _take(path, tunable.parse, fallback, invalid, name)
    numbers: dict[str, Any] = values
    return Tunables(on_toggle, **numbers, invalid=invalid)


def _take(
    path: Path, parse: Callable[[str], _T], fallback: _T, invalid: dict[str, str], name: str
) -> _T:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return parse(file.read(256))
    except FileNotFoundError:
        invalid[name] = "is missing"
    except OSError as error:
        invalid[name] = f"can't be read: {error.strerror}"
    except ValueError as error:
        invalid[name] = "is not text" if isinstance(error, UnicodeDecodeError) else str(error)
    return fallback


def read_last_good(state: Path) -> dict[str, float]:
    """The last valid values that an earlier run saved; empty without any."""
    try:
        document = json.loads((state / "tunables.json").read_text())
        return {
            name: int(document[name]) if tunable.whole else float(document[name])
            for name, tunable in NUMBERS.items()
            if name in document
        }
    except (OSError, ValueError, TypeError):
        return {}


def write_last_good(state: Path, values: Mapping[str, float]) -> None:
    """Save values for the next run of any program. Raises OSError."""
    write_whole(state / "tunables.json", json.dumps(dict(values)) + "\n")


def set_tunable(config: Path, name: str, value: str) -> None:
    """Write a tunable as `echo` would, but checked and in one step.

    Raises ValueError with the reason for a value that is not taken, OSError when it can't be
    written.
    """
    if name != "on_toggle":
        if name not in NUMBERS:
            raise ValueError(f"unknown tunable {name}; known: {', '.join(NAMES)}")
        NUMBERS[name].parse(value + "\n")
    else:
        one_line(value + "\n")
    write_whole(tunable_path(config, name), value.strip() + "\n")


def read_number(path: Path, fallback: int) -> int:
    """A state file's whole number (index, farm_dest, farm_temp), or the fallback."""
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        return fallback
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else fallback
