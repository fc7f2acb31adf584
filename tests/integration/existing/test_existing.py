"""A machine that was a farm before goplot: its disks are used as they are.

`python -m tests.tools.existing` prepares and deploys it. Chia itself is not installed there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.machine import Machine
from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
ToMachine = Callable[[str], Machine]
EARLIER = f"plot-k18-2020-01-01-00-00-{'11' * 32}.plot"


def disks(ssh: Ssh) -> dict[str, dict[str, Any]]:
    answer = json.loads(ssh("old1").check_output("goplot disks --json"))
    return {disk["disk"]: disk for disk in answer["disks"]}


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/farm/1/disk1", {"ext4"}),
        ("/farm/1/disk2", {"fuseblk", "ntfs3"}),
        ("/farm/2/pool", {"fuse.mergerfs"}),
        ("/farm/2/old", {"ext4"}),
        ("/plot_temp/1", {"ext4"}),
        ("/plot_temp/9", {"tmpfs"}),
    ],
)
def test_every_kind_of_disk_is_mounted_and_goplot_writes_there(
    ssh: Ssh, path: str, kinds: set[str]
) -> None:
    assert ssh("old1").mount_point(path).filesystem in kinds
    folders = [path] if path.startswith("/plot_temp") else [f"{path}/plots", f"{path}/logs"]
    for folder in folders:
        ssh("old1").check_output(f"runuser -u goplot -- sh -c 'touch {folder}/x && rm {folder}/x'")


def test_plots_are_made_on_every_kind_of_disk_with_second_files_in_memory(ssh: Ssh) -> None:
    def everywhere() -> bool:
        found = ssh("old1").check_output("find /farm/*/*/plots -name '*.plot'").split()
        return {plot.split("/")[3] for plot in found} == {"disk1", "disk2", "pool", "old"}

    wait_until("a plot on every disk", everywhere, 120)
    ssh("old1").check_output("goplot set on_toggle stop")
    assert ssh("old1").check_output("cat /mnt/nvme/seconds").split() != []
    wait_until(
        "the end of the plots",
        lambda: ssh("old1").check_output("ls /plot_temp/9; ls /plot_temp/1").split() == [],
        60,
    )


def test_plots_of_before_are_counted(ssh: Ssh) -> None:
    ssh("old1").check_output("goplot diskhand")
    counted = json.loads(ssh("old1").check_output("cat /var/lib/goplot/plots.json"))
    in_plots = ssh("old1").check_output("ls /farm/1/disk1/plots").split()
    assert ssh("old1").file(f"/farm/1/disk1/{EARLIER}").exists
    assert counted["/farm/1/disk1"] == len(in_plots) + 1


def test_fstab_is_as_it_was(ssh: Ssh) -> None:
    units = ssh("old1").check_output("ls /etc/systemd/system/*.mount").split()
    names = {unit.rpartition("/")[2] for unit in units}
    assert names == {
        "farm-1-disk2.mount",
        "farm-2-old.mount",
        "plot_temp-1.mount",
        "plot_temp-9.mount",
    }


def test_nothing_is_written_where_the_disk_of_a_folder_is_absent(
    ssh: Ssh, machine: ToMachine
) -> None:
    for disk in ("nvme", "pool"):
        machine("old1").unplug(disk)
    machine("old1").stop()
    machine("old1").start()
    for path in ("/plot_temp/1", "/farm/2/pool", "/farm/2/old"):
        assert not ssh("old1").mount_point(path).exists
        assert ssh("old1").run(f"touch {path}/x").failed, "root can write under an absent disk"
    assert not ssh("old1").file("/mnt/nvme/plot_temp").exists, "a folder was made in its place"
    assert {name for name, one in disks(ssh).items() if one["mounted"]} == {"disk1", "disk2"}
    assert ssh("old1").check_output("stat -c '%U %a' /plot_temp/9") == "goplot 700"
