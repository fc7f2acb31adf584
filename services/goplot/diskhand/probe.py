"""Whether a disk still writes: a file system can look well long after its device is gone."""

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from goplot.host.mounts import Mount, opened_on, read_mounts

#: A disk that does not answer within this many seconds counts as failing.
PATIENCE = 20.0
_NAME = "logs/.goplot-probe"
_AT_ONCE = 16


def probe(disk: Path, mounts: Mapping[str, Mount]) -> None:
    """Write a few bytes through to the device. Raises OSError when the disk does not take them."""
    with opened_on(disk, mounts) as mount:
        descriptor = os.open(_NAME, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640, dir_fd=mount)
        try:
            os.pwrite(descriptor, b"goplot\n", 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def probe_all(
    disks: Iterable[Path], mountinfo: Path, patience: float = PATIENCE
) -> dict[Path, str]:
    """What is wrong with each disk that does not take a write.

    Several disks are asked at once, so that one that hangs holds up none. Threads that still
    hang are left behind: they end with the program.
    """
    mounts = read_mounts(mountinfo)
    waiting = list(disks)
    asked = len(waiting)
    answers: dict[Path, str | None] = {}
    settled = threading.Condition()

    def ask() -> None:
        while True:
            with settled:
                if not waiting:
                    return
                disk = waiting.pop()
            try:
                probe(disk, mounts)
                fault = None
            except OSError as error:
                fault = error.strerror or str(error)
            with settled:
                answers[disk] = fault
                settled.notify_all()

    every = list(waiting)
    for _ in range(min(_AT_ONCE, asked)):
        threading.Thread(target=ask, daemon=True).start()
    with settled:
        while len(answers) < asked:
            before = len(answers)
            if not settled.wait(patience) and len(answers) == before:
                break
    faults = {disk: fault for disk, fault in answers.items() if fault is not None}
    return faults | {disk: "does not answer" for disk in every if disk not in answers}
