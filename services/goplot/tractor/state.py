"""The record of a job as its tractor changes it: stage, phase, progress, result."""

import time
from collections.abc import Callable
from dataclasses import replace

from goplot.farm.jobs import Job
from goplot.host import clock
from goplot.host.annotations import Annotation, plot_start, plot_stop, spool
from goplot.host.jobstore import Result, end_job, read_jobs, write_job
from goplot.host.log import Log
from goplot.host.notify import notify
from goplot.host.settings import Settings
from goplot.host.success import record_success
from goplot.host.tunables import read_last_good, read_tunables
from goplot.plotters.base import Progress

_WRITE_PROGRESS_EVERY = 20.0
_RECORD_PAUSE = 30.0


class JobFailedError(Exception):
    """The job has ended without a plot. `reason` is from a fixed set, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class StoppedError(Exception):
    """Stopped while there is something to keep: the job continues when its unit starts again."""


class JobState:
    """One running job; every relevant change is on disk before it is acted upon.

    `stopping` is set by a signal handler.
    """

    def __init__(
        self, settings: Settings, job: Job, log: Log, wait: Callable[[float], None]
    ) -> None:
        """`wait` sleeps that many seconds, or less when the job is stopped."""
        self.settings = settings
        self.job = job
        self.wait = wait
        self.stopping = False
        self.progress = Progress()
        self._log = log
        self._written = 0.0
        self._phase_began = time.monotonic()
        self._unwritten = False

    def log(self, text: str, program: str | None = None) -> None:
        """Log a line about this job."""
        self._log(f"plot-{self.job.index} {text}", program)

    def warn(self, text: str, program: str | None = None) -> None:
        """Log a line about this job that needs a person's attention."""
        self._log.warn(f"plot-{self.job.index} {text}", program)

    def save(self, job: Job) -> None:
        """Replace the job's record. Raises OSError."""
        self.job = job
        self._written = time.monotonic()
        write_job(self.settings.roots.jobs, job)

    def save_or_wait(self, job: Job) -> None:
        """Replace the job's record, however long it takes until it can be written.

        Raises StoppedError when the job is stopped meanwhile.
        """
        while True:
            try:
                self.save(job)
                return
            except OSError as error:
                self.warn(f"waits until its record can be written: {error.strerror}")
            self.wait(_RECORD_PAUSE)
            if self.stopping:
                raise StoppedError

    def save_progress(self, job: Job) -> None:
        """Replace the record of progress; a full state disk must not end a plot under way."""
        try:
            self.save(job)
        except OSError as error:
            if not self._unwritten:
                self.warn(f"its progress can't be written: {error.strerror}")
            self._unwritten = True
        else:
            self._unwritten = False

    def note(self, text: str | None, *, phase: str | None = None) -> None:
        """Save, log and show a note for people; nothing happens if it is not new."""
        if text != self.job.note:
            self.save(replace(self.job, note=text, phase=phase or self.job.phase))
            if text is not None:
                self.warn(text, "endplot")
                notify(f"STATUS={text}")

    def take(self, progress: Progress) -> None:
        """Record what the plotter's log has reported, phase by phase, progress now and then."""
        before, self.progress = self.progress, progress
        if progress.plot_id != before.plot_id:
            self.save_progress(replace(self.job, plot_id=progress.plot_id))
        if (progress.phase, progress.fraction) != (before.phase, before.fraction):
            self.phase(progress.phase, progress.fraction)

    def phase(self, phase: str, progress: float) -> None:
        """Record phase and progress: at once for a new phase, otherwise now and then."""
        job = self.job
        now = time.monotonic()
        if phase != job.phase:
            seconds = {**job.phase_seconds, **self.progress.phase_seconds}
            if job.phase not in ("start", "stranded"):
                seconds.setdefault(job.phase, round(now - self._phase_began, 3))
            self._phase_began = now
            job = replace(job, phase_seconds=seconds)
        elif now - self._written < _WRITE_PROGRESS_EVERY:
            return
        notify(f"STATUS=phase {phase}, {progress:.0%}")
        self.save_progress(replace(job, phase=phase, progress=progress))

    def announce(self) -> None:
        """Annotate that the plot started."""
        self._annotate(lambda active, most: plot_start(self.job, active, most))

    def end(
        self, *, done: bool, reason: str = "", detail: str = "", plot: str | None = None
    ) -> None:
        """Record the result and release the reservation. Raises OSError."""
        job = self.job
        seconds = clock.seconds_between(job.start, clock.now())
        phases = dict(job.phase_seconds)
        if done:
            phases.setdefault("copy", time.monotonic() - self._phase_began)
        ended = time.time()
        word = "done" if done else f"failed: {reason}"
        # Before the result: a crash in between at worst sends it twice, but never loses it.
        self._annotate(lambda active, most: plot_stop(job, ended, seconds, word, active - 1, most))
        end_job(
            self.settings.roots.state,
            Result(
                index=job.index,
                done=done,
                reason=reason,
                detail=detail,
                ended=ended,
                seconds=round(seconds, 3),
                plotter=job.plotter,
                format=job.format.name,
                farm=job.dest_farm,
                disk=job.disk,
                temp_farm=job.temp_farm,
                plot_file=job.plot_file,
                phase_seconds={phase: round(s, 3) for phase, s in phases.items()},
                plot_id=job.id_apart,
            ),
        )
        if done:
            record_success(self.settings.roots.state, "tractor")
        outcome = f"done: {plot}{detail}" if done else f"failed ({reason}): {detail}"
        # A plot that was stopped by hand is not a failure. What is left needs a person.
        well = not detail if done else reason == "stopped"
        log = self.log if well else self.warn
        log(f"ended, total time: {seconds:.0f}, {outcome}", "endplot")

    def _annotate(self, make: Callable[[int, int], Annotation]) -> None:
        """Spool an annotation if Grafana is configured; a failure does not end the plot."""
        if self.settings.annotations.url is None:
            return
        roots = self.settings.roots
        try:
            active = len(read_jobs(roots.jobs)[0])
            most = read_tunables(roots.config, read_last_good(roots.state)).max_plots
            annotation = make(active, most).tagged(self.settings.annotations.tags)
            spool(roots.state, self.job.index, annotation)
        except OSError as error:
            self.warn(f"its annotation is lost: {error}")
