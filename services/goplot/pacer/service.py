"""goplot-pacer: checks the conditions at every poll and starts the plots that are due."""

import logging
import signal
import sys
import threading

from goplot.farm.jobs import Start
from goplot.host import clock, program
from goplot.host.files import remove_unfinished
from goplot.host.jobstore import job_path, remove_locks
from goplot.host.log import Log
from goplot.host.notify import notify, watchdog_seconds
from goplot.host.observe import Observation
from goplot.host.report import Report, write_report
from goplot.host.settings import Settings, SettingsError, load
from goplot.host.success import record_success
from goplot.host.tunables import NAMES, Tunables, read_last_good, read_tunables, write_last_good
from goplot.host.units import UnitError, Units, units_of
from goplot.pacer.decision import Decision, Reason
from goplot.pacer.start import start_plot, start_unit

_POLL_WITHOUT_SETTINGS = 60.0


def _level_of(reason: Reason) -> int:
    """How a reason why no plot starts is logged: most are pacing at work."""
    troubles = (Reason.FAULT, Reason.SETTINGS, Reason.BACKOFF, Reason.NO_DISK, Reason.NO_TEMP)
    return logging.WARNING if reason in troubles else logging.INFO


class Pacer:
    """The pacer between two polls: what it has logged, so that it logs everything once."""

    def __init__(self, settings: Settings, units: Units, log: Log) -> None:
        """`units` starts tractors."""
        self._settings = settings
        self._units = units
        self._log = log
        self._last_good = read_last_good(settings.roots.state)
        self._said: dict[str, str] = {}

    def poll(self, settings: Settings) -> float:
        """Poll once, start what is due. Returns the seconds until the next poll."""
        self._settings = settings
        tunables = self._read_tunables()
        try:
            remove_locks(settings.roots.jobs)
            turn = start_plot(settings, tunables, self._units, recover=self._recover)
        except (OSError, UnitError) as error:
            self._say("start", f"no plot can be started: {error}", logging.ERROR)
            self._report(Decision(Reason.FAULT, str(error)), clock.now())
            return tunables.plot_poll
        self._say("start", "")
        if turn.job is not None:
            self._log(
                f"plot-{turn.job.index} starts: temp {turn.job.temp_path}, "
                f"disk {turn.job.disk_path}, "
                f"{turn.snapshot.observation.running + 1}/{tunables.max_plots} active"
            )
        self._say("reason", self._reason(turn.decision), _level_of(turn.decision.reason))
        self._report(turn.decision, turn.snapshot.observation.moment)
        record_success(settings.roots.state, "pacer")
        return tunables.plot_poll

    def _read_tunables(self) -> Tunables:
        tunables = read_tunables(self._settings.roots.config, self._last_good)
        for name in NAMES:
            fault = tunables.invalid.get(name)
            force = tunables.on_toggle if name == "on_toggle" else tunables.values[name]
            text = f"{name}.goplot {fault}; {force} stays in force" if fault else ""
            self._say(f"{name}.goplot", text, logging.WARNING)
        if tunables.values != self._last_good:
            self._last_good = tunables.values
            try:
                write_last_good(self._settings.roots.state, self._last_good)
            except OSError as error:
                self._say("state", f"can't write the tunables: {error}", logging.ERROR)
        return tunables

    def _recover(self, observation: Observation) -> None:
        """Start the units of jobs that have none: after a crash, a kill or a power cut."""
        for index, fault in observation.broken.items():
            self._say(f"job {index}", f"plot-{index} can't be read: {fault}", logging.ERROR)
        if not observation.jobs:
            return
        running = self._units.running()
        for job in observation.jobs:
            # One that has ended since it was seen needs no restart.
            if job.index not in running and job_path(self._settings.roots.jobs, job.index).exists():
                self._log.warn(f"plot-{job.index} has no tractor, starting it again")
                start_unit(self._units, job.index)

    def _reason(self, decision: Decision) -> str:
        if decision.reason is Reason.START:
            return ""
        return f"no plot starts ({decision.reason}): {decision.detail}"

    def _say(self, topic: str, text: str, level: int = logging.INFO) -> None:
        """Log what is new about a topic; numbers that move do not make it new."""
        key = text.split(":", maxsplit=1)[0] if topic == "reason" else text
        if self._said.get(topic, "") != key:
            self._said[topic] = key
            if text:
                self._log(text, level=level)
            elif topic.endswith(".goplot"):
                self._log(f"{topic} is in force again")

    def _report(self, decision: Decision, moment: Start) -> None:
        notify(f"STATUS={decision.reason}: {decision.detail}")
        try:
            report = Report(decision.reason.value, decision.detail)
            write_report(self._settings.roots.state, report, moment)
        except OSError as error:
            self._say("state", f"can't write the state: {error}", logging.ERROR)


def main() -> int:
    """Run until SIGTERM. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-pacer", __doc__).parse_args()
    return program.run("goplot-pacer", options.settings, _pace)


def _pace(settings: Settings) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log = Log(settings.roots.main_log, "goplot")
    log("start goplot-pacer")
    try:
        for folder in (settings.roots.state, settings.roots.jobs, settings.roots.config):
            remove_unfinished(folder)
    except OSError as error:
        log.warn(f"files that a killed process left can't be removed: {error}")
    pacer = Pacer(settings, units_of(settings), log)
    notify("READY=1")
    while not stopping.is_set():
        try:
            seconds = pacer.poll(load(settings.path))
        except SettingsError as error:
            log.warn(f"no plot starts (settings): {error}")
            seconds = _POLL_WITHOUT_SETTINGS
        _sleep(seconds, stopping)
    notify("STOPPING=1")
    log("end goplot-pacer; running plots go on")
    return program.OK


def _sleep(seconds: float, stopping: threading.Event) -> None:
    """Wait for the next poll, and notify the watchdog meanwhile that the loop is alive."""
    watchdog = watchdog_seconds()
    while seconds > 0:
        notify("WATCHDOG=1")
        part = min(seconds, watchdog / 3) if watchdog else seconds
        if stopping.wait(part):
            return
        seconds -= part


if __name__ == "__main__":
    sys.exit(main())
