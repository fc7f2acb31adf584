"""Twenty starts at the same moment, in real processes: never one space or one index twice."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goplot.farm.formats import GIB
from goplot.farm.jobs import Job
from goplot.host.jobstore import read_jobs
from goplot.host.units import lock_holder
from tests.support.farm_root import FarmRoot

STARTS = 20


@pytest.fixture
def waiting_root(root: FarmRoot) -> Iterator[FarmRoot]:
    """A farm whose plotters wait until the end of the test."""
    yield root
    for path in (root.path / "state" / "jobs").glob("*.lock"):
        tractor = lock_holder(path)
        if tractor:
            os.killpg(tractor, signal.SIGKILL)


def goplot(root: FarmRoot, *arguments: str) -> subprocess.Popen[str]:
    """Start the goplot command in a process of its own."""
    return python(root, "goplot.cli", *arguments)


def python(root: FarmRoot, module: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program of goplot in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments, "--settings", str(root.settings_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_twenty_starts_at_once(waiting_root: FarmRoot) -> None:
    root = waiting_root
    root.tune(max_plots=100)
    # A bit less than a sixth of what is free is what one plot needs: six fit in each temp farm.
    space = os.statvfs(root.temp(1))
    need = space.f_bavail * space.f_frsize / 6.5
    root.configure(fate="wait", temp_gib=need / GIB)
    processes = [goplot(root, "plot", "--json") for _ in range(STARTS - 1)]
    pacer = python(root, "goplot.pacer.service")
    answers = []
    for process in processes:
        out, err = process.communicate(timeout=100)
        assert process.returncode in (0, 4), err
        answers.append(json.loads(out))
    await_that((root.path / "state" / "pacer.json").exists)
    pacer.terminate()
    assert pacer.wait(60) == 0
    pacer.communicate()
    jobs, broken = read_jobs(root.path / "state" / "jobs")
    assert broken == {}
    assert [job.index for job in jobs] == list(range(1, 13))
    by_hand = sorted(answer["index"] for answer in answers if answer["starts"])
    assert by_hand == [job.index for job in jobs if job.origin == "hand"]
    assert {answer["reason"] for answer in answers if not answer["starts"]} == {"temp_space"}
    assert [sum(job.temp_farm == farm for job in jobs) for farm in (1, 2)] == [6, 6]


def test_stop_pause_and_resume(waiting_root: FarmRoot) -> None:
    root = waiting_root
    root.configure(fate="wait")
    assert goplot(root, "plot").wait(60) == 0
    job, plotter = plotting(root)
    assert goplot(root, "pause", "1").wait(60) == 0
    await_that(lambda: state_of(plotter) == "T")
    status, _ = goplot(root, "status", "--json").communicate(timeout=60)
    assert json.loads(status)["plots"][0]["paused"] is True
    assert goplot(root, "resume", "1").wait(60) == 0
    await_that(lambda: state_of(plotter) != "T")
    assert goplot(root, "stop", "1").wait(60) == 0
    await_that(lambda: not (root.path / "state" / "jobs" / "1.json").exists())
    result = json.loads((root.path / "state" / "results.jsonl").read_text())
    assert result["reason"] == "stopped"
    assert not job.folder.exists()
    assert state_of(plotter) == ""
    assert goplot(root, "stop", "1").wait(60) == 1


def test_a_tractor_that_is_killed_leaves_no_plotter_behind(waiting_root: FarmRoot) -> None:
    root = waiting_root
    root.configure(fate="wait")
    assert goplot(root, "plot").wait(60) == 0
    job, plotter = plotting(root)
    lock = root.path / "state" / "jobs" / "1.lock"
    tractor = lock_holder(lock)
    assert tractor
    os.kill(tractor, signal.SIGKILL)
    await_that(lambda: lock_holder(lock) is None)
    again = [sys.executable, "-m", "goplot.tractor.service", "1", "--settings"]
    done = subprocess.run([*again, str(root.settings_path)], check=False, capture_output=True)
    assert done.returncode == 1
    await_that(lambda: state_of(plotter) in ("", "Z"))
    result = json.loads((root.path / "state" / "results.jsonl").read_text())
    assert result["reason"] == "crash"
    assert not job.folder.exists()
    assert list((root.path / "state" / "jobs").iterdir()) == []


def plotting(root: FarmRoot) -> tuple[Job, int]:
    """The one job, once its plotter is at work, and the plotter's process."""
    await_that((root.temp(1) / "waiting").exists)
    await_that(lambda: '"process": "' in (root.path / "state" / "jobs" / "1.json").read_text())
    (job,), _ = read_jobs(root.path / "state" / "jobs")
    assert job.process is not None
    return job, int(job.process.split(":")[0])


def state_of(process: int) -> str:
    """A process' state letter, or nothing when it is gone."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return stat.rsplit(")", 1)[1].split()[0]


def await_that(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 60
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)
