"""Disks that fill, vanish, turn read-only or fail under a plot that runs to or on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign import power
from tests.campaign.checks import bad_plots, faults
from tests.campaign.farm import DISKS, POOL, SETTINGS, TEMPS, Farm
from tests.hosts.system import wait_until

OUT = "9999999999999"
# Without the pool, which fails as a whole.
PLAIN_DISKS = {name: path for name, path in DISKS.items() if name not in POOL}
PLAIN_TEMPS = ("temp1", "temp2")
TIMERS = ("goplot-diskhand.timer", "goplot-plotter-collector.timer")


@pytest.fixture(autouse=True)
def large_plots_by_hand(farm: Farm) -> Iterator[None]:
    """k19, so that a phase lasts seconds, and no plot but those that the test starts.

    Whatever unit is started makes systemd mount what should be mounted, so no timer runs.
    """
    farm.await_quiet()
    farm.run("systemctl", "stop", *TIMERS)
    farm.run("sed", "-i", "s/^k = .*/k = 19/", SETTINGS)
    farm.set(max_plots=0, on_toggle="run")
    pool = [f"/etc/chia/goplot/disks/{name}.goplot" for name in POOL]
    for path in pool:
        farm.run("sh", "-c", f"echo {OUT} > {path}")
    yield
    farm.run("rm", *pool)
    for place in (*DISKS.values(), *TEMPS.values()):
        farm.run("rm", "-f", f"{place}/filler", check=False)
    farm.await_quiet()
    farm.run("sed", "-i", "s/^k = .*/k = 18/", SETTINGS)
    farm.run("systemctl", "start", *TIMERS)
    farm.diskhand()
    assert faults(farm) == []


def start(farm: Farm, disk: str, temp: str = "temp1") -> int:
    """A plot to one disk on one temp farm, held in its first phase."""
    others = [f"/etc/chia/goplot/disks/{name}.goplot" for name in PLAIN_DISKS if name != disk]
    for path in others:
        farm.run("sh", "-c", f"echo {OUT} > {path}")
    # The temp farm after the last used one is next.
    last = {"temp1": 3, "temp2": 1}[temp]
    farm.run("sh", "-c", f"echo {last} > /etc/chia/goplot/config/farm_temp.goplot")
    index = farm.start_by_hand()
    farm.run("rm", *others)
    wait_until("phase 1", lambda: farm.job(index).get("phase") == "1", 60)
    farm.run("kill", "-STOP", str(farm.plotter_pid(index)))
    job = farm.job(index)
    assert (job["disk"], job["temp_path"]) == (disk, TEMPS[temp])
    return index


def go_on(farm: Farm, index: int) -> None:
    """Let a held plot go on."""
    farm.run("kill", "-CONT", str(farm.plotter_pid(index)))


def fill(farm: Farm, path: str) -> None:
    """Leave less than a plot free."""
    (free,) = farm.run("sh", "-c", f"df --output=avail -B1 {path} | tail -1").split()
    farm.run("fallocate", "-l", str(int(free) - (1 << 20)), f"{path}/filler")


def is_made_elsewhere(farm: Farm, index: int, disk: str) -> None:
    """The plot is done, is good, and is on another disk than first meant."""
    result = farm.result(index)
    assert (result["done"], result["reason"]) == (True, "")
    assert result["disk"] != disk
    farm.run("test", "-f", f"{DISKS[result['disk']]}/plots/{result['plot_file']}")


def remount(farm: Farm, path: str) -> None:
    """As a person does once the disk is there again; what was mounted goes first."""
    unit = farm.run("systemd-escape", "--path", "--suffix=mount", path).strip()
    farm.run("systemctl", "stop", unit)
    farm.run("systemctl", "start", unit)


def is_back(farm: Farm, disk: str) -> None:
    """The disk is in rotation again after one run of diskhand, with nobody's help."""
    farm.diskhand()
    assert (farm.disk(disk)["in_rotation"], farm.disk(disk)["state"]) == (True, "ok")


def test_a_plot_whose_disk_was_filled_goes_to_another(farm: Farm) -> None:
    index = start(farm, "disk3")
    fill(farm, DISKS["disk3"])
    go_on(farm, index)
    is_made_elsewhere(farm, index, "disk3")
    assert farm.disk("disk3")["state"] == "full"
    farm.diskhand()
    assert not farm.disk("disk3")["in_rotation"]
    farm.run("rm", f"{DISKS['disk3']}/filler")
    is_back(farm, "disk3")


def test_a_plot_that_fits_nowhere_is_safe_on_temp_until_it_does(farm: Farm) -> None:
    index = start(farm, "disk2")
    for path in PLAIN_DISKS.values():
        fill(farm, path)
    go_on(farm, index)
    wait_until("stranded", lambda: farm.job(index).get("stage") == "stranded", 120)
    waiting = farm.left_on_temp()
    assert waiting == [f"{TEMPS['temp1']}/goplot-{index}"]
    problem = f"plot {index} is finished, but no disk can take it; it is safe in {waiting[0]}"
    assert problem in farm.status()["problems"]
    farm.cut_power()
    farm.machine.start()
    wait_until("its tractor", lambda: farm.main_pid(f"goplot-plot@{index}.service") != 0, 60)
    farm.run("rm", f"{DISKS['disk4']}/filler")
    farm.run("systemctl", "stop", f"goplot-plot@{index}.service")
    result = farm.result(index)
    assert (result["done"], result["disk"]) == (True, "disk4")


@pytest.mark.parametrize("temp", PLAIN_TEMPS)
def test_a_plot_whose_temp_farm_was_filled_fails_and_leaves_nothing(farm: Farm, temp: str) -> None:
    index = start(farm, "disk2", temp)
    fill(farm, TEMPS[temp])
    go_on(farm, index)
    result = farm.result(index)
    assert (result["done"], result["reason"]) == (False, "temp_space")
    assert farm.left_on_temp() == [f"{TEMPS[temp]}/filler"]


@pytest.mark.parametrize("disk", ["disk3", "disk4"])
def test_a_plot_whose_disk_was_unmounted_goes_to_another(farm: Farm, disk: str) -> None:
    index = start(farm, disk)
    # The plotter's log is open on it, so that only a lazy umount takes it away.
    farm.run("umount", "--lazy", DISKS[disk])
    go_on(farm, index)
    is_made_elsewhere(farm, index, disk)
    assert farm.beneath() == []
    assert (farm.disk(disk)["state"], farm.disk(disk)["room"]) == ("not mounted", 0)
    farm.diskhand()
    remount(farm, DISKS[disk])
    is_back(farm, disk)


@pytest.mark.parametrize("temp", PLAIN_TEMPS)
def test_a_plot_whose_temp_farm_was_unmounted_fails_and_leaves_nothing(
    farm: Farm, temp: str
) -> None:
    index = start(farm, "disk2", temp)
    farm.run("umount", "--lazy", TEMPS[temp])
    go_on(farm, index)
    result = farm.result(index)
    assert (result["done"], result["reason"]) == (False, "temp")
    assert farm.beneath() == []
    remount(farm, TEMPS[temp])
    farm.diskhand()
    wait_until("an empty temp farm", lambda: farm.left_on_temp() == [], 30)


def test_a_plot_whose_disk_turned_read_only_goes_to_another(farm: Farm) -> None:
    index = start(farm, "disk4")
    # What ext4 does by itself, with errors=remount-ro, when it finds itself damaged.
    loop = farm.loop("disk4").name
    Path(f"/sys/fs/ext4/{loop}/trigger_fs_error").write_text("test", encoding="ascii")
    assert farm.disk("disk4")["state"] == "read-only"
    go_on(farm, index)
    is_made_elsewhere(farm, index, "disk4")
    farm.diskhand()
    assert not farm.disk("disk4")["in_rotation"]
    remount(farm, DISKS["disk4"])
    is_back(farm, "disk4")


def test_no_plot_goes_to_a_disk_that_was_remounted_read_only(farm: Farm) -> None:
    farm.run("mount", "-o", "remount,ro", DISKS["disk2"])
    assert (farm.disk("disk2")["state"], farm.disk("disk2")["room"]) == ("read-only", 0)
    farm.diskhand()
    assert not farm.disk("disk2")["in_rotation"]
    farm.run("mount", "-o", "remount,rw", DISKS["disk2"])
    is_back(farm, "disk2")


@pytest.mark.parametrize("disk", ["disk3", "disk4"])
def test_a_plot_whose_disk_lost_its_device_goes_to_another(farm: Farm, disk: str) -> None:
    index = start(farm, disk)
    loop = farm.loop(disk)
    power.lose_device(loop)
    go_on(farm, index)
    is_made_elsewhere(farm, index, disk)
    farm.diskhand()
    assert not farm.disk(disk)["in_rotation"]
    power.return_device(loop)
    remount(farm, DISKS[disk])
    is_back(farm, disk)


@pytest.mark.parametrize("temp", PLAIN_TEMPS)
def test_a_plot_whose_temp_farm_lost_its_device_fails_and_leaves_nothing(
    farm: Farm, temp: str
) -> None:
    index = start(farm, "disk2", temp)
    loop = farm.loop(temp)
    power.lose_device(loop)
    go_on(farm, index)
    result = farm.result(index)
    assert not result["done"]
    farm.diskhand()
    # ext4 turns read-only by itself as it finds out, XFS shuts down.
    gone = (f"temp farm {TEMPS[temp]} is failing: ", f"temp farm {TEMPS[temp]} is read-only")
    assert any(problem.startswith(gone) for problem in farm.status()["problems"])
    power.return_device(loop)
    remount(farm, TEMPS[temp])
    farm.diskhand()
    assert not any(problem.startswith(gone) for problem in farm.status()["problems"])
    wait_until("an empty temp farm", lambda: farm.left_on_temp() == [], 30)


def test_chia_accepts_every_plot_that_is_there_after_all_that(farm: Farm) -> None:
    assert bad_plots(farm, farm.plots()) == []
