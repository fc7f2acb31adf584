"""A disk that shows room and refuses a plot is out for that size, longer each time."""

import errno
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.cli import main
from goplot.collectors.plotter import collect
from goplot.farm.disks import Disk, Refused, Space, TempFarm
from goplot.farm.jobs import Start
from goplot.farm.placement import Limits, Need, NoRoom, Placement, place
from goplot.farm.refusals import Refusal, refusal_after, refused
from goplot.host.observe import observe
from goplot.host.refusals import read_refusals, record_refusal, refusals_path
from goplot.host.units import lock_holder
from goplot.tractor.job import JobRun
from goplot.tractor.state import StoppedError
from tests.support.farm_root import FarmRoot
from tests.support.jobs import NAME, reserve, results
from tests.unit.test_delivery import DISKS, finished, go_on, where

NOW = Start(1000.0, 100.0, "a")
SPACES = st.builds(
    Space,
    used=st.integers(0, 10**13),
    free=st.integers(0, 10**13),
    identity=st.integers(0, 2**64 - 1),
)


def after(times: int, space: Space, size: int = 100) -> Refusal:
    """A disk that refused that often in a row."""
    refusal = None
    for _ in range(times):
        refusal = refusal_after(refusal, size, "No space left on device", NOW, space)
    assert refusal is not None
    return refusal


@given(SPACES, st.integers(1, 40), st.floats(0, 1e9), st.integers(1, 10**12))
def test_a_refusal_holds_for_a_day_at_most(
    space: Space, times: int, passed: float, size: int
) -> None:
    refusal = after(times, space, size)
    found = refused(refusal, space, passed)
    assert (found is not None) == (passed < min(86_400, 600 * 2 ** (times - 1)))
    if found is not None:
        assert found.size == size
        assert 0 < found.seconds <= 86_400


@given(SPACES, st.integers(1, 40), st.integers(1, 10**12))
def test_room_that_was_made_and_another_file_system_end_it(
    space: Space, times: int, size: int
) -> None:
    refusal = after(times, space, size)
    assert refused(refusal, replace(space, free=space.free + size), 0) is None
    assert refused(refusal, replace(space, identity=space.identity + 1), 0) is None
    # A disk that fills up, or whose free space moves a little, has not become better.
    for free in (space.free - 1, space.free + (size - 1) // 100):
        assert refused(refusal, replace(space, free=free), 0) is not None


@given(
    st.lists(st.integers(0, 200), max_size=6),
    st.integers(1, 200),
    st.lists(st.integers(1, 200), max_size=6),
)
def test_placement_knows_what_a_disk_refused(free: list[int], plot: int, sizes: list[int]) -> None:
    disks = [
        Disk(1, f"d{number}", Path(f"/farm/1/d{number}"), Space(0, room))
        for number, room in enumerate(free)
    ]
    disks = [
        replace(disk, refused=Refused(size, "full", 9.0))
        for disk, size in zip(disks, sizes, strict=False)
    ] + disks[len(sizes) :]
    temps = [TempFarm(1, Path("/plot_temp/1"), Space(0, 1000))]
    found = place(disks, temps, Need(plot, 1), 0, 0, Limits())
    with_room = [disk for disk in disks if disk.available >= plot]
    taking = [disk for disk in with_room if disk.refused is None or disk.refused.size > plot]
    if isinstance(found, Placement):
        assert found.disk in taking
    else:
        assert taking == []
        assert (found is NoRoom.DISK_REFUSED) == bool(with_room)


class RefusingDisks:
    """Disks that refuse to take more of a plot, as os.sendfile shows it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *disks: Path) -> None:
        self.disks = set(disks)
        self.tried: list[Path] = []
        self.error = errno.ENOSPC
        self._send = os.sendfile
        monkeypatch.setattr("os.sendfile", self.sendfile)

    def sendfile(self, target: int, source: int, offset: int, count: int) -> int:
        """Send, or refuse."""
        disk = Path(f"/proc/self/fd/{target}").readlink().parents[1]
        self.tried.append(disk)
        if disk in self.disks:
            raise OSError(self.error, os.strerror(self.error))
        return self._send(target, source, offset, count)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_the_plot_goes_to_another_disk_and_no_other_is_placed_there(
    root: FarmRoot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: int,
) -> None:
    job = finished(root)
    assert job.disk == "disk1"
    disks = RefusingDisks(monkeypatch, job.disk_path)
    disks.error = error
    assert go_on(root, job)
    assert where(root) in (["disk2"], ["disk3"])
    assert disks.tried.count(job.disk_path) == 1
    refusal = read_refusals(root.path / "state")[str(job.disk_path)]
    assert (refusal.size, refusal.detail, refusal.count) == (3889102, os.strerror(error), 1)
    assert [reserve(root).disk for _ in range(4)].count("disk1") == 0
    assert main(["disks", "--settings", str(root.settings_path)]) == 3
    shown = capsys.readouterr().out
    assert f"refused 3.7 MiB ({os.strerror(error)}), tried again in" in shown
    assert main(["status", "--settings", str(root.settings_path), "--json"]) == 3
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any(f"{job.disk_path} refused 3.7 MiB" in problem for problem in problems)
    text = collect(root.settings).render()
    assert 'goplot_disk_refused{disk="disk1",farm="1"} 1.0' in text
    assert 'goplot_disk_refused{disk="disk3",farm="1"} 0.0' in text


def test_where_every_disk_refuses_the_plot_waits_and_is_not_copied_again(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    disks = RefusingDisks(monkeypatch, *[root.disk(farm, name) for farm, name in DISKS])
    with pytest.raises(StoppedError):
        go_on(root, job, *[lambda _: None] * 10, JobRun.stop)
    assert sorted(disks.tried) == sorted(disks.disks)
    # Room is made on one of them.
    (kept,) = observe(root.settings).jobs
    disks.disks = set()
    space = Space(used=(1 << 30) - 4_000_000, free=(1 << 40) + 4_000_000)
    monkeypatch.setattr("goplot.host.observe.read_space", lambda _: space)
    assert go_on(root, kept)
    assert len(where(root)) == 1


def test_a_disk_that_refuses_again_is_out_for_longer(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    disk = job.disk_path
    state = root.path / "state"
    for _ in range(3):
        record_refusal(state, disk, 3889102, "Disk quota exceeded", Space(1 << 30, 1 << 40))
    (found,) = [one.refused for one in observe(root.settings).disks if one.path == disk]
    assert found is not None
    assert 2300 < found.seconds <= 2400
    # Its time is over: it takes a plot, and is as good as any other.
    document = json.loads(refusals_path(state).read_text())
    document[str(disk)]["moment"]["boot_time"] -= 2400
    refusals_path(state).write_text(json.dumps(document))
    RefusingDisks(monkeypatch)
    assert go_on(root, job)
    assert where(root) == ["disk1"]
    assert read_refusals(state) == {}


def test_a_plot_that_can_not_be_read_is_not_a_disks_fault(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    disks = RefusingDisks(monkeypatch, *[root.disk(farm, name) for farm, name in DISKS])
    disks.error = errno.EIO

    def pread(_: int, __: int, ___: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.pread", pread)
    with pytest.raises(StoppedError):
        go_on(root, job, JobRun.stop)
    assert read_refusals(root.path / "state") == {}


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS, errno.ENOMEM])
def test_a_device_that_fails_is_back_as_soon_as_it_works(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    job = finished(root)
    disks = RefusingDisks(monkeypatch, job.disk_path)
    disks.error = error
    assert go_on(root, job)
    assert where(root) in (["disk2"], ["disk3"])
    assert read_refusals(root.path / "state") == {}


def test_another_file_of_the_plots_name_is_not_a_disks_refusal(root: FarmRoot) -> None:
    job = finished(root)
    other = job.disk_path / "plots" / NAME
    other.write_bytes(b"another")
    assert go_on(root, job)
    assert results(root)[0].disk != job.disk
    assert other.read_bytes() == b"another"
    assert read_refusals(root.path / "state") == {}


def test_a_disk_that_takes_no_log_is_out_for_the_next_plot_too(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = reserve(root)
    opening = os.open

    def refuse(path: str | Path, flags: int, mode: int = 0o777, **more: int) -> int:
        folder = f"/proc/self/fd/{more.get('dir_fd')}"
        if str(path).startswith("logs/") and Path(folder).readlink() == job.disk_path:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return opening(path, flags, mode, **more)

    monkeypatch.setattr("os.open", refuse)
    assert go_on(root, job)
    assert results(root)[0].disk != job.disk
    assert list(read_refusals(root.path / "state")) == [str(job.disk_path)]


def test_a_disk_without_inodes_is_known_before_it_is_written_to(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = root.disk(1, "disk1")
    space = Space(used=1 << 30, free=1 << 40)
    monkeypatch.setattr(
        "goplot.host.observe.read_space", lambda path: replace(space, inodes=path != full)
    )
    assert [reserve(root).disk for _ in range(4)].count("disk1") == 0
    main(["disks", "--settings", str(root.settings_path)])
    assert "out of inodes" in capsys.readouterr().out
    assert 'goplot_disk_refused{disk="disk1",farm="1"} 1.0' in collect(root.settings).render()


def test_a_damaged_record_is_none(root: FarmRoot) -> None:
    for text in ("", "[]", "{", '{"/farm/1/disk1": 3}', '{"/farm/1/disk1": {"size": "x"}}'):
        refusals_path(root.path / "state").write_text(text)
        assert read_refusals(root.path / "state") == {}


# A tractor under a limit of a file's size, which the kernel itself enforces.
LIMITED = """
import resource, sys
from goplot.tractor.service import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
sys.exit(main())
"""


def test_a_limit_of_a_files_size_is_remembered(root: FarmRoot) -> None:
    job = finished(root)
    tractor = subprocess.Popen(
        [sys.executable, "-c", LIMITED, "--settings", str(root.settings_path), str(job.index)],
    )
    try:
        deadline = time.monotonic() + 60
        while len(read_refusals(root.path / "state")) < len(DISKS):
            assert time.monotonic() < deadline
            assert tractor.poll() is None
            threading.Event().wait(0.05)
    finally:
        tractor.terminate()
    assert tractor.wait(60) == 0
    refusals = read_refusals(root.path / "state")
    assert {refusal.detail for refusal in refusals.values()} == {"File too large"}
    assert (job.folder / NAME).stat().st_size == 3889102
    assert lock_holder(root.path / "state" / "jobs" / "1.lock") is None
