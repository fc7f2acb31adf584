"""The rules of roles/preflight for mounts, without Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from goplot_preflight.mounts import check_mounts
from hypothesis import given
from hypothesis import strategies as st

from tests.support.inventory import DISK, TEMP, mistakes_of


def mounts(*entries: dict[str, Any]) -> list[str]:
    """What is mistakes_of of mounts, beside a temp farm that is right."""
    return mistakes_of({"farm_layout_mounts": [*entries, TEMP]})


@pytest.mark.parametrize(
    ("path", "cure"),
    [
        ("/farm/0/disk1", "'0' must be a positive whole number"),
        ("/farm/-1/disk1", "'-1' must be a positive whole number"),
        ("/farm/01/disk1", "'01' must be a positive whole number"),
        ("/farm/one/disk1", "'one' must be a positive whole number"),
        ("/plot_temp/1.5", "'1.5' must be a positive whole number"),
        ("/farm/1", "a disk is mounted at"),
        ("/farm/1/disk1/", "a disk is mounted at"),
        ("/farm/1/a/b", "a disk is mounted at"),
        ("/plot_temp/1/x", "a disk is mounted at"),
        ("/farms/1/disk1", "a disk is mounted at"),
        ("farm/1/disk1", "a disk is mounted at"),
        ("/farm/1/..", "the disk name"),
        ("/farm/1/my disk", "the disk name"),
        ("", "a disk is mounted at"),
    ],
)
def test_a_path_that_is_not_a_place_for_a_disk_is_a_mistake(path: str, cure: str) -> None:
    found = mounts({**DISK, "path": path})
    assert len(found) == 1
    assert cure in found[0]


@given(st.integers(1), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True))
def test_every_farm_and_sane_disk_name_is_a_place(farm: int, disk: str) -> None:
    entries = [{**DISK, "path": f"/farm/{farm}/{disk}"}, {**TEMP, "path": f"/plot_temp/{farm}"}]
    assert list(check_mounts(entries)) == []


@pytest.mark.parametrize(
    ("second", "variable", "cure"),
    [
        ({"path": "/farm/2/disk1", "src": "UUID=b"}, "[1].path", "disk1 is named twice"),
        ({"path": "/farm/1/disk2", "src": "UUID=AA-01"}, "[1].src", "the device is used twice"),
    ],
)
def test_what_is_used_twice_is_named_once(second: dict[str, str], variable: str, cure: str) -> None:
    found = mounts(DISK, {**DISK, **second})
    assert len(found) == 1
    assert f"farm_layout_mounts{variable}" in found[0]
    assert cure in found[0]


@pytest.mark.parametrize(
    ("first", "second", "mistakes"),
    [
        ("noatime,subvol=plots", "subvol=@temp", 0),
        ("subvol=plots", "noatime,subvol=/plots", 1),
        ("subvol=plots", "noatime", 1),
        ("noatime", "subvol=plots", 1),
        ("subvol=/", "subvol=plots", 1),
    ],
)
def test_one_device_may_be_two_disks_by_different_subvolumes(
    first: str, second: str, mistakes: int
) -> None:
    one = {**DISK, "fstype": "btrfs", "opts": first}
    found = mounts(one, {**one, "path": "/farm/1/disk2", "opts": second})
    assert len(found) == mistakes
    assert all("the device is used twice" in line for line in found)


def test_only_btrfs_has_subvolumes() -> None:
    one = {**DISK, "opts": "subvol=a"}
    assert len(mounts(one, {**one, "path": "/farm/1/disk2", "opts": "subvol=b"})) == 1


def test_a_path_used_twice_names_the_path_and_the_disk() -> None:
    found = mounts(DISK, {**DISK, "src": "UUID=b"})
    assert any("the path is used twice" in line for line in found)


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ({"src": "sdb"}, "must be UUID="),
        ({"src": "UUID="}, "must be UUID="),
        ({"src": "ID=5"}, "must be UUID="),
        ({"src": "/dev/../etc/passwd"}, "must be UUID="),
        ({"src": "/mnt/disk"}, "must be UUID="),
        ({"src": "LABEL=Seagate Expansion"}, "a name with a space can't be mounted by: use UUID="),
        ({"src": r"/dev/disk/by-label/Seagate\x20Expansion"}, "a name with a space can't be"),
        ({"src": "PARTLABEL=data (old)"}, "a name with the character"),
        ({"src": "LABEL=Größe"}, "a name with the character 'ß' can't be mounted by: use UUID="),
        ({"fstype": "ntfs4"}, "must be one of ext4, xfs, btrfs"),
        ({"fstype": "none", "src": "/mnt/old"}, "for a folder add opts: bind"),
        ({"fstype": "none", "src": "/farm/1/a", "opts": "bind"}, "a folder outside of /farm"),
        ({"fstype": "none", "src": "old", "opts": "bind"}, "a folder outside of /farm"),
        ({"fstype": "tmpfs", "src": "tmpfs"}, "plots in memory are lost at a reboot"),
        ({"fstype": "nfs", "src": "nas:/plots", "format": True}, "remove format"),
        ({"fstyp": "xfs"}, "did you mean fstype?"),
        ({"opts": "noatime, discard"}, "as in fstab"),
        ({"format": True}, "is named by its path"),
        ({"src": "/dev/sdb", "format": True, "fstype": "btrfs"}, "formats ext4 and xfs"),
        ({"src": None}, "must be text"),
    ],
)
def test_a_mount_that_cannot_be_is_a_mistake(change: dict[str, Any], cure: str) -> None:
    found = mounts({**DISK, **change})
    assert len(found) == 1
    assert cure in found[0]


def test_a_mount_without_its_device_is_a_mistake() -> None:
    found = mounts({"path": "/farm/1/disk1", "fstype": "xfs"})
    assert len(found) == 1
    assert "farm_layout_mounts[0].src is missing in {path: /farm/1/disk1}" in found[0]


@pytest.mark.parametrize(
    ("temps", "problems"),
    [
        ([1, 9], []),
        ([1], ["goplot_plotters.madmax.temp2 is 9, which farm_layout_mounts does not have"]),
        ([9], ["farm_layout_mounts has no /plot_temp mount beside that of temp2"]),
    ],
)
def test_second_temporary_files_have_a_temp_farm_of_their_own(
    temps: list[int], problems: list[str]
) -> None:
    entries = [{"path": f"/plot_temp/{n}", "src": f"UUID={n}", "fstype": "xfs"} for n in temps]
    madmax = {"program": "/usr/bin/chia_plot", "temp2": 9}
    values = {"goplot_plotter": "madmax", "goplot_plotters": {"madmax": madmax}}
    found = mistakes_of({**values, "farm_layout_mounts": [DISK, *entries]})
    assert [line.partition(": ")[2].partition(":")[0] for line in found] == problems


def test_a_device_without_its_file_system_is_a_mistake() -> None:
    found = mounts({"path": "/farm/1/disk1", "src": "UUID=a"})
    assert len(found) == 1
    assert "farm_layout_mounts[0].fstype is missing in {path: /farm/1/disk1}" in found[0]


def test_every_file_system_that_farms_have_is_accepted() -> None:
    entries: list[dict[str, Any]] = [
        {"path": "/farm/1/disk1", "src": "UUID=8A4C-1B22", "fstype": "exfat"},
        {"path": "/farm/1/disk2", "src": "UUID=01D7A2B3C4D5E6F7", "fstype": "ntfs"},
        {"path": "/farm/2/nas1", "src": "192.0.2.20:/volume1/plots", "fstype": "nfs"},
        {"path": "/farm/2/smb1", "src": "//192.0.2.20/plots", "fstype": "cifs"},
        {"path": "/farm/3/pool", "src": "/mnt/disk*", "fstype": "fuse.mergerfs"},
        {"path": "/farm/3/zfs1", "src": "tank/plots", "fstype": "zfs"},
        {"path": "/farm/3/bind1", "src": "/mnt/old/plots", "fstype": "none", "opts": "bind"},
        {"path": "/farm/4/mine"},
        {"path": "/plot_temp/2", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=110G"},
        {"path": "/plot_temp/3", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=1G"},
    ]
    assert mounts(*entries) == []


def test_the_default_of_formatting_leaves_disks_with_a_uuid_alone() -> None:
    assert mistakes_of({"farm_layout_format": True}) == []
