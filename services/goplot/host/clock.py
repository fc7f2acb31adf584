"""Clocks for pacing: wall time, and time since boot, which clock changes do not affect.

Elapsed time is that of the boot clock. Only across boots is it the difference of two wall clocks,
and then a date in the future is a damaged one.
"""

import math
import os
import time
from pathlib import Path

from goplot.farm.jobs import Start

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# systemd makes this file once in a boot. A container's own boot id is mounted over the kernel's,
# which a sandbox with ProtectKernelTunables= shows again; this file is the same for both.
_MADE_AT_BOOT = Path("/run/systemd/inaccessible/reg")


def now() -> Start:
    """The moment on both clocks; a container boots when its process 1 starts."""
    ticks = start_ticks(1) or 0
    return Start(
        time=time.time(),
        boot_time=time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"),
        boot_id="/".join((_BOOT_ID.read_text().strip(), str(ticks), *_boot_mark())),
    )


def _boot_mark() -> tuple[str, ...]:
    """What else than the boot id is of this boot alone; nothing without systemd."""
    try:
        made = _MADE_AT_BOOT.lstat()
    except OSError:
        return ()
    return (f"{made.st_ino}-{made.st_mtime_ns}",)


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
    if same_boot(earlier, later):
        return later.boot_time - earlier.boot_time
    return max(later.boot_time, later.time - earlier.time, 0.0)


def same_boot(earlier: Start, later: Start) -> bool:
    """True when two moments are of one boot, whatever boot id a sandbox showed."""
    if later.boot_time < earlier.boot_time:
        return False
    if earlier.boot_id == later.boot_id:
        return True
    # The boot id, the start of process 1, and the mark, which the first release did not write.
    one, other = earlier.boot_id.split("/"), later.boot_id.split("/")
    return one[1:2] == other[1:2] and (one[0] == other[0] or one[2:] == other[2:] != [])


def seconds_since(date: float, now: Start) -> float:
    """Seconds since a date of which nothing but the wall clock's time (epoch seconds) is known.

    Infinite for a date in the future: it is damaged, and nothing is known of its age.
    """
    return now.time - date if date <= now.time else math.inf


def goplot_load() -> float:
    """The goplot load: (5 min load average + 15 min load average) / 2."""
    import psutil

    _, five, fifteen = psutil.getloadavg()
    return (five + fifteen) / 2


def free_memory() -> int:
    """Bytes of memory that are available to a new program without swapping."""
    import psutil

    return psutil.virtual_memory().available
