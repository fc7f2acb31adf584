"""Delivers a job's finished plot to a disk, to another one if necessary, or waits if none fits."""

import errno
from collections import Counter
from dataclasses import replace
from pathlib import Path

from goplot.farm.disks import Disk
from goplot.farm.jobs import Job, Stage, partial_name
from goplot.farm.placement import NoRoom, place_disk
from goplot.host.files import locked
from goplot.host.jobstore import stop_path
from goplot.host.mounts import is_mounted
from goplot.host.observe import observe, written_by
from goplot.host.refusals import forget_refusal, record_refusal
from goplot.host.tunables import read_number, tunable_path
from goplot.tractor.copy import SourceError, copy_plot, has_plot, remove_partial
from goplot.tractor.state import JobFailedError, JobState, StoppedError

WAIT = 60.0
# At most so many waits until a disk is tried again.
_LONGEST = 64


class Attempts:
    """The disks that failed to take a plot: each further failure keeps a disk out for longer.

    A copy costs both devices hours of work: a disk that fails each one is not tried every minute.
    Counted in waits of WAIT seconds: a disk is out for 1, 2, 4 … of them, an hour at most.
    """

    def __init__(self) -> None:
        """Nothing failed so far."""
        self._waits = 0
        self._count: Counter[Path] = Counter()
        self._until: dict[Path, int] = {}

    def failed(self, disk: Path) -> None:
        """A disk failed to take the plot."""
        self._until[disk] = self._waits + min(_LONGEST, 2 ** self._count[disk])
        self._count[disk] += 1

    def waited(self) -> None:
        """One wait is over."""
        self._waits += 1

    def excluded(self) -> set[Path]:
        """The disks that are out now."""
        return {disk for disk, until in self._until.items() if until > self._waits}


def deliver(state: JobState) -> str:
    """Deliver the finished plot to a disk. Returns the plot's path.

    Raises StoppedError when the job is stopped: the plot then stays where it is, and
    JobFailedError when the plot is neither on its temp farm nor on its disk, or when a person
    gives it up while it is out of reach.
    """
    attempts = Attempts()
    mountinfo = state.settings.host.mountinfo
    while True:
        job = state.job
        failed = attempts.excluded()
        name = plot_name(state)
        away = _why_out_of_sight(job.folder / name)
        if away is not None:
            if has_plot(job.disk_path, name, job.plot_id, mountinfo):
                # Delivered before a crash, and removed from temp since.
                return str(job.disk_path / "plots" / name)
            _wait_for_plot(state, away)
        elif job.stage is not Stage.STRANDED and (disk := _fitting(state, failed)) is not None:
            if _copied(state, disk):
                return str(job.disk_path / "plots" / name)
            attempts.failed(job.disk_path)
        elif not choose_disk(state, failed):
            strand(state)
            attempts.waited()


def is_in_sight(job: Job) -> bool:
    """True when a job's finished plot can be seen on its temp farm."""
    return job.plot_file is not None and _why_out_of_sight(job.folder / job.plot_file) is None


def plot_name(state: JobState) -> str:
    """The finished plot's file name."""
    if state.job.plot_file is None:
        raise JobFailedError("temp", "its record names no plot")
    return state.job.plot_file


def choose_disk(state: JobState, excluded: set[Path]) -> bool:
    """Give the job another destination under the lock; False when none fits. Raises OSError."""
    roots = state.settings.roots
    with locked(roots.state / "start.lock"):
        disks = [disk for disk in observe(state.settings).disks if disk.path not in excluded]
        last = read_number(tunable_path(roots.config, "farm_dest"), 0)
        found = place_disk(disks, state.job.plot_bytes, last)
        if isinstance(found, NoRoom):
            return False
        stage = Stage.DELIVERING if state.job.plot_file else state.job.stage
        state.save(
            replace(
                state.job,
                stage=stage,
                dest_farm=found.farm,
                disk=found.name,
                disk_path=found.path,
                note=None,
            )
        )
    state.log(f"goes to {found.path}", "endplot")
    return True


def strand(state: JobState) -> None:
    """Keep a finished plot on temp, and wait a while for a disk that can take it."""
    if state.job.stage is not Stage.STRANDED:
        state.save(replace(state.job, stage=Stage.STRANDED))
        note = f"no disk can take it; it is safe in {state.job.folder}"
        state.note(note, phase="stranded")
    pause(state)


def pause(state: JobState) -> None:
    """Wait a while. Raises StoppedError when the job is stopped."""
    state.wait(WAIT)
    if state.stopping:
        raise StoppedError


def _copied(state: JobState, disk: Disk) -> bool:
    """Copy the plot to the job's disk; False when the disk rejects it."""
    job = state.job
    name = plot_name(state)
    partial = partial_name(name, job.plot_id)
    mountinfo = state.settings.host.mountinfo
    state.note(None)
    state.phase("copy", 0.0)
    size = (job.folder / name).stat().st_size
    try:
        copy_plot(
            job.folder / name,
            partial,
            job.disk_path,
            mountinfo,
            lambda share: state.phase("copy", share),
            lambda: state.stopping,
        )
    except OSError as error:
        state.warn(f"can't go to {job.disk_path}: {error.strerror or error}", "endplot")
        remove_partial(job.disk_path, partial, mountinfo)
        if not isinstance(error, SourceError):
            refuse(state, disk, size, error)
        return False
    try:
        forget_refusal(state.settings.roots.state, job.disk_path, size)
    except OSError as error:
        state.warn(f"can't forget what {job.disk_path} refused: {error.strerror}", "endplot")
    return True


# What says something about a plot's size. A disk that is not mounted, is read-only or fails (which
# XFS reports in many ways) shows that without a record, and is back as soon as it works again.
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse(state: JobState, disk: Disk, size: int, error: OSError) -> None:
    """Record that a disk refused the job's plot, so that the next one is not tried there.

    `disk` is as it was before.
    """
    if disk.space is None or error.errno not in _REFUSALS:
        return
    detail = error.strerror or str(error)
    try:
        record_refusal(state.settings.roots.state, disk.path, size, detail, disk.space)
    except OSError as problem:
        state.warn(f"can't record that {disk.path} refused it: {problem.strerror}", "endplot")


def disk_of(state: JobState) -> Disk | None:
    """The job's disk as it is now; None when it is not there. Raises OSError."""
    path = state.job.disk_path
    return next((disk for disk in observe(state.settings).disks if disk.path == path), None)


def _fitting(state: JobState, failed: set[Path]) -> Disk | None:
    """The job's disk, if it can receive its plot."""
    job = state.job
    disk = None if job.disk_path in failed else disk_of(state)
    if disk is None:
        return None
    if disk.trouble is not None:
        state.warn(f"{disk.path} {disk.trouble.predicate}", "endplot")
        return None
    if not disk.takes(job.plot_bytes):
        state.warn(f"{disk.path} refused a plot of its size", "endplot")
        return None
    missing = (job.folder / plot_name(state)).stat().st_size - written_by(job).dest
    if disk.space is None or disk.space.free < missing:
        state.warn(f"{disk.path} has no room left", "endplot")
        return None
    return disk


def _why_out_of_sight(plot: Path) -> OSError | None:
    """Why the finished plot can't be seen on its temp farm; None when it can."""
    try:
        plot.stat()
    except OSError as error:
        return error
    return None


def _wait_for_plot(state: JobState, away: OSError) -> None:
    """Wait while the plot's temp farm or its disk is not mounted or can't be read."""
    job = state.job
    mountinfo = state.settings.host.mountinfo
    absent = [
        str(path) for path in (job.temp_path, job.disk_path) if not is_mounted(path, mountinfo)
    ]
    if absent:
        note = f"waits until {' and '.join(absent)} is mounted again"
    elif isinstance(away, FileNotFoundError):
        raise JobFailedError("temp", f"the finished plot is gone from {job.folder}")
    else:
        note = f"waits until {job.folder} can be read: {away.strerror}"
    if stop_path(state.settings.roots.jobs, job.index).exists():
        raise JobFailedError("stopped", f"given up while it {note}")
    state.note(note)
    pause(state)
