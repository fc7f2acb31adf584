"""One run at a time, and nothing left when it ends, however it ends.

Whatever a guarded run starts carries a mark in its environment. A run that is killed can't clean
up: a reaper in a session of its own sees it die, ends what carries the mark and removes its hosts.
Where the reaper was killed too, the next run ends what is left at work before it begins.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.system import HostError, require_machine, wait_until

_MARK = "GOPLOT_RUN"
_PR_SET_PDEATHSIG = 1
# What a run sends its reaper as it ends by itself.
_ENDED = b"ended"


def on_hosts(name: str, hosts_file: Path, work: Callable[[], int]) -> int:
    """Run `work` on the hosts of a file, remove them, and return its exit code."""
    started = time.monotonic()
    try:
        require_machine()
        with guarded(name, hosts_file):
            code = work()
    except HostError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{name}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return code


def end_with_parent() -> None:
    """Be asked to end when the parent, such as make, is killed; this end takes the rest along."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Hosts:
    """The hosts that go with a run: those of a file, if any."""

    file: Path | None

    def keep(self) -> None:
        """Let them stand when the run ends."""
        self.file = None


@contextlib.contextmanager
def guarded(name: str, hosts_file: Path | None = None) -> Iterator[Hosts]:
    """Run the body as the only run of this name; the hosts of the file, if any, go with it.

    Raises HostError when another one is at work.
    """
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hosts = Hosts(hosts_file)
    with _alone(name), _reaped(name, hosts):
        yield hosts


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    handle = os.open(f"/run/lock/goplot-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # As long as a reaper may take to remove the hosts of an earlier run.
        wait_until(f"another {name} is at work", lambda: _lock(handle), 120)
        _end_marked(name)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _reaped(name: str, hosts: Hosts) -> Iterator[None]:
    """Remove the hosts after the body, by a reaper should this process end before that is done."""
    reaper = None
    if hosts.file is not None:
        reaper = subprocess.Popen(
            [sys.executable, "-m", "tests.tools.guard", name, str(hosts.file)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
    os.environ[_MARK] = name
    try:
        yield
    finally:
        del os.environ[_MARK]
        _remove(name, hosts.file)
        # Not reached when somebody presses Ctrl-C again during the removal.
        if reaper is not None:
            reaper.communicate(_ENDED)


def _reap() -> int:
    name, hosts_file = sys.argv[1], Path(sys.argv[2])
    if sys.stdin.buffer.read() == _ENDED:
        return 0
    with _alone(name):
        _remove(name, hosts_file)
    return 0


def _remove(name: str, hosts_file: Path | None) -> None:
    _end_marked(name)
    if hosts_file is not None:
        down = [sys.executable, "-m", "tests.hosts", str(hosts_file), "down"]
        subprocess.run(down, check=False)


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


if __name__ == "__main__":
    sys.exit(_reap())
