"""What is mounted, as /proc tells it."""

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
    # So does Linux 6.15 tell that ext4 gave up writing.
    assert mounts["/farm/2/disk5"].read_only
    assert mounts["/farm/2/disk6"].read_only
    # The mount of a sandbox may be read-only where the file system is not.
    assert not mounts["/farm/2/disk4"].read_only
    # What is mounted last on a point is what is seen there.
    assert mounts["/farm/1/disk1"].mount_id == 34


def test_this_machines_own() -> None:
    assert "/" in read_mounts(Path("/proc/self/mountinfo"))
