"""Disks that showed room for a plot and refused it: how long each stays out. Pure.

A pool whose branches are full, a quota, a limit of a file's size: what a file system reports as
free is not what it takes.
"""

from dataclasses import dataclass

from goplot.farm.disks import Refused, Space
from goplot.farm.jobs import Start

_FIRST = 600.0
_LONGEST = 86_400.0
# Free space moves a little without anybody making room for a plot.
_GROWTH = 0.01


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last refusal of a disk: the smallest plot that it refused, why, and when.

    `count` is how often in a row, `free` the bytes that it showed before, and `identity` the id
    of its file system.
    """

    size: int
    detail: str
    count: int
    moment: Start
    free: int
    identity: int


def refusal_after(
    earlier: Refusal | None, size: int, detail: str, moment: Start, space: Space
) -> Refusal:
    """The record of a further refusal."""
    return Refusal(
        size=size if earlier is None else min(size, earlier.size),
        detail=detail,
        count=1 if earlier is None else earlier.count + 1,
        moment=moment,
        free=space.free,
        identity=space.identity,
    )


def refused(refusal: Refusal, space: Space, passed: float) -> Refused | None:
    """What a disk still refuses; None when it is to be tried again.

    `passed`: seconds since the refusal. Every further refusal holds for twice as long, a day at
    most. Room that was made, and another file system in its place, end it.
    """
    if space.identity != refusal.identity or space.free >= refusal.free + refusal.size * _GROWTH:
        return None
    left = min(_LONGEST, _FIRST * 2.0 ** min(refusal.count - 1, 16)) - passed
    return Refused(refusal.size, refusal.detail, left) if left > 0 else None
