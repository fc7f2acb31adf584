"""Clocks for pacing: wall time, and time since boot, which clock changes do not affect."""

import os
import time
from pathlib import Path

from goplot.farm.jobs import Start

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_INIT = Path("/proc/1/stat")


def now() -> Start:
    """The moment on both clocks; a container boots when its process 1 starts."""
    ticks = _init_ticks()
    return Start(
        time=time.time(),
        boot_time=time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"),
        boot_id=f"{_BOOT_ID.read_text().strip()}/{ticks}",
    )


def _init_ticks() -> int:
    """When process 1 started, in clock ticks since the kernel's boot: proc_pid_stat(5), field 22.

    0 where a /proc with hidepid does not show it.
    """
    try:
        return int(_INIT.read_text(errors="replace").rsplit(")", 1)[-1].split()[19])
    except OSError:
        return 0


def seconds_between(earlier: Start, later: Start) -> float:
    """Seconds from one moment to another; never negative.

    Within one boot the boot clock counts, so setting the clock has no effect. Across boots the
    wall clock counts, and at least the time since boot has passed.
    """
    if earlier.boot_id == later.boot_id:
        return max(0.0, later.boot_time - earlier.boot_time)
    return max(later.boot_time, later.time - earlier.time, 0.0)


def goplot_load() -> float:
    """The goplot load: (5 min load average + 15 min load average) / 2."""
    import psutil

    _, five, fifteen = psutil.getloadavg()
    return (five + fifteen) / 2


def free_memory() -> int:
    """Bytes of memory that are available to a new program without swapping."""
    import psutil

    return psutil.virtual_memory().available
