"""Clocks that pacing needs: wall time, and time since boot that no clock change moves."""

import os
import time
from pathlib import Path

from goplot.farm.jobs import Start

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MEMINFO = Path("/proc/meminfo")


def now() -> Start:
    """The moment on both clocks."""
    return Start(
        time=time.time(),
        boot_time=time.clock_gettime(time.CLOCK_BOOTTIME),
        boot_id=_BOOT_ID.read_text().strip(),
    )


def seconds_between(earlier: Start, later: Start) -> float:
    """Seconds from one moment to another; never negative.

    In one boot the boot clock tells, so a clock that is set means nothing. Over a boot the wall
    clock tells, and at least the time since boot has passed.
    """
    if earlier.boot_id == later.boot_id:
        return max(0.0, later.boot_time - earlier.boot_time)
    return max(later.boot_time, later.time - earlier.time, 0.0)


def goplot_load() -> float:
    """The goplot load: (5 min load average + 15 min load average) / 2."""
    _, five, fifteen = os.getloadavg()
    return (five + fifteen) / 2


def free_memory() -> int:
    """Bytes of memory that a new program can have (MemAvailable, proc_meminfo(5))."""
    with _MEMINFO.open(encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    raise OSError("no MemAvailable in /proc/meminfo")
