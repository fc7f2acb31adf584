"""Clocks for pacing: wall time, and time since boot, which clock changes do not affect."""

import os
import time
from pathlib import Path

from goplot.farm.jobs import Start

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> Start:
    """The moment on both clocks; a container boots when its process 1 starts."""
    ticks = start_ticks(1) or 0
    return Start(
        time=time.time(),
        boot_time=time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"),
        boot_id=f"{_BOOT_ID.read_text().strip()}/{ticks}",
    )


def start_ticks(process: int) -> int | None:
    """When a process started, in clock ticks since the kernel's boot: proc_pid_stat(5), field 22.

    None without such a process, after its end, and where a /proc with hidepid does not show it.
    """
    # Not psutil's create_time(): it adds the boot time of the wall clock, in whole seconds, which
    # moves when the clock is set. The state files of every release hold ticks.
    try:
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[-1].split()
    return None if fields[0] == "Z" else int(fields[19])


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
