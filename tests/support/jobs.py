"""Plot jobs that a test reserves and runs itself."""

from pathlib import Path

from goplot.farm.jobs import Job
from goplot.host.jobstore import Result, read_results
from goplot.host.log import Log
from goplot.host.tunables import read_tunables
from goplot.pacer.start import start_plot
from goplot.tractor.job import JobRun
from goplot.tractor.state import JobState
from tests.support.farm_root import PLOT_ID, FarmRoot

NAME = f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot"


class NoUnits:
    """Units that are started by the test itself."""

    def start(self, index: int) -> None:
        """Leave it to the test."""

    stop = freeze = thaw = start

    def running(self) -> dict[int, bool]:
        """None runs."""
        return {}


def reserve(root: FarmRoot) -> Job:
    """Reserve a plot as the pacer does."""
    tunables = read_tunables(root.path / "config", {})
    turn = start_plot(root.settings, tunables, NoUnits())
    assert turn.job is not None, turn.decision
    return turn.job


def run(root: FarmRoot, job: Job) -> bool:
    """Run a job to its end."""
    log = Log(root.path / "logs" / "goplot.log", "prejob")

    def no_waiting(_: float) -> None:
        raise AssertionError("the job should not wait")

    return JobRun(JobState(root.settings, job, log, no_waiting)).run()


def results(root: FarmRoot) -> list[Result]:
    """All results so far."""
    return list(read_results(root.path / "state"))


def leftovers(root: FarmRoot) -> list[Path]:
    """Everything in the temp farms."""
    return [path for farm in (1, 2) for path in root.temp(farm).rglob("*")]
