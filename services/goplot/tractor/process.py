"""Runs a plotter and reads its log as it comes."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from goplot.host.clock import start_ticks

_KILL_AFTER = 20.0


class PlotterProcess:
    """A running plotter; its output goes line by line to `line` and unchanged to a log."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start it in `folder`. Raises OSError."""
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_own_environment(), "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def identity(self) -> str:
        """Process id and start time: together they are unique."""
        return identity(self._process.pid) or f"{self._process.pid}:gone"

    def follow(self, log: BinaryIO | None, line: Callable[[str], None]) -> int:
        """Read the output to its end. Returns the exit status, negative for a signal.

        A log that can't be written, because its disk went away, does not end the plot.
        """
        output = self._process.stdout
        assert output is not None
        pending = b""
        while data := os.read(output.fileno(), 65536):
            if log is not None:
                try:
                    log.write(data)
                    log.flush()
                except OSError:
                    log = None
            *lines, pending = (pending + data).split(b"\n")
            for text in lines:
                line(text.decode(errors="replace").rstrip("\r"))
        return self._process.wait()

    def terminate(self) -> None:
        """Ask the plotter to end; may be called from a signal handler."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            signal.signal(signal.SIGALRM, lambda *_: self._process.kill())
            signal.setitimer(signal.ITIMER_REAL, _KILL_AFTER)


def _own_environment() -> dict[str, str]:
    """The program's environment without systemd's variables for this process."""
    ours = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY")
    return {name: value for name, value in os.environ.items() if name not in ours}


def identity(process: int) -> str | None:
    """Process id with the start time in clock ticks, or None without such a process."""
    ticks = start_ticks(process)
    return None if ticks is None else f"{process}:{ticks}"


def end_leftover(known: str | None) -> None:
    """Kill the plotter that an earlier tractor of the same job left running, if it still runs."""
    if known is None:
        return
    process = int(known.split(":")[0])
    if identity(process) != known:
        return
    # The descriptor stays bound to this process, so no other one can be killed.
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        if identity(process) == known:
            import select

            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], _KILL_AFTER)
    finally:
        os.close(descriptor)
