"""Plotters that somebody started by hand count against limits and space."""

from pathlib import Path

from goplot.host.observe import observe
from goplot.host.tunables import read_tunables
from goplot.pacer.start import look
from tests.support.farm_root import FarmRoot


def start_by_hand(root: FarmRoot, number: int, *arguments: str | Path) -> None:
    """Let a process show in the root's /proc."""
    process = root.path / "proc" / str(number)
    process.mkdir(parents=True)
    words = ["/v/bin/python", "/v/bin/chia", "plots", "create", "-k", "20", *map(str, arguments)]
    (process / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")


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
    view = look(root.settings, read_tunables(root.path / "config", {}))
    assert view.decision.reason == "max_plots"


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
