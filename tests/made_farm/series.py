"""Series of a made farm, and the shapes of their values."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

GIB = 1 << 30
#: A plot of k32 without compression.
PLOT = int(101.4 * GIB)
#: Seconds of history that are made.
WEEK = 7 * 86400

#: A value at a time in seconds since the history's begin.
Value = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its labels as text, its value, and from when until when it is there."""

    name: str
    labels: str
    at: Value
    first: float = -math.inf
    last: float = math.inf


def still(value: float) -> Value:
    """Always the same."""
    return lambda _: value


def wave(base: float, swing: float, hours: float, shift: float = 0) -> Value:
    """Up and down around `base`, once in `hours`, with some noise."""

    def at(t: float) -> float:
        turn = 2 * math.pi * (t / 3600 / hours) + shift
        return base + swing * (math.sin(turn) + 0.3 * math.sin(7.3 * turn) + 0.15 * noise(turn, t))

    return at


def noise(seed: float, t: float) -> float:
    """From -1 to 1, another every minute."""
    return crc32(b"%d/%d" % (seed, t // 60)) / 2**31 - 1


def counted(rate: float, swing: float = 0, hours: float = 24, shift: float = 0) -> Value:
    """A counter that grows by `rate` a second, give or take `swing` of it over `hours`."""
    turn = 2 * math.pi / 3600 / hours
    return lambda t: rate * (t + swing * (math.cos(shift) - math.cos(turn * t + shift)) / turn)


def events(moments: Iterable[float], each: float = 1) -> Value:
    """A counter that grows by `each` at every one of some moments."""
    known = sorted(moments)
    return lambda t: each * bisect_right(known, t)


def between(spans: Sequence[tuple[float, float]]) -> Value:
    """1 within any of some spans, else 0."""
    return lambda t: float(any(begin <= t < end for begin, end in spans))


def drawn(low: float, high: float, *seed: object) -> float:
    """A number between two that is always the same for one seed."""
    share = crc32(repr(seed).encode()) / 2**32
    return low + (high - low) * share
