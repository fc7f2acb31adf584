"""Plotters that somebody started by hand count against limits and space."""

from pathlib import Path

from goplot.host.observe import observe
from goplot.host.tunables import read_tunables
from goplot.pacer.decision import Reason, decide
from goplot.pacer.start import look
from tests.support.farm_root import FarmRoot
from tests.support.processes import add_process


def start_by_hand(
    root: FarmRoot,
    number: int,
    *arguments: str | Path,
    parent: int = 1,
    folder: Path | None = None,
) -> None:
    """Let a process show in the root's /proc."""
    words = ["/v/bin/python", "/v/bin/chia", "plots", "create", "-k", "20", *arguments]
    add_process(root.path / "proc", number, words, parent=parent, folder=folder)


def test_its_space_is_committed_whole(root: FarmRoot) -> None:
    disk, temp = root.disk(1, "disk1"), root.temp(2)
    start_by_hand(root, 100, "-t", temp / "own", "-d", disk / "plots")
    (root.path / "proc" / "self").mkdir()
    observation = observe(root.settings)
    disks = {disk.name: disk for disk in observation.disks}
    temps = {temp.farm: temp for temp in observation.temps}
    assert observation.foreign == 1
    assert disks["disk1"].committed > 17_105_160
    assert (disks["disk1"].jobs, disks["disk3"].committed) == (1, 0)
    assert temps[2].committed > 41_426_944
    assert temps[1].committed == 0


def test_it_counts_for_max_plots(root: FarmRoot) -> None:
    start_by_hand(root, 100, "-t", root.temp(1), "-d", root.disk(1, "disk1"))
    root.tune(max_plots=1)
    tunables = read_tunables(root.path / "config", {})
    assert decide(look(root.settings), tunables).reason is Reason.MAX_PLOTS


def test_goplots_own_jobs_are_not_counted_twice(root: FarmRoot) -> None:
    start_by_hand(root, 100, "-t", root.temp(1) / "goplot-7", "-d", root.temp(1) / "goplot-7")
    assert observe(root.settings).foreign == 0


def test_a_plot_outside_the_farm_commits_nothing_of_it(root: FarmRoot) -> None:
    start_by_hand(root, 100, "-t", "/srv/tmp", "-d", "/srv/plots")
    observation = observe(root.settings)
    assert observation.foreign == 1
    assert sum(disk.committed for disk in observation.disks) == 0


def test_what_it_has_written_is_no_longer_committed(root: FarmRoot) -> None:
    for number in (100, 101):
        start_by_hand(root, number, "-t", root.temp(2), "-d", root.disk(1, "disk1"))
    before = observe(root.settings).temps[1].committed
    written = root.temp(2) / "plot-k20-2026-11-22-17-53-aa.plot.table1.tmp"
    written.write_bytes(b"x" * 3_000_000)
    allocated = written.stat().st_blocks * 512
    assert observe(root.settings).temps[1].committed == before - allocated


def test_a_wrapper_and_its_plotter_are_one_plot(root: FarmRoot) -> None:
    places = ("-t", root.temp(2), "-d", root.disk(1, "disk1"))
    start_by_hand(root, 100, *places)
    alone = observe(root.settings)
    # Chia's package runs itself once more; a shell may stand between.
    add_process(root.path / "proc", 101, ["/bin/sh", "-c", "chia"], parent=100)
    start_by_hand(root, 102, *places, parent=101)
    both = observe(root.settings)
    assert (alone.foreign, both.foreign) == (1, 1)
    assert both.temps[1].committed == alone.temps[1].committed
    start_by_hand(root, 103, *places)
    assert observe(root.settings).foreign == 2


def test_what_a_job_of_goplot_starts_is_its_own(root: FarmRoot) -> None:
    start_by_hand(root, 100, "-t", root.temp(1) / "goplot-7", "-d", root.temp(1) / "goplot-7")
    start_by_hand(root, 101, "-t", root.temp(1), "-d", root.disk(1, "disk1"), parent=100)
    assert observe(root.settings).foreign == 0


def test_a_sudo_before_it_is_not_a_second_plot(root: FarmRoot) -> None:
    words = ["sudo", "/v/bin/chia", "plots", "create", "-t", str(root.temp(1))]
    add_process(root.path / "proc", 99, words)
    start_by_hand(root, 100, "-t", root.temp(1), "-d", root.disk(1, "disk1"), parent=99)
    assert observe(root.settings).foreign == 1


def test_relative_folders_are_those_of_its_own_folder(root: FarmRoot) -> None:
    start_by_hand(root, 100, "-t", "2", "-d", "../farm/1/disk1", folder=root.path / "plot_temp")
    observation = observe(root.settings)
    assert observation.temps[1].committed > 41_426_944
    assert {disk.name for disk in observation.disks if disk.committed} == {"disk1"}


def test_arguments_that_are_not_utf_8_hide_no_plot(root: FarmRoot) -> None:
    odd = "/srv/cass\udce9"
    start_by_hand(root, 100, "-t", odd, "-d", root.disk(1, "disk1"))
    assert observe(root.settings).foreign == 1
