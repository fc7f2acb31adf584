"""One plot job from reservation to result, with a plotter of the tests."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from goplot.farm.jobs import Job, Stage
from goplot.host.jobstore import read_jobs, stop_path, write_job
from goplot.host.log import Log
from goplot.tractor.job import JobRun
from goplot.tractor.state import JobState
from tests.support.farm_root import PLOT_ID, FarmRoot
from tests.support.jobs import NAME, leftovers, reserve, results, run


def test_a_plot_lands_on_its_disk_with_its_log(root: FarmRoot) -> None:
    job = reserve(root)
    assert run(root, job)
    assert (root.disk(1, "disk1") / "plots" / NAME).stat().st_size == 3889102
    assert "Progress update: 0.120" in (root.disk(1, "disk1") / "logs" / "plot.1.log").read_text()
    assert leftovers(root) == []
    assert read_jobs(root.path / "state" / "jobs") == ([], {})
    (result,) = results(root)
    assert (result.done, result.farm, result.disk) == (True, 1, "disk1")
    assert result.phase_seconds["1"] == 55.595
    assert "copy" in result.phase_seconds
    log = (root.path / "logs" / "goplot.log").read_text()
    assert "- strtplot : plot-1 started:" in log
    assert "- endplot  : plot-1 ended, total time:" in log


def test_farms_and_index_move_on(root: FarmRoot) -> None:
    jobs = [reserve(root) for _ in range(3)]
    assert [job.index for job in jobs] == [1, 2, 3]
    assert [(job.dest_farm, job.disk) for job in jobs] == [(1, "disk1"), (2, "disk2"), (1, "disk3")]
    assert [job.temp_farm for job in jobs] == [1, 2, 1]
    config = root.path / "config"
    assert (config / "index.goplot").read_text() == "3\n"
    assert (config / "farm_dest.goplot").read_text() == "1\n"


def test_an_index_is_never_used_twice(root: FarmRoot) -> None:
    job = reserve(root)
    run(root, job)
    for name in ("config/index.goplot", "state/index"):
        (root.path / name).unlink()
    assert reserve(root).index == 2
    (root.path / "config" / "index.goplot").write_text("0\n")
    assert reserve(root).index == 3
    root.tune(index=41)
    assert reserve(root).index == 42


def test_a_failed_plotter_leaves_nothing_but_its_reason(root: FarmRoot) -> None:
    root.configure(fate="fail")
    assert not run(root, reserve(root))
    (result,) = results(root)
    assert (result.done, result.reason) == (False, "plotter")
    assert "Could not do it" in result.detail
    assert leftovers(root) == []
    assert read_jobs(root.path / "state" / "jobs") == ([], {})


def test_a_full_temp_farm_is_named(root: FarmRoot) -> None:
    root.configure(fate="full")
    assert not run(root, reserve(root))
    assert results(root)[0].reason == "temp_space"


def test_a_plotter_that_waits_for_its_temp_farm_for_ever_is_ended(root: FarmRoot) -> None:
    root.configure(fate="stuck")
    assert not run(root, reserve(root))
    (result,) = results(root)
    assert (result.reason, result.detail[:10]) == ("temp", "Only wrote")
    assert leftovers(root) == []


def test_a_short_plot_is_not_a_plot(root: FarmRoot) -> None:
    root.configure(size=2_000_000)
    assert not run(root, reserve(root))
    (result,) = results(root)
    assert (result.reason, result.detail.count(NAME)) == ("verify", 2)
    assert (root.temp(1) / "goplot-1" / NAME).exists()
    assert list((root.disk(1, "disk1") / "plots").iterdir()) == []


def test_files_of_others_stay_and_are_named(root: FarmRoot) -> None:
    root.configure(fate="fail")
    job = reserve(root)
    job.folder.mkdir()
    (job.folder / "notes").write_text("mine")
    stranger = root.temp(1) / f"plot-k32-2026-11-22-17-53-{PLOT_ID}.plot.table1.tmp"
    stranger.write_text("by hand")
    assert not run(root, job)
    assert "notes" in results(root)[0].detail
    assert stranger.exists()
    assert (job.folder / "notes").exists()


def test_a_disk_that_went_away_before_the_start_is_replaced(root: FarmRoot) -> None:
    job = reserve(root)
    root.unmount(root.disk(1, "disk1"))
    assert run(root, job)
    assert results(root)[0].disk in ("disk2", "disk3")
    assert list(root.disk(1, "disk1").rglob("*.*")) == []


def test_a_temp_farm_that_went_away_fails_the_job(root: FarmRoot) -> None:
    job = reserve(root)
    root.unmount(root.temp(1))
    assert not run(root, job)
    assert results(root)[0].reason == "temp"


def test_after_a_crash_a_finished_plot_is_delivered(root: FarmRoot) -> None:
    job = reserve(root)
    job.folder.mkdir()
    header = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([18])
    (job.folder / NAME).write_bytes(header.ljust(3889102, b"\1"))
    document = json.loads((root.path / "state" / "jobs" / "1.json").read_text())
    document["stage"] = "plotting"
    (root.path / "state" / "jobs" / "1.json").write_text(json.dumps(document))
    (crashed,), _ = read_jobs(root.path / "state" / "jobs")
    assert run(root, crashed)
    assert (root.disk(1, "disk1") / "plots" / NAME).exists()
    assert leftovers(root) == []


def test_after_a_power_cut_a_plot_that_was_not_synced_is_only_kept(
    root: FarmRoot,
) -> None:
    job = reserve(root)
    job.folder.mkdir()
    header = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([18])
    (job.folder / NAME).write_bytes(header.ljust(3889102, b"\0"))
    earlier_boot = replace(job.start, boot_id="another boot")
    assert not run(root, replace(_at(root, job, Stage.PLOTTING), start=earlier_boot))
    (result,) = results(root)
    assert (result.reason, NAME in result.detail) == ("crash", True)
    assert leftovers(root) == [job.folder, job.folder / NAME]


def test_after_a_crash_an_unfinished_plot_is_given_up(root: FarmRoot) -> None:
    job = reserve(root)
    job.folder.mkdir()
    (job.folder / f"{NAME}.table1.tmp").write_text("x")
    (job.folder / f"{NAME}.2.tmp").write_text("x")
    assert not run(root, _at(root, job, Stage.PLOTTING))
    assert results(root)[0].reason == "crash"
    assert leftovers(root) == []


def test_a_crash_after_the_delivery_ends_as_done_once(root: FarmRoot) -> None:
    job = reserve(root)
    before = (root.path / "state" / "jobs" / "1.json").read_text()
    assert run(root, job)
    # The result was written, the reservation was not removed yet.
    (root.path / "state" / "jobs" / "1.json").write_text(before)
    document = json.loads(before)
    document.update(stage="delivering", plot_file=NAME)
    (root.path / "state" / "jobs" / "1.json").write_text(json.dumps(document))
    (crashed,), _ = read_jobs(root.path / "state" / "jobs")
    assert run(root, crashed)
    assert len(results(root)) == 1
    assert read_jobs(root.path / "state" / "jobs") == ([], {})


@pytest.mark.parametrize("stage", list(Stage))
def test_a_job_survives_its_file(root: FarmRoot, stage: Stage) -> None:
    job = _at(root, reserve(root), stage)
    assert read_jobs(root.path / "state" / "jobs")[0] == [job]


def _at(root: FarmRoot, job: Job, stage: Stage) -> Job:
    changed = replace(job, stage=stage)
    write_job(root.path / "state" / "jobs", changed)
    return changed


def test_a_full_state_disk_ends_no_plot(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    job = reserve(root)
    refused: list[str] = []

    def write(jobs: Path, changed: Job) -> None:
        # While the plotter runs, and until the finished plot has waited for its record.
        plotting = changed.process is not None and changed.plot_file is None
        if plotting or (changed.plot_file is not None and len(refused) < 6):
            refused.append(changed.phase)
            raise OSError(errno.ENOSPC, "No space left on device")
        write_job(jobs, changed)

    monkeypatch.setattr("goplot.tractor.state.write_job", write)
    waits: list[float] = []
    log = Log(root.path / "logs" / "goplot.log", "prejob")
    assert JobRun(JobState(root.settings, job, log, waits.append)).run()
    assert refused
    assert results(root)[0].done
    text = (root.path / "logs" / "goplot.log").read_text()
    assert text.count("its progress can't be written") == 1


def test_a_job_that_was_stopped_before_it_had_a_tractor_does_not_start(root: FarmRoot) -> None:
    job = reserve(root)
    stop_path(root.path / "state" / "jobs", job.index).touch()
    assert not run(root, job)
    assert results(root)[0].reason == "stopped"
    assert list((root.path / "state" / "jobs").iterdir()) == []
    assert not job.folder.exists()


def test_a_job_of_another_version_is_understood(root: FarmRoot) -> None:
    job = reserve(root)
    path = root.path / "state" / "jobs" / "1.json"
    document = json.loads(path.read_text())
    for name in ("stage", "phase", "process", "note", "phase_seconds"):
        del document[name]
    document["something"] = "of a newer version"
    path.write_text(json.dumps(document))
    assert read_jobs(path.parent) == ([job], {})
