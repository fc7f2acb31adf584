"""What is mounted, and the space on it."""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.disks import NOT_MOUNTED, Space

# Since Linux 6.15 ext4 shows by `emergency_ro` that it stopped writing after an error, and by
# `shutdown` that it was shut down; before, the first was `ro`.
_NO_MORE_WRITES = frozenset(("ro", "emergency_ro", "shutdown"))


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo.

    `device` is its number, such as 8:1; mounts of one `volume` share their free space.
    """

    path: Path
    mount_id: int
    read_only: bool
    device: str
    volume: str


def read_mounts(mountinfo: Path) -> dict[str, Mount]:
    """All mounts by mount point; the last mount on a point is the visible one.

    The format is that of /proc/self/mountinfo, proc_pid_mountinfo(5). Whether a file system is
    read-only is read from its own options: those of the mount may come from a service's sandbox.
    Raises OSError when the file can't be read.
    """
    mounts: dict[str, Mount] = {}
    first_device: dict[str, str] = {}
    # Only a newline ends a line: any other byte but four may be in a mount point's name.
    for line in os.fsdecode(mountinfo.read_bytes()).split("\n"):
        fields = line.split(" ")
        # Six fields, any number of optional ones, a dash, and three more.
        if "-" not in fields[6:-3] or not fields[0].isdecimal():
            continue
        point = _unescape(fields[4])
        read_only = not _NO_MORE_WRITES.isdisjoint(fields[-1].split(","))
        kind, source = fields[fields.index("-", 6) + 1 :][:2]
        volume = _volume(fields[2], kind, source, first_device)
        mounts[point] = Mount(Path(point), int(fields[0]), read_only, fields[2], volume)
    return mounts


def _volume(device: str, kind: str, source: str, first_device: dict[str, str]) -> str:
    """What a mount shares its free space with: binds, subvolumes, datasets of one pool.

    mountinfo has the device number of the whole file system, also for a Btrfs subvolume, whose
    files have another one. The datasets of a ZFS pool are file systems of their own that share
    the pool's space. A network or FUSE file system that is mounted twice may have two numbers;
    its source names it, and `first_device` holds the number that each source had first.
    """
    if kind == "zfs":
        return f"zfs {source.partition('/')[0]}"
    if device.startswith("0:") and ("/" in source or ":" in source):
        return first_device.setdefault(f"{kind} {source}", device)
    return device


def read_space(path: Path) -> Space:
    """Space of the file system that holds a path. Raises OSError."""
    status = os.statvfs(path)
    return Space(
        used=(status.f_blocks - status.f_bfree) * status.f_frsize,
        free=status.f_bavail * status.f_frsize,
        # Where inodes are not counted, there are none in all.
        inodes=status.f_favail > 0 or status.f_files == 0,
        identity=status.f_fsid,
    )


@contextlib.contextmanager
def opened_on(path: Path, mounts: Mapping[str, Mount]) -> Iterator[int]:
    """A descriptor of a mount point's folder, that stays on this mount whatever happens to it.

    Files that are opened relative to it can't end up beneath the mount point. Raises OSError
    when the path is not a mount point, or is no longer the one that `mounts` knows.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mount = mounts.get(str(path))
        if mount is None or mount.mount_id != mount_id(descriptor):
            raise OSError(errno.ENODEV, str(NOT_MOUNTED), str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def opened(path: Path, mountinfo: Path) -> contextlib.AbstractContextManager[int]:
    """As `opened_on`, with what is mounted at this moment."""
    return opened_on(path, read_mounts(mountinfo))


def is_mounted(path: Path, mountinfo: Path) -> bool:
    """True when a path is a mount point now. Raises OSError."""
    return str(path) in read_mounts(mountinfo)


def mount_id(descriptor: int) -> int:
    """The mount that an open file is on, proc_pid_fdinfo(5). Raises OSError."""
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines():
        if line.startswith("mnt_id:"):
            return int(line.split()[1])
    raise OSError(errno.ENOSYS, "no mnt_id in fdinfo")


def _unescape(text: str) -> str:
    """The text of a field: space, tab, newline and backslash come as three octal digits."""
    if "\\" not in text:
        return text
    for octal, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        text = text.replace("\\" + octal, character)
    return text
