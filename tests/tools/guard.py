"""One run at a time, and nothing left at work when it ends, however it ends.

Whatever a guarded run starts carries a mark in its environment. A run that was killed can't clean
up: the next one finds what it left by that mark, and ends it first.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.hosts.system import HostError, wait_until

_MARK = "GOPLOT_RUN"
_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def guarded(name: str) -> Iterator[None]:
    """Run the body as the only run of this name. Raises HostError when another one is at work."""
    # When make is killed, this process is told to end, and its own end takes the rest along.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    handle = os.open(f"/run/lock/goplot-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        wait_until(f"another {name} is at work", lambda: _lock(handle), 20)
        _end_marked(name)
        os.environ[_MARK] = name
        try:
            yield
        finally:
            del os.environ[_MARK]
            _end_marked(name)
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_marked(name: str) -> None:
    for process in _marked(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    with contextlib.suppress(HostError):
        wait_until("end of an earlier run", lambda: not _marked(name), 10)


def _marked(name: str) -> list[int]:
    mark = f"{_MARK}={name}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found
