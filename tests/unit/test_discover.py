"""The inventory that is written from a look at hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from goplot_discover.disks import Namer, bus_of, mounts_of
from goplot_discover.inventory import Seen, files_of
from goplot_preflight.mounts import check_mounts

REPOSITORY = Path(__file__).parents[2]
PCI = "/sys/devices/pci0000:00"
TIB = 1 << 40


def device(name: str, sysfs: str, **more: Any) -> dict[str, Any]:
    """A device as discover_host returns it: a disk of 10 TiB with XFS."""
    about: dict[str, Any] = {
        "name": name,
        "pkname": None,
        "type": "disk",
        "serial": f"S{name}",
        "model": "Model",
        "size": 10 * TIB,
        "rotates": True,
        "read_only": False,
        "path": f"/dev/{name}",
        "sysfs": f"{PCI}/{sysfs}/block/{name}",
        "mounts": [],
        "fstype": "xfs",
        "uuid": f"uuid-{name}",
        "label": None,
        "plots": 0,
    }
    return {**about, **more}


USB = "0000:00:14.0/usb2/2-{}/2-{}.1/2-{}.1:1.0/host3/target3:0:0/3:0:0:0"
HBA = "0000:00:01.0/0000:01:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0"
NVME = "0000:00:1d.0/0000:3b:00.0/nvme/nvme{}"
SATA = "0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0"
SYSTEM = device("sda", SATA, rotates=False, fstype=None, table="gpt", uuid=None)
ROOT = device("sda1", SATA, pkname="sda", type="part", mounts=["/"])
REST = device("sda2", SATA, pkname="sda", type="part")


def usb(port: int, name: str, **more: Any) -> dict[str, Any]:
    """A disk behind the hub at a USB port."""
    return device(name, USB.format(port, port, port), **more)


@pytest.mark.parametrize(
    ("sysfs", "bus"),
    [
        (USB.format(4, 4, 4), "USB port 2-4"),
        (HBA, "HBA 0000:01:00.0"),
        (SATA, "SATA 0000:00:17.0"),
        (NVME.format(0), "NVMe 0000:3b:00.0"),
        ("virtual/loop7", "no known bus"),
    ],
)
def test_a_bus_is_known_by_its_place(sysfs: str, bus: str) -> None:
    root = "/sys/devices" if sysfs.startswith("virtual") else PCI
    assert bus_of(f"{root}/{sysfs}/block/x/x1") == bus


def test_ten_disks_on_two_ports_are_ten_lines_on_two_farms() -> None:
    disks = [usb(1 + number % 2, f"sd{number}") for number in range(10)]
    mounts = mounts_of([SYSTEM, ROOT, REST, *disks], Namer())
    assert len(mounts) == 10
    assert not any(mount.decide for mount in mounts)
    assert {mount.path.split("/")[2] for mount in mounts} == {"1", "2"}
    assert len({mount.path.split("/")[3] for mount in mounts}) == 10
    assert {mount.src for mount in mounts} == {f"UUID=uuid-sd{number}" for number in range(10)}


def test_nothing_of_the_systems_drive_is_proposed() -> None:
    assert mounts_of([SYSTEM, ROOT, REST], Namer()) == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"fstype": None, "uuid": None}, "it seems blank; goplot formats it"),
        ({"fstype": "zfs_member"}, "goplot does not mount zfs_member"),
        ({"fstype": None, "table": "gpt", "uuid": None}, "goplot does not mount gpt"),
        ({"mounts": ["/mnt/a"]}, "it is mounted at /mnt/a"),
        ({"size": 8 << 30}, "it is too small for a k32 plot"),
        ({"read_only": True}, "it is read-only"),
        ({"uuid": None}, "it has no UUID"),
    ],
)
def test_what_is_not_certain_is_left_to_the_owner(more: dict[str, Any], reason: str) -> None:
    (mount,) = mounts_of([usb(1, "sdb", **more)], Namer())
    assert mount.decide.startswith(reason)
    assert all(line.lstrip().startswith("#") for line in mount.line().splitlines())
    assert mount.format == ("blank" in reason)


def test_a_disk_that_is_in_place_stays_there_and_its_name_is_taken() -> None:
    first = usb(1, "sdb", mounts=["/farm/7/disk1"], size=1 << 30)
    second = usb(1, "sdc")
    labelled = usb(1, "sdd", label="blue")
    paths = [mount.path for mount in mounts_of([first, second, labelled], Namer())]
    assert paths == ["/farm/1/blue", "/farm/1/disk2", "/farm/7/disk1"]


def test_a_fast_drive_is_for_temporary_files_unless_it_holds_plots() -> None:
    blank = device("nvme0n1", NVME.format(0), rotates=False, fstype=None, uuid=None)
    plots = device("nvme1n1", NVME.format(1), rotates=False, plots=3, mounts=["/farm/2/fast"])
    full, empty = mounts_of([blank, plots], Namer())
    assert (full.path, full.decide) == ("/farm/2/fast", "")
    assert empty.path == "/plot_temp/1"
    assert "3 plots" in full.line()


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs", "f2fs", "exfat", "ntfs"])
def test_a_fast_drive_that_holds_a_file_system_is_a_temp_farm_that_the_owner_enables(
    fstype: str,
) -> None:
    fast = device("nvme0n1", NVME.format(0), rotates=False, fstype=fstype)
    (mount,) = mounts_of([fast], Namer())
    reason, line = mount.line().splitlines()
    assert reason.startswith("  # decide: it holds a file system, and is not formatted")
    assert yaml.safe_load(line) is None
    enabled = yaml.safe_load(line.replace("#", "", 1))
    assert enabled == [{"path": "/plot_temp/1", "src": "UUID=uuid-nvme0n1", "fstype": fstype}]
    assert list(check_mounts(enabled)) == []


def test_disks_of_every_file_system_that_goplot_mounts_are_certain() -> None:
    found = mounts_of([usb(1, "sdb", fstype="ntfs"), usb(1, "sdc", fstype="exfat")], Namer())
    assert [mount.decide for mount in found] == ["", ""]


def test_what_a_drive_calls_itself_breaks_no_line() -> None:
    (mount,) = mounts_of([usb(1, "sdb", model="a\nb: {", serial="\x1bx")], Namer())
    assert "\n" not in mount.line()
    assert yaml.safe_load(mount.line())[0]["path"] == "/farm/1/disk1"


def farm() -> list[Seen]:
    """A farmer without disks, a plotter with a temp farm and a harvester."""
    temp = device("nvme0n1", NVME.format(0), rotates=False, mounts=["/plot_temp/1"])
    looks = {
        "10.0.0.1": {"name": "farmer1", "devices": [SYSTEM, ROOT], "programs": []},
        "10.0.0.2": {"name": "plotter1", "devices": [usb(1, "sdb"), temp], "programs": []},
        "10.0.0.3": {
            "name": "plotter1",
            "devices": [usb(1, "sdb"), usb(2, "sdc", fstype="vfat")],
            "programs": ["Chia in /home/me/.chia/mainnet", "Prometheus: /etc/prometheus"],
        },
    }
    return [Seen(address, "admin", False, look) for address, look in looks.items()]


def test_hosts_are_in_the_groups_that_they_are_for() -> None:
    files = files_of(farm())
    hosts = yaml.safe_load(files["hosts.yml"])
    assert list(hosts["farmer"]["hosts"]) == ["farmer1"]
    assert list(hosts["plotter"]["hosts"]) == ["plotter1"]
    # Another host has that name: this one goes by its address.
    assert list(hosts["harvester"]["hosts"]) == ["plotter1", "10.0.0.3"]
    assert hosts["all"]["hosts"]["plotter1"] == {
        "ansible_host": "10.0.0.2",
        "ansible_user": "admin",
    }
    text = files["host_vars/10.0.0.3.yml"]
    assert "# found: Chia in /home/me/.chia/mainnet" in text
    assert "# decide: goplot does not mount vfat" in text
    # Disk names go on counting through the farm.
    assert [mount["path"] for mount in yaml.safe_load(text)["farm_layout_mounts"]] == [
        "/farm/1/disk2"
    ]


def test_a_farm_without_a_certain_disk_is_still_an_inventory() -> None:
    host = Seen("10.0.0.1", "", False, {"name": "one", "devices": [], "programs": []})
    hosts = yaml.safe_load(files_of([host])["hosts.yml"])
    assert hosts["plotter"]["hosts"] == {}
    blank = usb(1, "sdb", fstype=None, uuid=None)
    host = Seen("10.0.0.1", "", False, {"name": "one", "devices": [blank], "programs": []})
    files = files_of([host])
    assert yaml.safe_load(files["hosts.yml"])["harvester"]["hosts"] == {}
    assert yaml.safe_load(files["host_vars/one.yml"])["farm_layout_mounts"] == []


def ansible(playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the repository on this machine."""
    return subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", REPOSITORY / playbook, *options],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg")},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_the_look_at_this_machine_is_an_inventory_that_preflight_takes(tmp_path: Path) -> None:
    folder = tmp_path / "farm"
    options = ["-i", "localhost,", "-e", f"discover_folder={folder}", "-e", "ansible_become=false"]
    options += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = ansible("playbooks/discover.yml", *options)
    assert done.returncode != 0
    assert "No host was named" in done.stdout
    done = ansible("playbooks/discover.yml", *options, "-e", "discover_hosts=localhost")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{folder} is written, for 1 hosts" in done.stdout
    written = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    checked = ansible("playbooks/preflight.yml", "-i", str(folder))
    mistakes = [
        line for line in checked.stdout.splitlines() if ": must " in line or " is not " in line
    ]
    assert mistakes == [], checked.stdout
    done = ansible("playbooks/discover.yml", *options, "-e", "discover_hosts=localhost")
    assert done.returncode != 0
    assert "exists, and is left as it is" in done.stdout
    assert written == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
