"""The pacer's loop: it says a thing once, recovers jobs, and never starts by accident."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goplot.farm.codec import encode
from goplot.farm.disks import Space
from goplot.farm.formats import GIB, PlotFormat
from goplot.host.jobstore import Result
from goplot.host.log import Log
from goplot.host.notify import notify, watchdog_seconds
from goplot.host.units import UnitError
from goplot.pacer.service import Pacer
from tests.hosts.system import wait_until
from tests.support.farm_root import FarmRoot
from tests.support.jobs import reserve


class Units:
    """Units that only remember what was asked of them."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.alive: dict[int, bool] = {}
        self.broken = False

    def start(self, index: int) -> None:
        """Start a unit, unless units are broken."""
        if self.broken:
            raise UnitError("no bus")
        self.started.append(index)
        self.alive[index] = False

    stop = freeze = thaw = start

    def running(self) -> dict[int, bool]:
        """The units that run."""
        return dict(self.alive)


@pytest.fixture
def units() -> Units:
    """Units that the test watches."""
    return Units()


def pacer_of(root: FarmRoot, units: Units) -> Pacer:
    """A pacer that has just been started."""
    return Pacer(root.settings, units, Log(root.path / "logs" / "goplot.log", "goplot"))


def log(root: FarmRoot) -> list[str]:
    """goplot.log without times."""
    text = (root.path / "logs" / "goplot.log").read_text()
    return [line.split(": ", 1)[1] for line in text.splitlines()]


def reason(root: FarmRoot) -> str:
    """Why no plot starts, as the pacer reports it."""
    text = (root.path / "state" / "pacer.json").read_text()
    return str(json.loads(text)["reason"])


def test_a_due_plot_starts_and_its_unit_too(root: FarmRoot, units: Units) -> None:
    assert pacer_of(root, units).poll(root.settings) == 60
    assert units.started == [1]
    assert any(line.startswith("plot-1 starts:") and "1/8 active" in line for line in log(root))


def test_plot_gap_holds_over_a_restart(root: FarmRoot, units: Units) -> None:
    root.tune(plot_gap=4500)
    pacer_of(root, units).poll(root.settings)
    pacer_of(root, units).poll(root.settings)
    assert units.started == [1]
    assert reason(root) == "plot_gap"


def test_off_starts_nothing_and_run_goes_on(root: FarmRoot, units: Units) -> None:
    pacer = pacer_of(root, units)
    root.tune(on_toggle="stop")
    pacer.poll(root.settings)
    assert (units.started, reason(root)) == ([], "toggle")
    root.tune(on_toggle="run")
    pacer.poll(root.settings)
    assert units.started == [1]


def test_a_reason_is_logged_when_it_changes(root: FarmRoot, units: Units) -> None:
    root.tune(max_plots=0)
    pacer = pacer_of(root, units)
    for _ in range(5):
        pacer.poll(root.settings)
    assert len([line for line in log(root) if "max_plots" in line]) == 1
    root.tune(on_toggle="off")
    pacer.poll(root.settings)
    root.tune(on_toggle="run")
    pacer.poll(root.settings)
    assert len([line for line in log(root) if "no plot starts (max_plots)" in line]) == 2


def test_a_bad_tunable_is_logged_once_and_its_cure_too(root: FarmRoot, units: Units) -> None:
    root.tune(max_plots=3)
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    root.tune(max_plots="many")
    for _ in range(4):
        pacer.poll(root.settings)
    logged = [line for line in log(root) if line.startswith("max_plots.goplot")]
    assert logged == ["max_plots.goplot 'many' is not a whole number; 3 stays in force"]
    root.tune(max_plots=2)
    pacer.poll(root.settings)
    assert log(root)[-1] == "max_plots.goplot is in force again"
    assert len(units.started) == 3


def test_the_last_good_value_survives_a_restart(root: FarmRoot, units: Units) -> None:
    root.tune(max_plots=2, on_toggle="off")
    pacer_of(root, units).poll(root.settings)
    root.tune(max_plots="", on_toggle="run")
    pacer = pacer_of(root, units)
    for _ in range(5):
        pacer.poll(root.settings)
    assert len(units.started) == 2


def test_a_job_without_a_unit_gets_one(root: FarmRoot, units: Units) -> None:
    root.tune(plot_gap=4500)
    pacer_of(root, units).poll(root.settings)
    units.alive.clear()
    pacer_of(root, units).poll(root.settings)
    assert units.started == [1, 1]
    pacer_of(root, units).poll(root.settings)
    assert units.started == [1, 1]


def test_the_lock_of_a_killed_tractor_goes_with_its_job(root: FarmRoot, units: Units) -> None:
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    jobs = root.path / "state" / "jobs"
    (jobs / "1.lock").touch()
    (jobs / "7.lock").touch()
    with (jobs / "8.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        pacer.poll(root.settings)
        # 1 is a job; the tractor of 8 lives, and its job has just ended.
        assert sorted(path.name for path in jobs.glob("*.lock")) == ["1.lock", "8.lock"]
    pacer.poll(root.settings)
    assert [path.name for path in jobs.glob("*.lock")] == ["1.lock"]


def test_a_unit_that_does_not_start_keeps_its_reservation_and_is_tried_again(
    root: FarmRoot, units: Units
) -> None:
    units.broken = True
    root.tune(plot_gap=4500)
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    pacer.poll(root.settings)
    assert len([line for line in log(root) if "no bus" in line]) == 1
    units.broken = False
    pacer.poll(root.settings)
    assert units.started == [1]


def test_a_broken_job_file_counts_as_running_and_is_reported(root: FarmRoot, units: Units) -> None:
    root.tune(max_plots=1)
    (root.path / "state" / "jobs" / "9.json").write_text("{")
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    pacer.poll(root.settings)
    assert (units.started, reason(root)) == ([], "max_plots")
    assert len([line for line in log(root) if "plot-9 can't be read" in line]) == 1


def test_a_state_folder_that_is_gone_starts_nothing(root: FarmRoot, units: Units) -> None:
    (root.path / "state").rename(root.path / "away")
    (root.path / "state").write_text("in the way")
    pacer = pacer_of(root, units)
    assert pacer.poll(root.settings) == 60
    assert units.started == []


def write_failures(root: FarmRoot, ended: float) -> None:
    """Let two plots in a row have failed, under settings that have not changed since."""
    failures = [
        Result(number, False, "plotter", "bad", ended, 1.0, "chiapos", "k18", 1, "disk1", 1)
        for number in (1, 2)
    ]
    lines = [json.dumps(encode(failure)) + "\n" for failure in failures]
    (root.path / "state" / "results.jsonl").write_text("".join(lines))
    long_ago = time.time() - 4 * YEAR
    os.utime(root.settings_path, (long_ago, long_ago))


class Clocks:
    """Both clocks, which go on and are set as the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = time.time()
        self.boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        monkeypatch.setattr("time.time", lambda: self.wall)
        monkeypatch.setattr("time.clock_gettime", lambda _: self.boot)

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.boot += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Clocks that stand still by themselves."""
    return Clocks(monkeypatch)


YEAR = 400 * 86400.0


def test_repeated_failures_back_off(root: FarmRoot, units: Units, clocks: Clocks) -> None:
    write_failures(root, clocks.wall - 100)
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    assert (units.started, reason(root)) == ([], "backoff")
    clocks.go_on(21)
    pacer.poll(root.settings)
    assert units.started == [3]


def test_failures_that_a_clock_ahead_dated_hold_back_for_their_time_only(
    root: FarmRoot, units: Units, clocks: Clocks
) -> None:
    write_failures(root, clocks.wall + YEAR)
    pacer_of(root, units).poll(root.settings)
    assert (units.started, reason(root)) == ([], "backoff")
    clocks.go_on(100)
    # A pacer that starts again goes on waiting, from when they were first seen.
    pacer_of(root, units).poll(root.settings)
    assert (units.started, reason(root)) == ([], "backoff")
    clocks.go_on(21)
    pacer_of(root, units).poll(root.settings)
    assert units.started == [3]


@pytest.mark.parametrize("step", [-YEAR, -3600.0, 3600.0, YEAR])
def test_a_clock_that_is_set_changes_no_back_off(
    root: FarmRoot, units: Units, clocks: Clocks, step: float
) -> None:
    write_failures(root, clocks.wall)
    pacer = pacer_of(root, units)
    pacer.poll(root.settings)
    clocks.wall += step
    clocks.go_on(119)
    pacer.poll(root.settings)
    assert (units.started, reason(root)) == ([], "backoff")
    clocks.go_on(2)
    pacer.poll(root.settings)
    assert units.started == [3]


def test_settings_that_a_clock_ahead_dated_end_no_back_off(
    root: FarmRoot, units: Units, clocks: Clocks
) -> None:
    write_failures(root, clocks.wall)
    os.utime(root.settings_path, (clocks.wall + YEAR, clocks.wall + YEAR))
    pacer_of(root, units).poll(root.settings)
    assert (units.started, reason(root)) == ([], "backoff")


def start_all(root: FarmRoot, units: Units, monkeypatch: pytest.MonkeyPatch, free: int) -> int:
    """Poll until nothing starts any more, with that many bytes free everywhere."""
    space = Space(used=1 << 20, free=free)
    monkeypatch.setattr("goplot.host.observe.read_space", lambda _: space)
    pacer = pacer_of(root, units)
    for _ in range(20):
        pacer.poll(root.settings)
    return len(units.started)


PLOT = PlotFormat(18).plot_bytes


def test_two_disks_on_one_file_system_get_its_bytes_once(
    root: FarmRoot, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.tune(max_plots=100)
    root.configure(temp_gib=1e-6)
    # Two plots fit on each file system, and three disks are there.
    assert start_all(root, units, monkeypatch, 2 * PLOT + PLOT // 2) == 6
    for path in (root.path / "state" / "jobs").iterdir():
        path.unlink()
    units.started.clear()
    root.bind(root.disk(2, "disk2"), root.disk(1, "disk1"))
    assert start_all(root, units, monkeypatch, 2 * PLOT + PLOT // 2) == 4
    assert reason(root) == "disk_space"


def test_two_temp_farms_on_one_file_system_get_its_bytes_once(
    root: FarmRoot, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.tune(max_plots=100)
    root.configure(temp_gib=10)
    root.bind(root.temp(2), root.temp(1))
    assert start_all(root, units, monkeypatch, 25 * GIB) == 2
    assert reason(root) == "temp_space"


def test_a_disk_and_a_temp_farm_on_one_file_system_count_together(
    root: FarmRoot, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.tune(max_plots=100)
    for farm, name in ((1, "disk3"), (2, "disk2")):
        root.unmount(root.disk(farm, name))
    root.unmount(root.temp(2))
    # A plot needs three times its size in the temp farm, and once at its destination.
    root.configure(temp_gib=3 * PLOT / GIB)
    root.bind(root.temp(1), root.disk(1, "disk1"))
    assert start_all(root, units, monkeypatch, 13 * PLOT + PLOT // 2) == 3
    assert reason(root) == "temp_space"


def test_messages_to_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(address))
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        notify("READY=1")
        assert server.recv(100) == b"READY=1"
    assert watchdog_seconds() == 30
    address.unlink()
    notify("WATCHDOG=1")


def test_a_restart_during_a_question_to_systemd_is_not_a_fault(root: FarmRoot) -> None:
    """Only the pacer gets the signal, by KillMode=mixed: what it asks is answered first."""
    job = reserve(root)
    root.tune(on_toggle="stop")
    text = root.settings_path.read_text()
    root.settings_path.write_text(text.replace('units = "processes"', 'units = "systemd"'))
    asked, answer = root.path / "asked", root.path / "answer"
    os.mkfifo(answer)
    systemctl = root.path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f"#!/bin/sh\ntouch {asked}\ncat {answer}\n")
    systemctl.chmod(0o755)
    pacer = subprocess.Popen(
        [sys.executable, "-m", "goplot.pacer.service", "--settings", str(root.settings_path)],
        env={**os.environ, "PATH": f"{systemctl.parent}:{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until("a question to systemd", asked.exists, 30)
        pacer.terminate()
        answer.write_text(f"Id=goplot-plot@{job.index}.service\nActiveState=active\n")
        assert pacer.wait(30) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pacer.pid, signal.SIGKILL)
        pacer.wait()
    assert log(root)[0] == "start goplot-pacer"
    assert log(root)[-1] == "end goplot-pacer; running plots go on"
    assert not any("no plot can be started" in line for line in log(root))
