"""goplot-tractor: runs the plot job of one index."""

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from goplot.host import program
from goplot.host.jobstore import read_job
from goplot.host.log import Log
from goplot.host.notify import notify
from goplot.host.settings import Settings
from goplot.tractor.job import JobRun
from goplot.tractor.state import JobState, StoppedError

_logger = logging.getLogger(__name__)
USAGE = 2
_LOCK_TRIES = 20
_LOCK_PAUSE = 0.05


def main() -> int:
    """Run one job. Returns 0 when its plot is done or safe, 1 when the job failed."""
    arguments = program.parser("goplot-tractor", __doc__)
    arguments.add_argument("index", type=int, help="index of a reserved plot job")
    options = arguments.parse_args()
    return program.run(
        "goplot-tractor", options.settings, lambda settings: _job(settings, options.index)
    )


def _job(settings: Settings, index: int) -> int:
    log = Log(settings.roots.main_log, "prejob")
    lock = _lock(settings.roots.jobs / f"{index}.lock")
    if lock is None:
        _logger.error("plot %d has a tractor already", index)
        return USAGE
    try:
        job = read_job(settings.roots.jobs, index)
        if job is None:
            _logger.error("no such plot job: %d", index)
            return USAGE
        woken = threading.Event()
        run = JobRun(JobState(settings, job, log, lambda seconds: _discard(woken.wait(seconds))))

        def stop(*_: object) -> None:
            run.stop()
            woken.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        notify("READY=1")
        return program.OK if run.run() else program.FAILED
    except StoppedError:
        log(f"plot-{index} was stopped and goes on with its next tractor", "endplot")
        return program.OK
    except (OSError, ValueError, TypeError) as error:
        log(f"plot-{index} can't go on, its job is kept: {error!r}", "endplot", logging.ERROR)
        return program.FAILED
    finally:
        (settings.roots.jobs / f"{index}.lock").unlink(missing_ok=True)
        os.close(lock)


def _discard(_: bool) -> None:
    return None


def _lock(path: Path) -> int | None:
    """Take the lock that marks a job as having a tractor; None when it has one.

    Checks for a tractor hold the lock for a moment, so this is retried.
    """
    for _ in range(_LOCK_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            # Held, or removed by a tractor that has just ended.
            time.sleep(_LOCK_PAUSE)
        os.close(descriptor)
    return None


if __name__ == "__main__":
    sys.exit(main())
