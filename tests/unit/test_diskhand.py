"""diskhand: the file of every disk, and whose value it is."""

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from goplot.collectors.plotter import collect
from goplot.diskhand.probe import ON_DISK, probe_all
from goplot.diskhand.service import main
from goplot.farm.disks import failing
from goplot.farm.jobs import Stage
from goplot.host.diskstate import read_own, read_plots
from goplot.host.jobstore import write_job
from goplot.host.observe import observe, read_disk_file
from goplot.host.textfile import read_samples
from tests.support.farm_root import PLOT_ID, FarmRoot
from tests.support.jobs import NAME, reserve, run

OUT = 9_999_999_999_999


@pytest.fixture(autouse=True)
def arguments(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """goplot-diskhand is called for the root."""
    monkeypatch.setattr("sys.argv", ["goplot-diskhand", "--settings", str(root.settings_path)])


def disk_file(root: FarmRoot, name: str) -> Path:
    """A disk's file."""
    return root.path / "disks" / f"{name}.goplot"


def value(root: FarmRoot, name: str) -> int:
    """What a disk's file holds."""
    return int(disk_file(root, name).read_text())


def log(root: FarmRoot) -> str:
    """diskhand.log."""
    return (root.path / "logs" / "diskhand.log").read_text()


def test_disks_with_room_get_their_used_space(root: FarmRoot) -> None:
    assert main() == 0
    assert 0 < value(root, "disk1") < OUT
    assert value(root, "disk4") == OUT
    text = log(root)
    assert "diskhand : farms found: 1 2" in text
    assert f"{root.disk(1, 'disk1')} has 0 space committed" in text
    assert "used/total/available" in text
    assert "disk4 is not mounted" in text


def test_a_disk_without_room_is_taken_out(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    assert value(root, "disk1") == OUT
    assert "does not have room for plotting" in log(root)


def test_what_diskhand_took_out_comes_back_by_itself(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    root.configure(k=18)
    disk4 = root.disk(2, "disk4")
    (disk4 / "plots").mkdir()
    (disk4 / "logs").mkdir()
    root.mount(disk4)
    main()
    assert value(root, "disk1") < OUT
    assert value(root, "disk4") < OUT


@pytest.mark.parametrize("text", ["9999999999999", "99999999999999", "10000000000000", "out"])
def test_a_persons_value_is_kept_until_the_file_is_deleted(root: FarmRoot, text: str) -> None:
    main()
    disk_file(root, "disk1").write_text(text + "\n")
    main()
    main()
    assert disk_file(root, "disk1").read_text() == text + "\n"
    assert "not using disk1" in log(root)
    disk_file(root, "disk1").unlink()
    main()
    assert value(root, "disk1") < OUT


def test_a_person_may_take_out_a_disk_that_is_full(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    disk_file(root, "disk1").write_text(f"{OUT}\n")
    root.configure(k=18)
    main()
    assert value(root, "disk1") == OUT
    assert value(root, "disk3") < OUT


def test_a_value_of_before_goplot_is_a_persons(root: FarmRoot) -> None:
    disk_file(root, "disk1").write_text("99999999999999\n")
    main()
    assert value(root, "disk1") == 99999999999999


def test_a_lost_state_makes_no_full_disk_a_surprise(root: FarmRoot) -> None:
    main()
    (root.path / "state" / "diskhand.json").unlink()
    main()
    assert value(root, "disk1") < OUT


def test_plots_are_counted(root: FarmRoot) -> None:
    plots = root.disk(1, "disk1") / "plots"
    (plots / f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot").write_bytes(b"12345")
    (plots / f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot.tmp").write_bytes(b"123")
    main()
    assert read_plots(root.path / "state")[str(root.disk(1, "disk1"))] == 1


def test_plots_of_before_goplot_in_the_root_of_a_disk_count(root: FarmRoot) -> None:
    disk = root.disk(1, "disk1")
    (disk / f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot").write_bytes(b"12345")
    (disk / "plots" / f"plot-k18-2026-11-23-17-53-{PLOT_ID}.plot").write_bytes(b"12345")
    partial = disk / f"plot-k18-2026-11-24-17-53-{PLOT_ID}.plot.tmp"
    partial.write_bytes(b"123")
    main()
    assert read_plots(root.path / "state")[str(disk)] == 2
    assert partial.exists()


def test_a_disk_that_can_not_be_read_is_failing_and_stops_nothing(root: FarmRoot) -> None:
    plots = root.disk(1, "disk1") / "plots"
    plots.rmdir()
    # Whatever looks into it gets an error, as from a disk whose device is gone.
    plots.symlink_to(plots)
    assert main() == 0
    assert "disk1 is failing: Too many levels of symbolic links" in log(root)
    assert value(root, "disk1") == OUT
    assert run(root, reserve(root))


def test_a_disk_that_takes_no_write_is_failing(root: FarmRoot) -> None:
    # A folder where the probe's file should be: the write fails although all looks well.
    probe_file = root.disk(1, "disk1") / "logs" / ".goplot-probe"
    probe_file.mkdir()
    assert main() == 0
    assert value(root, "disk1") == OUT
    assert "disk1 is failing: Is a directory" in log(root)
    assert read_own(root.path / "state")["disk1"].reason == "failing: Is a directory"
    probe_file.rmdir()
    main()
    assert value(root, "disk1") < OUT


def test_no_plot_starts_on_a_temp_farm_that_takes_no_write(root: FarmRoot) -> None:
    probe_file = root.temp(1) / ".goplot-probe"
    probe_file.mkdir()
    assert main() == 0
    assert f"{root.temp(1)} is failing: Is a directory" in log(root)
    trouble = {temp.farm: temp.trouble for temp in observe(root.settings).temps}
    assert trouble == {1: failing("Is a directory"), 2: None}
    assert {reserve(root).temp_farm for _ in range(2)} == {2}
    probe_file.rmdir()
    main()
    assert "failing" not in log(root)
    assert {reserve(root).temp_farm for _ in range(2)} == {1, 2}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_not_failing(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("goplot.diskhand.probe.probe", full)
    assert probe_all([root.disk(1, "disk1")], ON_DISK, root.path / "mountinfo") == {}


def test_a_disk_that_hangs_holds_up_no_other(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang = threading.Event()

    def slow(disk: Path, *_: object) -> None:
        if disk.name == "disk1":
            hang.wait(60)

    monkeypatch.setattr("goplot.diskhand.probe.probe", slow)
    disks = [root.disk(1, "disk1"), root.disk(1, "disk3"), root.disk(2, "disk2")]
    found = probe_all(disks, ON_DISK, root.path / "mountinfo", patience=0.2)
    hang.set()
    assert found == {root.disk(1, "disk1"): "does not answer"}


def test_a_partial_copy_of_goplots_own_is_removed_and_no_other(root: FarmRoot) -> None:
    run(root, reserve(root))
    plots = root.disk(2, "disk2") / "plots"
    (plots / f"{NAME}.tmp").write_bytes(b"half")
    stranger = plots / f"plot-k32-2026-11-22-17-53-{'cd' * 32}.plot.tmp"
    stranger.write_bytes(b"somebody copies")
    main()
    assert [path.name for path in plots.iterdir()] == [stranger.name]
    assert f"removed {NAME}.tmp" in log(root)


def test_a_copy_under_way_stays(root: FarmRoot) -> None:
    job = replace(reserve(root), stage=Stage.DELIVERING, plot_file=NAME)
    write_job(root.path / "state" / "jobs", job)
    copy = job.disk_path / "plots" / f"{NAME}.tmp"
    copy.write_bytes(b"half")
    elsewhere = root.disk(2, "disk2") / "plots" / f"{NAME}.tmp"
    elsewhere.write_bytes(b"half")
    main()
    assert copy.exists()
    assert not elsewhere.exists()


def test_what_a_job_that_is_over_left_on_temp_is_removed(root: FarmRoot) -> None:
    job = reserve(root)
    run(root, job)
    job.folder.mkdir()
    (job.folder / f"{NAME}.table1.tmp").write_text("back after a power cut")
    running = reserve(root)
    running.folder.mkdir()
    (running.folder / f"{NAME}.table1.tmp").write_text("in use")
    stranger = root.temp(1) / "goplot-77"
    stranger.mkdir()
    main()
    assert not job.folder.exists()
    assert running.folder.exists()
    assert stranger.exists()
    assert f"{job.folder} was left by a job that is over" in log(root)


def test_a_finished_plot_of_a_failed_job_is_kept_on_temp(root: FarmRoot) -> None:
    root.configure(fate="fail")
    job = reserve(root)
    run(root, job)
    job.folder.mkdir()
    (job.folder / NAME).write_text("a plot")
    main()
    assert (job.folder / NAME).exists()
    assert f"{job.folder} holds a finished plot" in log(root)
    kept = read_samples(collect(root.settings).render())["goplot_plots_kept"]
    counts = {labels["temp_farm"]: value for labels, value in kept}
    assert counts == {str(farm): float(farm == job.temp_farm) for farm in (1, 2)}


def test_one_name_in_two_farms_is_refused(root: FarmRoot) -> None:
    root.add_disk(2, "disk1")
    main()
    assert log(root).count("disk1 is name used twice") == 2
    assert value(root, "disk1") == OUT
    assert value(root, "disk3") < OUT


def test_a_disk_file_that_can_not_be_read_takes_its_disk_out(root: FarmRoot) -> None:
    disk_file(root, "disk1").mkdir()
    assert read_disk_file(disk_file(root, "disk1")) == OUT
    assert read_disk_file(disk_file(root, "disk3")) is None


def test_a_disk_that_does_not_say_what_it_is_fails_alone(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As XFS does when its device is gone: even the folder of the mount can't be asked.
    failed, stat = root.disk(1, "disk1"), Path.stat

    def ask(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path == failed or failed in path.parents:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return stat(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", ask)
    first, *others = observe(root.settings).disks
    assert (first.path, first.trouble) == (failed, failing("Input/output error"))
    assert [disk.trouble for disk in others if disk.mounted] == [None, None]
    assert main() == 0
    assert value(root, "disk1") == OUT
