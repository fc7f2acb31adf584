"""What is mounted, as /proc shows it."""

from pathlib import Path

from goplot.host.mounts import read_mounts

TEXT = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 7:1 / /farm/1/disk1 rw,noatime shared:5 - xfs /dev/loop1 rw,attr2
31 22 7:2 / /farm/1/disk\0402 rw,noatime shared:6 master:2 - ext4 /dev/loop2 rw
32 22 7:3 / /farm/2/disk3 rw,noatime - ext4 /dev/loop3 ro,errors=remount-ro
33 22 7:4 / /farm/2/disk4 ro,noatime - ext4 /dev/loop4 rw
35 22 7:6 / /farm/2/disk5 rw,noatime - ext4 /dev/loop6 rw,errors=remount-ro,emergency_ro
36 22 7:7 / /farm/2/disk6 rw,noatime - ext4 /dev/loop7 rw,shutdown
34 30 7:5 / /farm/1/disk1 rw - xfs /dev/loop5 rw
nonsense
"""


def test_mountinfo(tmp_path: Path) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(TEXT)
    mounts = read_mounts(file)
    assert sorted(mounts) == [
        "/",
        "/farm/1/disk 2",
        "/farm/1/disk1",
        "/farm/2/disk3",
        "/farm/2/disk4",
        "/farm/2/disk5",
        "/farm/2/disk6",
    ]
    assert mounts["/farm/2/disk3"].read_only
    # So does Linux 6.15 show that ext4 gave up writing.
    assert mounts["/farm/2/disk5"].read_only
    assert mounts["/farm/2/disk6"].read_only
    # The mount of a sandbox may be read-only where the file system is not.
    assert not mounts["/farm/2/disk4"].read_only
    # What is mounted last on a point is what is seen there.
    assert mounts["/farm/1/disk1"].mount_id == 34


# A bind, two Btrfs subvolumes by two of its devices, two tmpfs, two ZFS datasets and another
# pool, an export that is mounted twice apart, two pools of mergerfs.
SHARED = r"""30 22 8:1 /a /farm/1/a rw - ext4 /dev/sda1 rw
31 22 8:1 /b /farm/2/b rw - ext4 /dev/sda1 rw
32 22 8:2 / /farm/1/c rw - ext4 /dev/sda2 rw
33 22 0:40 /plots /farm/1/d rw - btrfs /dev/sdb rw,subvol=/plots
34 22 0:40 /temp /plot_temp/1 rw - btrfs /dev/sdc rw,subvol=/temp
35 22 0:41 / /plot_temp/2 rw shared:3 - tmpfs tmpfs rw
36 22 0:42 / /plot_temp/3 rw - tmpfs tmpfs rw
37 22 0:43 / /farm/3/e rw - zfs tank/e rw
38 22 0:44 / /farm/3/f rw - zfs tank/f/g rw
39 22 0:45 / /farm/3/h rw - zfs pool rw
40 22 0:46 / /farm/4/i rw - nfs4 nas:/plots rw
41 22 0:47 / /farm/4/j rw - nfs4 nas:/plots rw,nosharecache
42 22 0:46 /sub /farm/4/k rw - nfs4 nas:/plots/sub rw
43 22 0:48 / /farm/5/l rw - fuse.mergerfs m1:m2 rw
44 22 0:49 / /farm/5/m rw - fuse.mergerfs m3:m4 rw
45 22 0:49 /x /farm/5/n rw - fuse.mergerfs m3:m4 rw
"""


def test_what_shares_its_free_space(tmp_path: Path) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(SHARED)
    found: dict[str, list[str]] = {}
    for path, mount in read_mounts(file).items():
        found.setdefault(mount.volume, []).append(path)
    assert sorted(found.values()) == [
        ["/farm/1/a", "/farm/2/b"],
        ["/farm/1/c"],
        ["/farm/1/d", "/plot_temp/1"],
        ["/farm/3/e", "/farm/3/f"],
        ["/farm/3/h"],
        ["/farm/4/i", "/farm/4/j", "/farm/4/k"],
        ["/farm/5/l"],
        ["/farm/5/m", "/farm/5/n"],
        ["/plot_temp/2"],
        ["/plot_temp/3"],
    ]


def test_this_machines_own() -> None:
    assert "/" in read_mounts(Path("/proc/self/mountinfo"))
