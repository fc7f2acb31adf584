"""Whether a file system is writable: it can look healthy long after its device is gone."""

import errno
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from goplot.host.mounts import Mount, opened_on, read_mounts

#: A mount that does not answer within this many seconds counts as failing.
PATIENCE = 20.0
#: The file that is written, on a disk and on a temp farm.
ON_DISK = "logs/.goplot-probe"
ON_TEMP = ".goplot-probe"
_AT_ONCE = 16


def probe(path: Path, name: str, mounts: Mapping[str, Mount]) -> None:
    """Write a few bytes through to the device. Raises OSError if that fails."""
    with opened_on(path, mounts) as mount:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640, dir_fd=mount)
        try:
            os.pwrite(descriptor, b"goplot\n", 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def probe_all(
    paths: Iterable[Path], name: str, mountinfo: Path, patience: float = PATIENCE
) -> dict[Path, str]:
    """What is wrong with each mount that rejects a write to its file `name`.

    Several are asked at once, so that one that hangs holds up none. Threads that still
    hang are abandoned: they end with the program.
    """
    mounts = read_mounts(mountinfo)
    waiting = list(paths)
    asked = len(waiting)
    answers: dict[Path, str | None] = {}
    settled = threading.Condition()

    def ask() -> None:
        while True:
            with settled:
                if not waiting:
                    return
                path = waiting.pop()
            try:
                probe(path, name, mounts)
                fault = None
            except OSError as error:
                # A full file system is not a failing one, and neither is a quota that is used up.
                full = error.errno in (errno.ENOSPC, errno.EDQUOT)
                fault = None if full else error.strerror or str(error)
            with settled:
                answers[path] = fault
                settled.notify_all()

    every = list(waiting)
    for _ in range(min(_AT_ONCE, asked)):
        threading.Thread(target=ask, daemon=True).start()
    with settled:
        while len(answers) < asked:
            before = len(answers)
            if not settled.wait(patience) and len(answers) == before:
                break
    faults = {path: fault for path, fault in answers.items() if fault is not None}
    return faults | {path: "does not answer" for path in every if path not in answers}
