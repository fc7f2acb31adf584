"""One plot job from its unit's start to its result."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from goplot.farm.jobs import Job, Stage
from goplot.farm.placement import NoRoom, place_disk
from goplot.host import clock
from goplot.host.files import locked
from goplot.host.jobstore import Result, end_job, write_job
from goplot.host.log import Log
from goplot.host.mounts import opened
from goplot.host.notify import notify
from goplot.host.observe import observe, written_by
from goplot.host.settings import Settings
from goplot.host.tunables import read_number, tunable_path
from goplot.tractor.cleanup import clean
from goplot.tractor.deliver import StoppedError, deliver, is_delivered, remove_partial
from goplot.tractor.plotters import command_of, plotter_of
from goplot.tractor.plotters.base import Progress
from goplot.tractor.process import PlotterProcess, end_leftover
from goplot.tractor.reserve import request_for
from goplot.tractor.verify import NotWholeError, finished_plot, verify

_WRITE_PROGRESS_EVERY = 20.0
_STRANDED_POLL = 60.0


class JobFailedError(Exception):
    """The job is over without a plot. `reason` is of a fixed set, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class JobRun:
    """Runs one job. `stop()` may be called from a signal handler at any time."""

    def __init__(
        self, settings: Settings, job: Job, log: Log, wait: Callable[[float], None]
    ) -> None:
        """`wait` sleeps that many seconds, or less when `stop()` is called."""
        self._settings = settings
        self._job = job
        self._log = log
        self._wait = wait
        self._stopping = False
        self._plotter: PlotterProcess | None = None
        self._written = 0.0
        self._progress = Progress()
        self._phase_began = time.monotonic()

    def stop(self) -> None:
        """End the job: a plot under way is given up, a finished one stays safe on temp."""
        self._stopping = True
        if self._plotter is not None:
            self._plotter.terminate()

    def run(self) -> bool:
        """Bring the job to its end. Returns True when its plot is done.

        Raises StoppedError when it was stopped with a finished plot: the job then goes on when its
        unit is started again. Raises OSError when its state can't be kept.
        """
        try:
            if self._job.stage is Stage.PLACED:
                self._plot()
            elif self._job.stage is Stage.PLOTTING:
                self._recover()
            plot = self._deliver()
        except JobFailedError as failure:
            self._fail(failure)
            return False
        self._end(done=True, plot=plot)
        return True

    def _plot(self) -> None:
        """Run the plotter to its end and verify what it made."""
        job = self._job
        settings = self._settings.plotters.get(job.plotter)
        if settings is None:
            raise JobFailedError(
                "settings", f"{self._settings.path} has no [plotters.{job.plotter}]"
            )
        self._check_temp()
        log_file = self._open_log()
        request = request_for(self._settings, job.plotter, job.format, job.folder)
        grammar = plotter_of(settings)
        try:
            command = command_of(settings, request)
        except ValueError as error:
            raise JobFailedError("settings", str(error)) from error
        self._keep(replace(self._job, stage=Stage.PLOTTING))
        job = self._job
        try:
            job.folder.mkdir(mode=0o750, exist_ok=True)
            self._plotter = PlotterProcess(command, settings.environment, job.folder)
        except OSError as error:
            raise JobFailedError("plotter", f"{command[0]}: {error.strerror}") from error
        self._log(f"plot-{job.index} started: {' '.join(command)}", "strtplot")
        self._keep(replace(job, process=self._plotter.identity))
        if self._stopping:
            self._plotter.terminate()
        self._phase_began = time.monotonic()
        status = self._plotter.follow(log_file, lambda text: self._take(grammar.read_line, text))
        if log_file is not None:
            log_file.close()
        if finished_plot(job.folder) is None:
            self._judge(status)
        self._verify()

    def _judge(self, status: int) -> None:
        """Say why a plotter ended without a plot."""
        if self._stopping:
            raise JobFailedError("stopped", f"stopped in phase {self._job.phase}")
        text = self._progress.error or "no reason in its log"
        if "No space left" in text:
            raise JobFailedError("temp_space", text)
        if status < 0:
            raise JobFailedError("killed", f"the plotter was killed by signal {-status}")
        raise JobFailedError("plotter", f"the plotter ended with status {status}: {text}")

    def _recover(self) -> None:
        """Go on after a tractor that died: a finished plot is kept, anything less is given up."""
        end_leftover(self._job.process)
        try:
            plot = finished_plot(self._job.folder)
        except OSError as error:
            raise JobFailedError("temp", f"{self._job.folder}: {error.strerror}") from error
        if plot is None:
            raise JobFailedError(
                "crash", f"its tractor or the host went down in phase {self._job.phase}"
            )
        self._verify()

    def _verify(self) -> None:
        """Check the finished plot and pass from plotting to delivering."""
        plot = finished_plot(self._job.folder)
        assert plot is not None
        self._phase("verify", 1.0)
        try:
            plot_id = verify(plot, self._job.format)
        except NotWholeError as error:
            raise JobFailedError("verify", str(error)) from error
        except OSError as error:
            raise JobFailedError("temp", f"{plot}: {error.strerror}") from error
        self._keep(replace(self._job, stage=Stage.DELIVERING, plot_id=plot_id, plot_file=plot.name))

    def _check_temp(self) -> None:
        """Refuse to plot where the temp farm is gone or full by now."""
        job = self._job
        for temp in observe(self._settings).temps:
            if temp.path == job.temp_path:
                if temp.trouble is not None or temp.space is None:
                    raise JobFailedError("temp", f"{job.temp_path} is {temp.trouble}")
                if temp.space.free < temp.committed:
                    raise JobFailedError(
                        "temp_space",
                        f"{job.temp_path} has {temp.space.free} bytes free and "
                        f"{temp.committed} committed",
                    )
                return
        raise JobFailedError("temp", f"{job.temp_path} is not there")

    def _open_log(self) -> BinaryIO | None:
        """The plotter's log on the destination; a destination that can't take it is replaced."""
        for _ in range(3):
            job = self._job
            try:
                with opened(job.disk_path, self._settings.host.mountinfo) as mount:
                    descriptor = os.open(
                        f"logs/{job.log_name}",
                        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
                        0o640,
                        dir_fd=mount,
                    )
                return os.fdopen(descriptor, "wb", buffering=0)
            except OSError as error:
                self._log(f"plot-{job.index} can't use {job.disk_path}: {error.strerror}")
            if not self._choose_disk(excluded={job.disk_path}):
                raise JobFailedError(
                    "destination", f"{job.disk_path} can't be used, and no other disk fits"
                )
        raise JobFailedError("destination", "three disks in a row can't be used")

    def _deliver(self) -> str:
        """Bring the finished plot to a disk, wait for one if need be. Returns its path."""
        failed: set[Path] = set()
        while True:
            job = self._job
            assert job.plot_file is not None
            source = job.folder / job.plot_file
            mountinfo = self._settings.host.mountinfo
            if self._fits(failed):
                try:
                    self._phase("copy", 0.0)
                    size = source.stat().st_size
                    if not is_delivered(size, job.disk_path, job.plot_file, mountinfo):
                        deliver(
                            source,
                            job.disk_path,
                            mountinfo,
                            lambda share: self._phase("copy", share),
                            lambda: self._stopping,
                        )
                    return str(job.disk_path / "plots" / job.plot_file)
                except FileNotFoundError:
                    if not source.exists():
                        return self._lost_source()
                    self._log(f"plot-{job.index} {job.disk_path} has no plots folder", "endplot")
                except OSError as error:
                    text = error.strerror or str(error)
                    self._log(f"plot-{job.index} can't go to {job.disk_path}: {text}", "endplot")
                failed.add(job.disk_path)
                remove_partial(job.disk_path, job.plot_file, mountinfo)
            elif not self._choose_disk(excluded=failed):
                self._strand()
                failed.clear()

    def _lost_source(self) -> str:
        """The plot left temp: it was delivered before a crash, or its temp farm is gone."""
        job = self._job
        assert job.plot_file is not None
        target = job.disk_path / "plots" / job.plot_file
        if target.exists():
            return str(target)
        raise JobFailedError("temp", f"the finished plot is gone from {job.folder}")

    def _fits(self, failed: set[Path]) -> bool:
        """True when the job's disk can take its plot beside what is committed to it."""
        job = self._job
        if job.disk_path in failed or job.stage is Stage.STRANDED:
            return False
        for disk in observe(self._settings).disks:
            if disk.path == job.disk_path:
                if disk.trouble is not None or disk.space is None:
                    self._log(f"plot-{job.index} {disk.path} is {disk.trouble}", "endplot")
                    return False
                # The job's own claim is part of what is committed.
                if disk.space.free < self._to_write():
                    self._log(f"plot-{job.index} {disk.path} has no room left", "endplot")
                    return False
                return True
        return False

    def _to_write(self) -> int:
        """Bytes of the finished plot that are not at the destination yet."""
        job = self._job
        assert job.plot_file is not None
        try:
            size = (job.folder / job.plot_file).stat().st_size
        except OSError:
            return 0
        return max(0, size - written_by(job).dest)

    def _choose_disk(self, excluded: set[Path]) -> bool:
        """Give the job another destination under the lock; False when none fits."""
        roots = self._settings.roots
        with locked(roots.state / "start.lock"):
            disks = [d for d in observe(self._settings).disks if d.path not in excluded]
            last = read_number(tunable_path(roots.config, "farm_dest"), 0)
            found = place_disk(disks, self._job.plot_bytes, last)
            if isinstance(found, NoRoom):
                return False
            stage = Stage.DELIVERING if self._job.plot_file else self._job.stage
            self._keep(
                replace(
                    self._job,
                    stage=stage,
                    dest_farm=found.farm,
                    disk=found.name,
                    disk_path=found.path,
                    note=None,
                )
            )
        self._log(f"plot-{self._job.index} goes to {found.path}")
        return True

    def _strand(self) -> None:
        """Keep a finished plot on temp until a disk can take it."""
        job = self._job
        if job.stage is not Stage.STRANDED:
            note = f"no disk can take it; it is safe in {job.folder}"
            self._keep(replace(job, stage=Stage.STRANDED, phase="stranded", note=note))
            self._log(f"plot-{job.index} is finished, but {note}", "endplot")
            notify(f"STATUS=stranded: {note}")
        self._wait(_STRANDED_POLL)
        if self._stopping:
            raise StoppedError

    def _take(self, read_line: Callable[[Progress, str], Progress], text: str) -> None:
        before = self._progress
        after = self._progress = read_line(before, text)
        if after.plot_id != before.plot_id:
            self._keep(replace(self._job, plot_id=after.plot_id))
        if (after.phase, after.fraction) != (before.phase, before.fraction):
            self._phase(after.phase, after.fraction)

    def _phase(self, phase: str, progress: float) -> None:
        """Keep phase and progress: at once when the phase is new, else now and then."""
        job = self._job
        now = time.monotonic()
        if phase != job.phase:
            seconds = {**job.phase_seconds, **self._progress.phase_seconds}
            if job.phase not in ("start", "stranded"):
                seconds.setdefault(job.phase, round(now - self._phase_began, 3))
            self._phase_began = now
            job = replace(job, phase_seconds=seconds)
        elif now - self._written < _WRITE_PROGRESS_EVERY:
            return
        notify(f"STATUS=phase {phase}, {progress:.0%}")
        self._keep(replace(job, phase=phase, progress=progress))

    def _keep(self, job: Job) -> None:
        self._job = job
        self._written = time.monotonic()
        write_job(self._settings.roots.jobs, job)

    def _fail(self, failure: JobFailedError) -> None:
        job = self._job
        try:
            left = clean(job.folder, keep_plot=False)
        except OSError as error:
            left = [f"everything: {error.strerror}"]
        if job.plot_file is not None:
            remove_partial(job.disk_path, job.plot_file, self._settings.host.mountinfo)
        detail = str(failure)
        if left:
            detail += f"; left in {job.folder}: {', '.join(left)}"
        self._end(done=False, reason=failure.reason, detail=detail)

    def _end(
        self, *, done: bool, reason: str = "", detail: str = "", plot: str | None = None
    ) -> None:
        job = self._job
        seconds = clock.seconds_between(job.start, clock.now())
        if done:
            phase_seconds = {**job.phase_seconds, "copy": time.monotonic() - self._phase_began}
            left = clean_delivered(job)
            if left:
                detail = f"left in {job.folder}: {', '.join(left)}"
        else:
            phase_seconds = dict(job.phase_seconds)
        end_job(
            self._settings.roots.state,
            Result(
                index=job.index,
                done=done,
                reason=reason,
                detail=detail,
                ended=time.time(),
                seconds=round(seconds, 3),
                plotter=job.plotter,
                format=job.format.name,
                farm=job.dest_farm,
                disk=job.disk,
                temp_farm=job.temp_farm,
                plot_file=job.plot_file,
                phase_seconds={phase: round(s, 3) for phase, s in phase_seconds.items()},
            ),
        )
        outcome = f"done: {plot}" if done else f"failed ({reason}): {detail}"
        self._log(f"plot-{job.index} ended, total time: {seconds:.0f}, {outcome}", "endplot")


def clean_delivered(job: Job) -> list[str]:
    """Remove what a delivered job has on temp; returns names that were left."""
    try:
        return clean(job.folder, keep_plot=False)
    except OSError as error:
        return [f"everything: {error.strerror}"]
