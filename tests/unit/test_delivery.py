"""A finished plot is never lost: it goes to its disk, to another one, or waits on temp."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goplot.farm.jobs import Job, Stage
from goplot.host.jobstore import read_job, stop_path, write_job
from goplot.host.log import Log
from goplot.tractor import delivery
from goplot.tractor.copy import copy_plot
from goplot.tractor.job import JobRun
from goplot.tractor.state import JobState, StoppedError
from tests.support.farm_root import PLOT_ID, FarmRoot
from tests.support.jobs import NAME, leftovers, reserve, results

DISKS = ((1, "disk1"), (1, "disk3"), (2, "disk2"))


def finished(root: FarmRoot, stage: Stage = Stage.DELIVERING) -> Job:
    """A job whose plotter has finished its plot."""
    job = reserve(root)
    job.folder.mkdir()
    header = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([18])
    (job.folder / NAME).write_bytes(header.ljust(3889102, b"\1"))
    job = replace(job, stage=stage, plot_file=NAME if stage is not Stage.PLOTTING else None)
    write_job(root.path / "state" / "jobs", job)
    return job


def go_on(root: FarmRoot, job: Job, *waits: Callable[[JobRun], object]) -> bool:
    """Run a job; each time that it waits, the next of `waits` happens."""
    happenings = iter(waits)

    def wait(_: float) -> None:
        next(happenings)(run)

    log = Log(root.path / "logs" / "goplot.log", "prejob")
    run = JobRun(JobState(root.settings, job, log, wait))
    return run.run()


def copy_to(root: FarmRoot, job: Job, disk: Path, interrupted: Callable[[], bool]) -> None:
    """Copy a job's finished plot to a disk."""
    mountinfo = root.path / "mountinfo"
    copy_plot(job.folder / NAME, f"{NAME}.tmp", disk, mountinfo, lambda _: None, interrupted)


def where(root: FarmRoot) -> list[str]:
    """The disks that have the plot."""
    return [name for farm, name in DISKS if (root.disk(farm, name) / "plots" / NAME).exists()]


def test_a_disk_that_went_away_is_replaced(root: FarmRoot) -> None:
    job = finished(root)
    root.unmount(root.disk(1, "disk1"))
    assert go_on(root, job)
    assert where(root) in (["disk2"], ["disk3"])
    assert leftovers(root) == []
    assert results(root)[0].disk == where(root)[0]


def test_with_no_disk_at_all_it_waits_and_then_goes(root: FarmRoot) -> None:
    job = finished(root)
    for farm, name in DISKS:
        root.unmount(root.disk(farm, name))
    seen: list[Job | None] = []

    def come_back(_: JobRun) -> None:
        seen.append(read_job(root.path / "state" / "jobs", 1))
        root.mount(root.disk(2, "disk2"))

    assert go_on(root, job, come_back)
    assert seen[0] is not None
    assert (seen[0].stage, seen[0].phase) == (Stage.STRANDED, "stranded")
    assert "safe in" in (seen[0].note or "")
    assert where(root) == ["disk2"]
    assert leftovers(root) == []


def test_stopped_while_it_waits_it_stays_safe(root: FarmRoot) -> None:
    job = finished(root)
    for farm, name in DISKS:
        root.unmount(root.disk(farm, name))
    with pytest.raises(StoppedError):
        go_on(root, job, JobRun.stop)
    assert (job.folder / NAME).exists()
    kept = read_job(root.path / "state" / "jobs", 1)
    assert kept is not None
    root.mount(root.disk(1, "disk1"))
    assert go_on(root, kept)
    assert where(root) == ["disk1"]


def test_a_disk_without_room_is_replaced(root: FarmRoot) -> None:
    job = finished(root)
    job = replace(job, disk_path=root.disk(9, "none"), disk="none")
    assert go_on(root, job)
    assert len(where(root)) == 1


def test_a_disk_without_a_plots_folder_is_replaced(root: FarmRoot) -> None:
    job = finished(root)
    (root.disk(1, "disk1") / "plots").rmdir()
    assert go_on(root, job)
    assert where(root) in (["disk2"], ["disk3"])


def test_a_copy_that_was_cut_off_is_made_again(root: FarmRoot) -> None:
    job = finished(root)
    (root.disk(1, "disk1") / "plots" / f"{NAME}.tmp").write_bytes(b"half")
    assert go_on(root, job)
    plots = list((root.disk(1, "disk1") / "plots").iterdir())
    assert [(path.name, path.stat().st_size) for path in plots] == [(NAME, 3889102)]


def test_a_disk_that_fails_every_copy_is_tried_less_and_less_often(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    waits = 0
    tried: list[int] = []

    def fail(*_: object) -> None:
        tried.append(waits)
        raise OSError(errno.EIO, "Input/output error")

    def wait(run: JobRun) -> None:
        nonlocal waits
        waits += 1
        if waits == 200:
            run.stop()

    monkeypatch.setattr(delivery, "copy_plot", fail)
    with pytest.raises(StoppedError):
        go_on(root, job, *[wait] * 200)
    assert sorted(set(tried)) == [0, 1, 3, 7, 15, 31, 63, 127, 191]
    assert len(tried) == len(DISKS) * 9


def test_a_disk_that_works_again_takes_the_plot(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    failing = True

    def copy(*arguments: Any) -> None:
        if failing:
            raise OSError(errno.EIO, "Input/output error")
        copy_plot(*arguments)

    def wait(_: JobRun) -> None:
        nonlocal failing
        failing = False

    monkeypatch.setattr(delivery, "copy_plot", copy)
    assert go_on(root, job, wait)
    assert len(where(root)) == 1


def test_a_plot_that_is_there_already_is_done(root: FarmRoot) -> None:
    job = finished(root)
    target = root.disk(1, "disk1") / "plots" / NAME
    target.write_bytes((job.folder / NAME).read_bytes())
    (job.folder / NAME).unlink()
    assert go_on(root, job)
    assert results(root)[0].done


def test_a_plot_that_is_nowhere_fails(root: FarmRoot) -> None:
    job = finished(root)
    (job.folder / NAME).unlink()
    assert not go_on(root, job)
    assert results(root)[0].reason == "temp"


def test_while_its_temp_farm_is_away_it_waits(root: FarmRoot) -> None:
    job = finished(root)
    away = job.folder.rename(root.path / "away")
    root.unmount(root.temp(1))

    def come_back(_: JobRun) -> None:
        away.rename(job.folder)
        root.mount(root.temp(1))

    assert go_on(root, job, come_back)
    assert where(root) == ["disk1"]


def test_after_a_power_cut_it_waits_for_its_temp_farm(root: FarmRoot) -> None:
    job = finished(root, Stage.PLOTTING)
    root.unmount(root.temp(1))
    assert go_on(root, job, lambda _: root.mount(root.temp(1)))
    assert where(root) == ["disk1"]


def test_a_person_may_give_up_what_waits_for_its_temp_farm(root: FarmRoot) -> None:
    job = finished(root, Stage.PLOTTING)
    root.unmount(root.temp(1))
    stop_path(root.path / "state" / "jobs", 1).touch()
    assert not go_on(root, job)
    assert results(root)[0].reason == "stopped"
    assert not stop_path(root.path / "state" / "jobs", 1).exists()


def test_nothing_lands_underneath_a_mount_point(root: FarmRoot) -> None:
    job = finished(root)
    disk = root.disk(1, "disk1")
    root.unmount(disk)
    with pytest.raises(OSError, match="not mounted"):
        copy_to(root, job, disk, lambda: False)
    # Another file system is mounted there by now: its id is not that of the folder.
    text = (root.path / "mountinfo").read_text()
    (root.path / "mountinfo").write_text(f"{text}999999 1 8:1 / {disk} rw - xfs /dev/sdb rw\n")
    with pytest.raises(OSError, match="not mounted"):
        copy_to(root, job, disk, lambda: False)
    assert list((disk / "plots").iterdir()) == []


def test_a_copy_can_be_interrupted_and_shows_under_no_plots_name(root: FarmRoot) -> None:
    job = finished(root)
    disk = root.disk(1, "disk1")
    with pytest.raises(StoppedError):
        copy_to(root, job, disk, lambda: True)
    assert [path.name for path in (disk / "plots").iterdir()] == [f"{NAME}.tmp"]


def test_while_its_temp_farm_can_not_be_read_it_waits(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = finished(root)
    broken = OSError(errno.EIO, "Input/output error")
    monkeypatch.setattr("goplot.tractor.delivery._why_out_of_sight", lambda _: broken)

    def repair(_: JobRun) -> None:
        kept = read_job(root.path / "state" / "jobs", 1)
        assert kept is not None
        assert "can be read: Input/output error" in (kept.note or "")
        monkeypatch.undo()

    assert go_on(root, job, repair)
    assert where(root) in (["disk1"], ["disk2"], ["disk3"])


def test_a_person_may_give_up_a_finished_plot_that_is_out_of_reach(root: FarmRoot) -> None:
    job = finished(root)
    away = job.folder.rename(root.path / "away")
    root.unmount(root.temp(1))
    stop_path(root.path / "state" / "jobs", 1).touch()
    assert not go_on(root, job)
    assert results(root)[0].reason == "stopped"
    assert (away / NAME).exists()
