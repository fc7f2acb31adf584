"""The campaign notices each fault that it looks for."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from tests.campaign.farm import DISKS, STATE, TEMPS, TEXTFILE, Farm
from tests.campaign.mishaps import KINDS
from tests.campaign.test_crashes import KILLS, plan
from tests.campaign.watch import Watch
from tests.hosts.machine import Machine
from tests.hosts.spec import load

PLOT = "plot-k18-2026-01-01-00-00-" + "ab" * 32 + ".plot"
HOSTS = load(Path(__file__).parents[1] / "campaign/hosts.toml")


class FarmInFolder(Farm):
    """A farm whose host is a folder; diskhand removes nothing there."""

    def __init__(self, root: Path) -> None:
        super().__init__(Machine(HOSTS, HOSTS.host("plotter1")))
        self.root = root

    def inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def beneath(self) -> list[Path]:
        return []

    def diskhand(self) -> None:
        return

    def put(self, path: str, text: str = "") -> None:
        """Write a file."""
        self.inside(path).parent.mkdir(parents=True, exist_ok=True)
        self.inside(path).write_text(text, encoding="utf-8")

    def result(self, index: int = 1, seconds: float = 0, **fields: Any) -> dict[str, Any]:
        """Record that a plot is done."""
        del seconds
        known = {"index": index, "done": True, "reason": "", "detail": "", "disk": "disk2"}
        line = {**known, "plot_file": PLOT, **fields}
        with self.inside(f"{STATE}/results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def add_job(self, index: int = 1, **fields: Any) -> None:
        """Record a job that is under way."""
        job = {"stage": "plotting", "temp_path": TEMPS["temp1"], "disk_path": DISKS["disk2"]}
        sizes = {"temp_bytes": 1, "plot_bytes": 1, "plot_file": None}
        self.put(f"{STATE}/jobs/{index}.json", json.dumps({**job, **sizes, **fields}))


@pytest.fixture
def farm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarmInFolder:
    farm = FarmInFolder(tmp_path)
    for disk in DISKS.values():
        farm.inside(f"{disk}/plots").mkdir(parents=True)
        farm.inside(f"{disk}/logs").mkdir()
    for folder in (*TEMPS.values(), f"{STATE}/jobs"):
        farm.inside(folder).mkdir(parents=True)
    places = (*DISKS.values(), *TEMPS.values())
    farm.put("/proc/1/mounts", "".join(f"/dev/one {place} ext4 rw 0 0\n" for place in places))
    # Whoever runs the tests is the farm's own user.
    monkeypatch.setattr("tests.campaign.watch.ROOT", -1)
    return farm


def test_a_farm_at_work_has_no_fault(farm: FarmInFolder) -> None:
    farm.add_job(2, plot_file=None)
    farm.put(f"{TEMPS['temp1']}/goplot-2/p1.tmp")
    farm.add_job(3, stage="delivering", plot_file="x.plot")
    farm.put(f"{TEMPS['temp1']}/goplot-3/x.plot")
    farm.put(f"{DISKS['disk2']}/plots/x.plot.tmp")
    farm.result(1)
    farm.put(f"{DISKS['disk2']}/plots/{PLOT}")
    assert Watch(farm).faults() == []


def test_a_plot_that_is_gone_is_lost(farm: FarmInFolder) -> None:
    farm.result(1)
    assert Watch(farm).faults() == [f"plot 1 is lost: {PLOT!r}"]


def test_a_finished_plot_that_is_gone_before_its_delivery_is_lost(farm: FarmInFolder) -> None:
    farm.add_job(1, stage="delivering", plot_file=PLOT)
    assert Watch(farm).faults() == ["the finished plot 1 is lost"]


def test_a_plot_on_two_disks_is_there_twice(farm: FarmInFolder) -> None:
    farm.result(1)
    for disk in ("disk2", "disk5"):
        farm.put(f"{DISKS[disk]}/plots/{PLOT}")
    assert Watch(farm).faults() == [f"there twice: {PLOT!r} on ['disk2', 'disk5']"]


def test_a_plot_without_a_job_or_result_is_noticed(farm: FarmInFolder) -> None:
    farm.put(f"{DISKS['disk1']}/plots/caf\u00e9.plot2")
    watch = Watch(farm)
    assert watch.faults() == ["a plot that nobody made: 'caf\u00e9.plot2' on ['disk1']"]
    watch.foreign.add(f"{DISKS['disk1']}/plots/caf\u00e9.plot2")
    assert watch.faults() == []


def test_what_is_left_is_noticed(farm: FarmInFolder) -> None:
    farm.put(f"{TEMPS['temp2']}/goplot-7/p1.tmp")
    farm.put(f"{DISKS['disk1']}/plots/x.plot.tmp")
    assert Watch(farm).faults() == [
        f"left beside plots: 'x.plot.tmp' on {DISKS['disk1']}",
        f"left on temp: '{TEMPS['temp2']}/goplot-7'",
    ]


def test_two_results_of_one_plot_are_noticed_and_so_is_one_that_vanishes(
    farm: FarmInFolder,
) -> None:
    for _ in range(2):
        farm.result(1, done=False, reason="killed", plot_file=None)
    watch = Watch(farm)
    assert watch.faults() == ["index 1 has 2 results"]
    again = FarmInFolder(farm.root)
    farm.inside(f"{STATE}/results.jsonl").write_text("", encoding="utf-8")
    watch.farm = again
    assert watch.faults() == ["the result of plot 1 is gone"]


def test_more_promised_than_a_device_has_is_noticed_under_whatever_names(
    farm: FarmInFolder,
) -> None:
    status = os.statvfs(farm.root)
    half = int(status.f_bavail * status.f_frsize * 0.6)
    farm.add_job(1, disk_path=DISKS["disk5"], plot_bytes=half)
    assert Watch(farm).faults() == []
    farm.add_job(2, disk_path=DISKS["disk6"], plot_bytes=half)
    (found,) = Watch(farm).faults()
    assert found.startswith("more is promised than /plot_temp/1, ")


def test_a_counter_that_goes_back_or_ahead_is_noticed(farm: FarmInFolder) -> None:
    for index in (1, 2):
        farm.result(index, done=False, reason="killed", plot_file=None)
    farm.put(TEXTFILE, 'goplot_plots_failed_total{reason="killed"} 2.0\n')
    watch = Watch(farm)
    assert watch.faults() == []
    farm.put(TEXTFILE, 'goplot_plots_failed_total{reason="killed"} 1.0\n')
    (found,) = watch.faults()
    assert found.startswith('goplot_plots_failed_total{reason="killed"} went back from 2.0')
    farm.put(TEXTFILE, "goplot_plots_finished_total 1.0\n")
    assert "goplot_plots_finished_total counts more than there were" in Watch(farm).faults()


def test_a_file_of_roots_is_noticed(farm: FarmInFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.campaign.watch.ROOT", os.getuid())
    farm.put(f"{STATE}/totals.json")
    assert "root owns totals.json" in Watch(farm).faults()


def test_the_plan_follows_from_its_seed_and_has_every_kind() -> None:
    steps = plan(12, 12, random.Random(1))
    assert steps == plan(12, 12, random.Random(1))
    assert steps != plan(12, 12, random.Random(2))
    assert {kind for _, kind in steps} == set(KILLS) | set(KINDS)
    assert sum(kind in KILLS for _, kind in plan(1000, 1000, random.Random(1))) == 1000
