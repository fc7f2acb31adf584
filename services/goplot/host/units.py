"""Starts, stops and lists the units that run tractors."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from goplot.host.settings import Settings


class UnitError(Exception):
    """A unit could not be started, stopped or queried."""


class Units(Protocol):
    """What runs tractors, one unit per job index. Every method raises UnitError."""

    def start(self, index: int) -> None:
        """Start a job's unit, without waiting for it."""

    def stop(self, index: int) -> None:
        """Ask a job's unit to end, without waiting for it."""

    def freeze(self, index: int) -> None:
        """Freeze a unit's processes."""

    def thaw(self, index: int) -> None:
        """Resume a frozen unit."""

    def running(self) -> dict[int, bool]:
        """Indexes of the units that run or are being started or stopped; True: frozen."""


def units_of(settings: Settings) -> Units:
    """The adapter that the settings name."""
    if settings.host.units == "processes":
        return ProcessUnits(settings)
    return SystemdUnits()


class SystemdUnits:
    """goplot-plot@<index>.service."""

    def start(self, index: int) -> None:
        """See Units."""
        systemctl("start", "--no-block", unit_name(index))

    def stop(self, index: int) -> None:
        """See Units."""
        if self.running().get(index):
            # A frozen unit does not receive the signal to end.
            systemctl("thaw", unit_name(index))
        systemctl("stop", "--no-block", unit_name(index))

    def freeze(self, index: int) -> None:
        """See Units."""
        systemctl("freeze", unit_name(index))

    def thaw(self, index: int) -> None:
        """See Units."""
        systemctl("thaw", unit_name(index))

    def running(self) -> dict[int, bool]:
        """See Units."""
        output = systemctl("show", "goplot-plot@*", "-p", "Id,ActiveState,FreezerState")
        found: dict[int, bool] = {}
        for block in output.split("\n\n"):
            fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            name = fields.get("Id", "").removeprefix("goplot-plot@").removesuffix(".service")
            if name.isdigit() and fields.get("ActiveState") not in ("inactive", "failed"):
                found[int(name)] = fields.get("FreezerState") == "frozen"
        return found


def systemctl(*arguments: str, seconds: float = 30) -> str:
    """What systemctl answers. Raises UnitError."""
    try:
        done = subprocess.run(
            ["systemctl", "--no-pager", "--no-ask-password", *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnitError(f"systemctl {arguments[0]}: {error}") from error
    if done.returncode:
        raise UnitError(f"systemctl {arguments[0]}: {done.stderr.strip() or done.returncode}")
    return done.stdout


class ProcessUnits:
    """Tractors as plain processes, for use without systemd.

    A tractor holds the lock on its job's `.lock` file while it lives.
    """

    def __init__(self, settings: Settings) -> None:
        """Tractors get the same settings file."""
        self._settings = settings.path
        self._jobs = settings.roots.jobs

    def start(self, index: int) -> None:
        """See Units."""
        code = "import sys; from goplot.tractor.service import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "--settings", str(self._settings), str(index)]
        try:
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise UnitError(f"tractor {index}: {error.strerror}") from error

    def stop(self, index: int) -> None:
        """See Units."""
        import signal

        # A frozen tractor gets the signal only after it is resumed.
        self._signal(index, signal.SIGTERM, group=False)
        self._signal(index, signal.SIGCONT, group=True)

    def freeze(self, index: int) -> None:
        """See Units."""
        import signal

        self._signal(index, signal.SIGSTOP, group=True)

    def thaw(self, index: int) -> None:
        """See Units."""
        import signal

        self._signal(index, signal.SIGCONT, group=True)

    def running(self) -> dict[int, bool]:
        """See Units."""
        found: dict[int, bool] = {}
        for path in self._jobs.glob("*.lock"):
            if path.stem.isdecimal() and (process := lock_holder(path)) is not None:
                found[int(path.stem)] = _is_stopped(process)
        return found

    def _signal(self, index: int, number: int, *, group: bool) -> None:
        process = lock_holder(self._jobs / f"{index}.lock")
        if process is None:
            raise UnitError(f"plot {index} does not run")
        try:
            (os.killpg if group else os.kill)(process, number)
        except OSError as error:
            raise UnitError(f"plot {index}: {error.strerror}") from error


def unit_name(index: int) -> str:
    """The unit of a job."""
    return f"goplot-plot@{index}.service"


def lock_holder(path: Path) -> int | None:
    """The process that holds a lock file, or None. The file's text names the process."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 20, 0).decode().strip()
        return int(text) if text.isdigit() else 0
    else:
        return None
    finally:
        os.close(descriptor)


def _is_stopped(process: int) -> bool:
    import psutil

    try:
        return psutil.Process(process).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False
