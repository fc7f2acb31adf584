"""Disks of hosts: sparse images on loop devices, with real file systems."""

from __future__ import annotations

import os
from pathlib import Path

from tests.hosts.spec import DiskSpec, HostSet, HostSpec
from tests.hosts.system import run


def image(hosts: HostSet, host: HostSpec, disk: DiskSpec) -> Path:
    return hosts.state / host.name / "disks" / f"{disk.name}.img"


def attach(hosts: HostSet, host: HostSpec, disk: DiskSpec) -> Path:
    """The loop device of a disk; image, file system and device are made where they are missing."""
    path = image(hosts, host, disk)
    if not path.exists():
        _make(path, disk)
    devices = _loop_devices(path)
    if devices:
        return devices[0]
    return Path(run("losetup", "--find", "--show", path).strip())


def detach(hosts: HostSet, host: HostSpec, disk: DiskSpec) -> None:
    for device in _loop_devices(image(hosts, host, disk)):
        run("losetup", "--detach", device)


def _make(path: Path, disk: DiskSpec) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as handle:
        os.truncate(handle.fileno(), disk.size)
    match disk.fstype:
        case "ext4":
            inodes = ("-N", str(disk.inodes)) if disk.inodes else ()
            words = ("-q", "-F", "-m", "0", "-U", disk.uuid, "-L", disk.name, *inodes)
            run("mkfs.ext4", *words, partial)
        case "xfs":
            run("mkfs.xfs", "-q", "-m", f"uuid={disk.uuid}", "-L", disk.name, partial)
        case "btrfs":
            run("mkfs.btrfs", "-q", "-U", disk.uuid, "-L", disk.name, partial)
    partial.rename(path)


def _loop_devices(path: Path) -> list[Path]:
    listed = run("losetup", "--noheadings", "--output", "NAME", "--associated", path)
    return [Path(line.strip()) for line in listed.splitlines()]
