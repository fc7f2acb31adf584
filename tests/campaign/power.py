"""Power and devices taken away, as far as one machine can play that to another.

A power cut ends every process of the host at the same moment, and every file system of its disks
loses what it had not written out: dirty pages and the unwritten end of the journal are gone, and
the next mount replays the journal. Btrfs has no call for that: its device is lost before its last
user is gone. What a disk lost here is therefore what the file system had not handed to it. A real
disk may also lose what lies in a cache of its own, or tear a sector; that is not played: all that a
file system has handed to its loop device stays. The root file system of the host, with its
configuration and logs, loses its processes only. goplot's state, temp farms and disks are file
systems of their own and lose their unwritten bytes.

A lost device is a loop device whose capacity shrinks to one page while it is mounted: every later
read and write fails in the block layer with an I/O error, as that of a pulled cable does. The
kernels of test machines have no device-mapper, and `losetup --detach` waits for the last user.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Mapping
from pathlib import Path

from tests.hosts.machine import Machine
from tests.hosts.system import HostError

# ioctl XFS_IOC_GOINGDOWN, which is EXT4_IOC_SHUTDOWN too, with the flag NOLOGFLUSH:
# linux/fs/xfs/libxfs/xfs_fs.h, linux/include/uapi/linux/ext4.h.
_SHUTDOWN = 0x8004587D
_WITHOUT_LOG = struct.pack("I", 2)
# linux/include/uapi/linux/loop.h: struct loop_info64 is 232 bytes, lo_sizelimit is at byte 32.
_LOOP_SET_STATUS64 = 0x4C04
_LOOP_GET_STATUS64 = 0x4C05
_LOOP_INFO64 = 232
_SIZELIMIT_AT = 32
_LOST = 4096


def inside(machine: Machine, path: str) -> Path:
    """A path of a running machine, seen from outside through the machine's own mounts.

    No part of the path may be an absolute symbolic link. Raises HostError when it does not run.
    """
    leader = machine.leader()
    if leader is None:
        raise HostError(f"{machine.host.name} is not running")
    return Path(f"/proc/{leader}/root") / path.lstrip("/")


def cut_power(machine: Machine, mount_points: list[str], devices: Mapping[str, Path]) -> None:
    """End every process at once; the file systems then lose what they had not written.

    `devices`: by mount point, those whose file systems have no call for that.
    """
    held: list[int] = []
    lost: list[int] = []
    for point in [*mount_points, *devices]:
        path = inside(machine, point)
        if path.is_mount():
            (lost if point in devices else held).append(os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    try:
        machine.cut_power()
        for descriptor in held:
            fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_LOG)
        for device in devices.values():
            lose_device(device)
    finally:
        for descriptor in held + lost:
            os.close(descriptor)
        for device in devices.values():
            return_device(device)


def lose_device(loop: Path) -> None:
    """Every read and write beyond the first page of a loop device fails from now on."""
    _limit(loop, _LOST)


def return_device(loop: Path) -> None:
    """The device is whole again; its file system has to be mounted anew."""
    _limit(loop, 0)


def _limit(loop: Path, size: int) -> None:
    descriptor = os.open(loop, os.O_RDWR)
    try:
        info = bytearray(_LOOP_INFO64)
        fcntl.ioctl(descriptor, _LOOP_GET_STATUS64, info)
        struct.pack_into("Q", info, _SIZELIMIT_AT, size)
        fcntl.ioctl(descriptor, _LOOP_SET_STATUS64, bytes(info))
    finally:
        os.close(descriptor)
