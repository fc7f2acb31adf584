"""One plot job from its unit's start to its result."""

import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from goplot.farm.jobs import Stage
from goplot.host import clock
from goplot.host.files import sync_file, sync_folder
from goplot.host.jobstore import stop_path
from goplot.host.mounts import is_mounted, opened, read_space
from goplot.host.observe import observe, written_by
from goplot.host.plotfiles import (
    TEMPORARY,
    NotWholeError,
    clean,
    find_plots,
    find_unnamed,
    verify,
)
from goplot.host.processes import works_in
from goplot.plotters.base import Plotter
from goplot.plotters.registry import command_of, plotter_of, request_for
from goplot.tractor.copy import remove_partial
from goplot.tractor.delivery import choose_disk, deliver, disk_of, pause, refuse
from goplot.tractor.process import PlotterProcess, end_leftover
from goplot.tractor.state import JobFailedError, JobState

_LOOK_AGAIN = 2.0


class JobRun:
    """Runs one job. `stop()` may be called from a signal handler at any time."""

    def __init__(self, state: JobState) -> None:
        """`state` is the job as it was reserved, or as an earlier tractor left it."""
        self._state = state
        self._plotter: PlotterProcess | None = None

    def stop(self) -> None:
        """End the job: a running plot is abandoned, a finished one stays safe on temp."""
        self._state.stopping = True
        if self._plotter is not None:
            self._plotter.terminate()

    def run(self) -> bool:
        """Run the job to its end. Returns True when its plot is done.

        Raises StoppedError when it was stopped and goes on later, OSError when its state can't be
        kept.
        """
        state = self._state
        try:
            if state.job.stage is Stage.PLACED:
                if self._given_up():
                    raise JobFailedError("stopped", "stopped before its plotter started")
                self._plot()
            elif state.job.stage is Stage.PLOTTING:
                self._recover()
            plot = deliver(state)
        except JobFailedError as failure:
            detail = str(failure) + self._clean()
            state.end(done=False, reason=failure.reason, detail=detail)
            return False
        state.end(done=True, plot=plot, detail=self._clean(state.job.plot_file))
        return True

    def _plot(self) -> None:
        """Run the plotter to its end and verify its plot."""
        state = self._state
        job = state.job
        settings = state.settings.plotters.get(job.plotter)
        if settings is None:
            raise JobFailedError("settings", f"{state.settings.path} has no {job.plotter}")
        self._check_temp()
        log_file = self._open_log()
        grammar = plotter_of(settings)
        plot = state.settings.plot
        request = request_for(plot, settings, job.format, job.folder, job.temp2_folder)
        try:
            command = command_of(settings, request)
        except ValueError as error:
            raise JobFailedError("settings", str(error)) from error
        # The boot in which the plotter runs is what counts after a crash.
        state.save(replace(state.job, stage=Stage.PLOTTING, start=clock.now()))
        try:
            for folder in (job.folder, job.temp2_folder):
                if folder is not None:
                    folder.mkdir(mode=0o750, exist_ok=True)
            self._plotter = PlotterProcess(command, settings.environment, job.folder)
        except OSError as error:
            raise JobFailedError("plotter", f"{command[0]}: {error.strerror}") from error
        state.log(f"started: {' '.join(command)}", "strtplot")
        state.save_progress(replace(state.job, process=self._plotter.identity))
        state.announce()
        if state.stopping:
            self._plotter.terminate()
        status = self._plotter.follow(log_file, lambda text: self._take(grammar, text))
        if log_file is not None:
            log_file.close()
        self._finish(status)

    def _take(self, grammar: Plotter, line: str) -> None:
        """Record what a line of the log reports; a plotter that waits for a disk is ended."""
        self._state.take(grammar.read_line(self._state.progress, line))
        if self._state.progress.stuck and self._plotter is not None:
            self._plotter.terminate()

    def _finish(self, status: int) -> None:
        """Take over the plot that a plotter left, or say why there is none."""
        state = self._state
        faults = self._take_over()
        if faults is None:
            return
        if status == 0 and not state.stopping:
            # It may have finished on a temp farm that is not mounted just now, or in a process
            # that goes on in the background.
            self._await_temp()
            self._await_processes()
            faults = self._take_over(unnamed=True)
            if faults is None:
                return
        if state.stopping:
            raise JobFailedError("stopped", f"stopped in phase {state.job.phase}")
        text = state.progress.error or "no reason in its log"
        if "No space left" in text:
            raise JobFailedError("temp_space", text)
        for path in state.job.temp_paths:
            if not is_mounted(path, state.settings.host.mountinfo):
                raise JobFailedError("temp", f"{path} went away")
        if state.progress.stuck:
            raise JobFailedError("temp_space" if self._temp_is_full() else "temp", text)
        if faults:
            raise JobFailedError("verify", "; ".join(faults))
        if status < 0:
            raise JobFailedError("killed", f"the plotter was killed by signal {-status}")
        if status == 0:
            text = f"it left no plot in {state.job.folder}; {text}"
        raise JobFailedError("plotter", f"the plotter ended with status {status}: {text}")

    def _temp_is_full(self) -> bool:
        """True when the temp farm has less free space than the job would still write."""
        job = self._state.job
        written = written_by(job)
        missing = {
            job.temp_path: job.temp_bytes - written.temp,
            job.temp2_path: job.temp2_bytes - written.temp2,
        }
        try:
            return any(read_space(path).free < size for path, size in missing.items() if path)
        except OSError:
            return False

    def _recover(self) -> None:
        """Continue after a tractor that died: a whole plot is delivered, others are abandoned."""
        state = self._state
        end_leftover(state.job.process)
        self._await_temp()
        # A plot that the host took down with it before it was synced may have lost any part: a
        # person decides about it.
        rebooted = not clock.same_boot(state.job.start, clock.now())
        faults = [] if rebooted else self._take_over()
        if faults is not None:
            detail = f"its tractor or the host went down in phase {state.job.phase}"
            raise JobFailedError("crash", "; ".join([detail, *faults]))

    def _given_up(self) -> bool:
        """True when a person stopped the job with `goplot stop`."""
        return stop_path(self._state.settings.roots.jobs, self._state.job.index).exists()

    def _await_temp(self) -> None:
        """Wait until the temp farm is mounted; its content is unknown before."""
        state = self._state
        while not is_mounted(state.job.temp_path, state.settings.host.mountinfo):
            if self._given_up():
                raise JobFailedError("stopped", f"{state.job.temp_path} is not mounted")
            state.note(f"waits until {state.job.temp_path} is mounted again")
            pause(state)
        state.note(None)

    def _await_processes(self) -> None:
        """Wait while a process that the plotter started still works in the job's folder."""
        state = self._state
        while works_in(state.job.folder) and not state.stopping:
            state.note("its plotter ended, but left processes that are at work: waits for them")
            state.wait(_LOOK_AGAIN)
        state.note(None)

    def _take_over(self, *, unnamed: bool = False) -> list[str] | None:
        """Pass from plotting to delivering with the first whole plot in the job's folder.

        Returns None, or what is wrong with each plot if none is whole. `unnamed`: a file that
        is whole, but was not given a plot's name, is given it.
        """
        state = self._state
        folder = state.job.folder
        faults = []
        try:
            found = find_plots(folder) + (find_unnamed(folder) if unnamed else [])
            for path in found:
                state.phase("verify", 1.0)
                try:
                    plot_id = verify(path, state.job.format)
                except NotWholeError as error:
                    faults.append(str(error))
                    continue
                plot = folder / path.name.removesuffix(TEMPORARY)
                if plot != path:
                    if plot.exists():
                        continue
                    path.rename(plot)
                # From here on the plot counts as finished, even after a power cut.
                sync_file(plot)
                sync_folder(state.job.temp_path)
                stage = Stage.DELIVERING
                job = replace(state.job, stage=stage, plot_id=plot_id, plot_file=plot.name)
                state.save_or_wait(job)
                return None
        except OSError as error:
            raise JobFailedError("temp", f"{folder}: {error.strerror}") from error
        return faults

    def _check_temp(self) -> None:
        """Refuse to plot where a temp farm is gone or full by now."""
        temps = {temp.path: temp for temp in observe(self._state.settings).temps}
        for path in self._state.job.temp_paths:
            temp = temps.get(path)
            if temp is None:
                raise JobFailedError("temp", f"{path} is not there")
            if temp.trouble is not None or temp.space is None:
                raise JobFailedError("temp", f"{path} is {temp.trouble}")
            promised = temp.committed + temp.elsewhere
            if temp.space.free < promised:
                text = f"{path} has {temp.space.free} bytes free and {promised} committed"
                raise JobFailedError("temp_space", text)

    def _open_log(self) -> BinaryIO:
        """The plotter's log on the destination; an unwritable destination is replaced."""
        state = self._state
        failed: set[Path] = set()
        while True:
            job = state.job
            try:
                with opened(job.disk_path, state.settings.host.mountinfo) as mount:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                    descriptor = os.open(f"logs/{job.log_name}", flags, 0o640, dir_fd=mount)
                return os.fdopen(descriptor, "wb", buffering=0)
            except OSError as error:
                state.warn(f"can't use {job.disk_path}: {error.strerror}")
                if (disk := disk_of(state)) is not None:
                    refuse(state, disk, job.plot_bytes, error)
            failed.add(job.disk_path)
            if not choose_disk(state, failed):
                raise JobFailedError(
                    "destination", f"{job.disk_path} can't be used, and no other disk fits"
                )

    def _clean(self, delivered: str | None = None) -> str:
        """Remove the job's temporary files and partial copies; returns what is left."""
        job = self._state.job
        try:
            left = clean(job.folder, delivered)
            if job.temp2_folder is not None:
                left += clean(job.temp2_folder)
        except OSError as error:
            left = [f"everything: {error.strerror}"]
        if job.partial_file is not None:
            remove_partial(job.disk_path, job.partial_file, self._state.settings.host.mountinfo)
        return f"; left in {job.folder}: {', '.join(left)}" if left else ""
