"""What roles/farm_layout decides for each disk, without Ansible."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from farm_layout_plan import (
    Device,
    Disk,
    Mounted,
    Record,
    Wanted,
    decide,
    device_path,
    holder,
    mounted_from,
    source_as_udev,
    undeclared,
    unit_name,
    unit_setting,
)
from hypothesis import given
from hypothesis import strategies as st

DISK = Wanted("/farm/1/disk1", "UUID=aa", "xfs", "noatime", format=False)
TEMP = Wanted("/plot_temp/1", "/dev/sdb", "xfs", "noatime", format=True)
HELD = Device("/dev/sda", "xfs", "aa")
BLANK = Device("/dev/sdb")
FULL = Device("/dev/sdb", "xfs", "bb", ("it holds xfs",))
OURS = {TEMP.path: Record("/dev/sdb", "cc")}
MADE = Device("/dev/sdc", "xfs", "cc")


def plan(
    wanted: Wanted,
    device: Device | None = None,
    recorded: Device | None = None,
    records: dict[str, Record] | None = None,
    mounts: tuple[Mounted, ...] = (),
    adoptable: frozenset[str] = frozenset(),
) -> Disk:
    """decide() with what is usual."""
    return decide(wanted, device, recorded, records or {}, mounts, adoptable)


def test_a_disk_that_is_there_is_mounted() -> None:
    assert plan(DISK, HELD) == Disk(DISK, "UUID=aa", "/dev/sda", start=True)


def test_an_absent_disk_is_reported_and_its_unit_kept_for_when_it_comes() -> None:
    disk = plan(DISK)
    assert (disk.what, disk.start, disk.problem) == ("UUID=aa", False, "")
    assert disk.note.startswith("/farm/1/disk1: UUID=aa is not there.")


def test_a_mounted_disk_is_left_alone() -> None:
    disk = plan(DISK, HELD, mounts=(Mounted(DISK.path, "/dev/sda", "xfs"),))
    assert disk == Disk(DISK, "UUID=aa", "/dev/sda", mounted=True)


@pytest.mark.parametrize("device", [None, Device("/dev/sdz", "xfs", "aa")])
def test_a_path_where_another_disk_is_mounted_stays_so_and_is_reported(
    device: Device | None,
) -> None:
    disk = plan(DISK, device, mounts=(Mounted(DISK.path, "/dev/sdq", "xfs"),))
    assert (disk.mounted, disk.start, disk.problem) == (True, False, "")
    assert "is mounted from /dev/sdq" in disk.note


def test_the_last_of_two_mounts_on_one_path_is_the_one_that_counts() -> None:
    first, last = Mounted(DISK.path, "/dev/sda", "ext4"), Mounted(DISK.path, "/dev/sda", "xfs")
    assert plan(DISK, HELD, mounts=(first, last)).problem == ""


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (Device("/dev/sda", "ext4", "aa"), "holds a ext4 file system, the inventory says xfs"),
        (Device("/dev/sda"), "holds no file system"),
    ],
)
def test_another_file_system_than_asked_is_a_problem(device: Device, words: str) -> None:
    disk = plan(DISK, device)
    assert words in disk.problem
    assert not disk.start


def test_a_disk_is_never_mounted_twice() -> None:
    disk = plan(DISK, HELD, mounts=(Mounted("/farm/2/disk1", "/dev/sda", "xfs"),))
    assert not disk.start
    assert "is mounted at /farm/2/disk1" in disk.note


@pytest.mark.parametrize(("root", "start"), [("/temp", True), ("/", True), ("/plots", False)])
def test_a_subvolume_is_mounted_beside_others_of_its_device(root: str, start: bool) -> None:
    wanted = replace(DISK, fstype="btrfs", opts="noatime,subvol=plots")
    mounts = (Mounted("/plot_temp/1", "/dev/sda", "btrfs", root),)
    disk = plan(wanted, Device("/dev/sda", "btrfs", "aa"), mounts=mounts)
    assert disk.start == start
    assert ("is not mounted twice" in disk.note) == (not start)


def test_a_blank_device_is_formatted_when_asked_and_has_no_unit_before() -> None:
    assert plan(TEMP, BLANK) == Disk(TEMP, "", "/dev/sdb", pending=True)


def test_a_blank_device_is_a_problem_when_not_asked() -> None:
    disk = plan(replace(TEMP, format=False), BLANK)
    assert not disk.pending
    assert "holds no file system" in disk.problem


def test_a_device_that_is_not_blank_is_a_problem_with_its_cure() -> None:
    disk = plan(TEMP, FULL)
    assert not disk.pending
    assert disk.what == ""
    assert "not blank: it holds xfs" in disk.problem
    assert "src: UUID=bb" in disk.problem


def test_what_was_made_is_mounted_by_its_uuid_wherever_it_is() -> None:
    disk = plan(TEMP, None, MADE, OURS)
    assert disk == Disk(TEMP, "UUID=cc", "/dev/sdc", start=True)


def test_what_was_made_and_is_gone_is_absent_though_a_blank_device_has_its_name() -> None:
    disk = plan(TEMP, BLANK, None, OURS)
    assert (disk.what, disk.pending, disk.start) == ("UUID=cc", False, False)
    assert "farm_layout.json" in disk.note


def test_what_was_made_with_another_file_system_than_asked_now_is_a_problem() -> None:
    disk = plan(replace(TEMP, fstype="ext4"), None, MADE, OURS)
    assert "holds a xfs file system, the inventory says ext4" in disk.problem


def test_a_changed_source_that_holds_what_was_made_is_taken_over() -> None:
    renamed = replace(TEMP, src="/dev/disk/by-id/ata-X")
    held = replace(MADE, findings=("it holds xfs",))
    assert plan(renamed, held, MADE, OURS).pending


def test_a_changed_source_that_is_blank_is_formatted() -> None:
    assert plan(replace(TEMP, src="/dev/sdd"), Device("/dev/sdd"), None, OURS).pending


def test_a_cut_between_mkfs_and_its_record_is_taken_up() -> None:
    records = {TEMP.path: Record("/dev/sdb", "bb", made=False)}
    assert plan(TEMP, FULL, FULL, records).pending


def test_a_file_system_made_for_a_path_that_is_gone_is_taken_over() -> None:
    assert plan(TEMP, FULL, adoptable=frozenset({"bb"})).pending
    assert plan(TEMP, FULL, adoptable=frozenset({"other"})).problem


def test_a_mount_by_hand_does_not_permit_formatting() -> None:
    mounted = (Mounted(TEMP.path, "/dev/sdb", "xfs"),)
    disk = plan(TEMP, FULL, mounts=mounted)
    assert not disk.pending
    assert disk.problem


DEVICES = st.none() | st.builds(
    Device,
    st.sampled_from(["/dev/sda", "/dev/sdb"]),
    st.sampled_from(["", "xfs", "ext4"]),
    st.sampled_from(["", "aa", "bb"]),
    st.sampled_from([(), ("it holds xfs",)]),
)
RECORDS = st.dictionaries(
    st.sampled_from([DISK.path, TEMP.path]),
    st.builds(
        Record,
        st.sampled_from(["/dev/sdb", "UUID=aa"]),
        st.sampled_from(["aa", "bb"]),
        st.booleans(),
    ),
)
MOUNTS = st.lists(
    st.builds(
        Mounted,
        st.sampled_from([DISK.path, TEMP.path, "/mnt"]),
        st.sampled_from(["/dev/sda", "/dev/sdb"]),
        st.sampled_from(["xfs", "ext4"]),
    ),
    max_size=3,
)


@given(
    st.sampled_from([DISK, TEMP, replace(TEMP, format=False)]),
    DEVICES,
    DEVICES,
    RECORDS,
    MOUNTS,
    st.frozensets(st.sampled_from(["aa", "bb"])),
)
def test_whatever_is_found_nothing_that_holds_something_is_formatted_and_nothing_mounted_twice(
    wanted: Wanted,
    device: Device | None,
    recorded: Device | None,
    records: dict[str, Record],
    mounts: list[Mounted],
    adoptable: frozenset[str],
) -> None:
    disk = decide(wanted, device, recorded, records, mounts, adoptable)
    if disk.pending:
        known = adoptable | {record.uuid for record in records.values()}
        assert wanted.format
        assert device is not None
        assert not device.findings or device.uuid in known
    if disk.start:
        assert not any(mount.path == wanted.path for mount in mounts)
        assert not any(mount.source == disk.device for mount in mounts)
    assert not (disk.problem and (disk.start or disk.pending))
    assert disk.mounted == any(mount.path == wanted.path for mount in mounts)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/farm/1/disk1", "farm-1-disk1.mount"),
        ("/farm/1/disk-2", r"farm-1-disk\x2d2.mount"),
        ("/plot_temp/1", "plot_temp-1.mount"),
        ("/farm/1/a.b@c", r"farm-1-a.b\x40c.mount"),
        ("/.x/y/", r"\x2ex-y.mount"),
        ("/farm/1/ä", r"farm-1-\xc3\xa4.mount"),
        ("/", "-.mount"),
    ],
)
def test_units_are_named_as_systemd_escape_names_them(path: str, unit: str) -> None:
    assert unit_name(path, "mount") == unit


@given(st.lists(st.text("abAB19-_.:/\\x2d", min_size=1), min_size=1, max_size=4))
def test_a_unit_name_gives_its_path_back(parts: list[str]) -> None:
    path = "/" + "/".join(part for part in "/".join(parts).split("/") if part)
    name = unit_name(path, "mount").removesuffix(".mount")
    plain = re.sub(r"\\x(..)", lambda match: chr(int(match[1], 16)), name.replace("-", "/"))
    assert plain.lstrip("/") == path.lstrip("/")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("/dev/sdb", "/dev/sdb"),
        ("UUID=a-b", "/dev/disk/by-uuid/a-b"),
        ("LABEL=my disk", r"/dev/disk/by-label/my\x20disk"),
        ("PARTLABEL=a/b", r"/dev/disk/by-partlabel/a\x2fb"),
        ("PARTUUID=1", "/dev/disk/by-partuuid/1"),
    ],
)
def test_sources_have_the_path_that_udev_gives_them(source: str, path: str) -> None:
    assert device_path(source) == path


def test_mountinfo_is_read_with_its_escapes_and_optional_fields() -> None:
    content = (
        b"36 35 98:0 / /farm/1/disk\\0401 rw,noatime shared:1 master:2 - xfs /dev/sda rw\n"
        b"37 35 0:5 / /proc rw - proc proc rw\n"
        b"nonsense\n"
        b"38 35 98:1 / /farm/1/cass\xe9 rw - xfs /dev/sdb rw\n"
        b"39 35 98:2 / /farm/1/\xc2\x85\r\x0c\xe2\x80\xa8 rw - xfs /dev/sdc rw\n"
    )
    assert mounted_from(content) == [
        ("/farm/1/disk 1", "/dev/sda", "xfs", "/"),
        ("/proc", "proc", "proc", "/"),
        ("/farm/1/cass\\xe9", "/dev/sdb", "xfs", "/"),
        ("/farm/1/\x85\r\x0c\u2028", "/dev/sdc", "xfs", "/"),
    ]


def test_a_setting_of_a_unit_is_its_last() -> None:
    assert unit_setting("[Mount]\nWhat=a\nWhat=/dev/b\n", "What") == "/dev/b"
    assert unit_setting("[Mount]\nWhatever=a\n", "What") == ""


@pytest.mark.parametrize(
    ("src", "fstype", "kernel"),
    [
        ("192.0.2.20:/volume1/plots", "nfs", "nfs4"),
        ("//192.0.2.20/plots", "cifs", "cifs"),
        ("/mnt/disk*", "fuse.mergerfs", "fuse.mergerfs"),
        ("tank/plots", "zfs", "zfs"),
        ("", "", "xfs"),
    ],
)
def test_what_a_person_mounts_is_used_when_it_is_there_and_has_no_unit(
    src: str, fstype: str, kernel: str
) -> None:
    wanted = Wanted("/farm/3/pool", src, fstype, "noatime", format=False)
    absent = plan(wanted)
    assert (absent.what, absent.start, absent.problem) == ("", False, "")
    assert "is not mounted there, and goplot leaves that to you" in absent.note
    there = plan(wanted, mounts=(Mounted(wanted.path, src or "/dev/sda", kernel),))
    assert (there.what, there.mounted, there.note, there.problem) == ("", True, "", "")


BIND = Wanted("/plot_temp/1", "/mnt/nvme/temp", "none", "bind", format=False)
NVME = (Mounted("/", "/dev/sda", "ext4"), Mounted("/mnt/nvme", "/dev/sdb", "xfs"))


def test_a_folder_of_a_disk_is_bound_while_its_disk_is_mounted() -> None:
    disk = plan(BIND, Device("/mnt/nvme/temp"), mounts=NVME)
    assert (disk.what, disk.within, disk.start) == ("/mnt/nvme/temp", "/mnt/nvme", True)
    facts = disk.facts(Path("/none"))
    assert (facts["device_unit"], facts["within"], facts["opts"]) == ("", "/mnt/nvme", "bind")
    there = (*NVME, Mounted(BIND.path, "/dev/sdb", "xfs"))
    assert not plan(BIND, Device("/mnt/nvme/temp"), mounts=there).start


def test_a_folder_whose_disk_is_absent_is_not_made_and_its_unit_stays() -> None:
    disk = plan(BIND, None, mounts=NVME[:1])
    assert (disk.what, disk.start, disk.problem) == ("", False, "")
    assert "the folder /mnt/nvme/temp is not there" in disk.note


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("/mnt/nvme/temp", "/mnt/nvme"),
        ("/mnt/nvme", "/mnt/nvme"),
        ("/mnt/nvme2/temp", "/"),
        ("/var/temp", "/"),
    ],
)
def test_the_mount_that_holds_a_folder(path: str, point: str) -> None:
    assert holder(path, ["/", "/mnt/nvme"]) == point


def test_memory_is_mounted_for_goplot_alone() -> None:
    wanted = Wanted("/plot_temp/2", "tmpfs", "tmpfs", "size=110G", format=False)
    disk = plan(wanted)
    assert (disk.what, disk.start) == ("tmpfs", True)
    facts = disk.facts(Path("/none"))
    assert facts["opts"] == "size=110G,mode=0700,uid=goplot,gid=goplot"
    assert not plan(wanted, mounts=(Mounted(wanted.path, "tmpfs", "tmpfs"),)).start
    other = plan(wanted, mounts=(Mounted(wanted.path, "/dev/sda", "ext4"),))
    assert "is mounted with a ext4 file system" in other.problem


@pytest.mark.parametrize(
    ("opts", "options"),
    [
        ("noatime", "noatime,uid=goplot,gid=chia,umask=0027"),
        ("uid=1000,umask=0", "uid=1000,umask=0,gid=chia"),
        ("dmask=0022", "dmask=0022,uid=goplot,gid=chia"),
    ],
)
def test_a_file_system_without_owners_is_mounted_with_goplots(opts: str, options: str) -> None:
    assert Wanted("/farm/1/d", "UUID=A", "ntfs", opts, format=False).options == options


@pytest.mark.parametrize("kernel", ["fuseblk", "ntfs3", "ntfs"])
def test_ntfs_is_the_same_by_each_of_its_drivers(kernel: str) -> None:
    wanted = Wanted("/farm/1/d", "UUID=A", "ntfs", "noatime", format=False)
    device = Device("/dev/sda", "ntfs", "A")
    assert plan(wanted, device).start
    assert plan(wanted, device, mounts=(Mounted(wanted.path, "/dev/sda", kernel),)).problem == ""


def test_a_uuid_has_the_case_that_udev_gives_it() -> None:
    assert source_as_udev("UUID=AB-12", "xfs") == "UUID=ab-12"
    assert source_as_udev("UUID=8a4c-1b22", "exfat") == "UUID=8A4C-1B22"
    assert source_as_udev("PARTUUID=AB-12", "ntfs") == "PARTUUID=ab-12"
    assert source_as_udev("LABEL=Ab", "ntfs") == "LABEL=Ab"


def test_mounts_that_the_inventory_does_not_name_are_found() -> None:
    mounts = [
        Mounted(path, "/dev/sda", "xfs")
        for path in ("/", "/farm/1/disk1", "/farm/2/mine", "/plot_temp/7", "/farm/x/y", "/farm")
    ]
    assert undeclared(mounts, [DISK]) == ["/farm/2/mine", "/plot_temp/7"]
