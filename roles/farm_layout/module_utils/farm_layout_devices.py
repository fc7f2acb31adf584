"""Inspects the block devices of this host. Works with and without udev."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.farm_layout_plan import (
    FOLDER,
    MARK,
    Device,
    Disk,
    Mounted,
    Record,
    Wanted,
    decide,
    device_path,
    is_own,
    mounted_from,
    source_as_udev,
    unit_setting,
)

RECORDS = Path("/etc/goplot/farm_layout.json")
UNITS = Path("/etc/systemd/system")
_MIB = 1 << 20
_SAMPLES = 64
_SAMPLE_BYTES = 1 << 16

SPEC = {
    "mounts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "str", "required": True},
            "src": {"type": "str", "default": ""},
            "fstype": {"type": "str", "default": ""},
            "opts": {"type": "str", "default": "noatime"},
            "format": {"type": "bool"},
        },
    },
    "format": {"type": "bool", "default": False},
}

Run = Callable[[list[str]], tuple[int, str]]


def wanted_of(parameters: dict[str, Any]) -> list[Wanted]:
    """The entries, by the parameters of a module that has SPEC."""
    return [
        Wanted(
            path=mount["path"],
            src=source_as_udev(mount["src"], mount["fstype"]),
            fstype=mount["fstype"],
            opts=mount["opts"],
            format=(
                parameters["format"] and mount["src"].startswith("/")
                if mount["format"] is None
                else mount["format"]
            ),
        )
        for mount in parameters["mounts"]
    ]


class Host:
    """The devices and mounts of this host, read once. `run` gives (exit status, output)."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tags: dict[str, dict[str, str]] | None = None
        self.mounts = [
            Mounted(path, os.path.realpath(source), fstype, root)
            for path, source, fstype, root in mounted_from(
                Path("/proc/self/mountinfo").read_bytes()
            )
        ]

    def disks(self, wanted: list[Wanted]) -> list[Disk]:
        """What to do for each entry; reads only."""
        records = read_records()
        paths = {one.path for one in wanted}
        orphans = frozenset(r.uuid for path, r in records.items() if path not in paths)
        found = []
        for one in wanted:
            if not one.on_device:
                folder = Path(one.src) if one.fstype == FOLDER else None
                there = Device(str(folder.resolve())) if folder and folder.is_dir() else None
                found.append(decide(one, there, None, records, self.mounts))
                continue
            record = records.get(one.path)
            recorded = self._device(f"UUID={record.uuid}", False) if record else None
            device = self._device(one.src, one.format and not is_own(one, record))
            found.append(decide(one, device, recorded, records, self.mounts, orphans))
        return found

    def left_over(self, disks: list[Disk]) -> list[dict[str, str]]:
        """Units of an earlier run whose path the inventory no longer has.

        `moved_to` is the path of the entry that has its device now, or empty.
        """
        paths = {disk.wanted.path for disk in disks}
        found = []
        for file in sorted(UNITS.glob("*.mount")):
            text = file.read_text(encoding="utf-8")
            path, what = unit_setting(text, "Where"), unit_setting(text, "What")
            if not text.startswith(MARK) or path in paths:
                continue
            device = self.resolve(what)
            moved = [
                disk.wanted.path
                for disk in disks
                if what in (disk.what, disk.wanted.src) or (device and device == disk.device)
            ]
            found.append({"path": path, "unit": file.name, "moved_to": "".join(moved[:1])})
        return found

    def resolve(self, source: str) -> str:
        """The device that a mount's source refers to, or nothing if it is absent."""
        path = os.path.realpath(device_path(source))
        if not source.startswith("/") and not Path(path).exists():
            path = self._by_tag(source)
        if not path or not Path(path).exists() or not stat.S_ISBLK(Path(path).stat().st_mode):
            return ""
        # A loop device or a card reader without a medium has a device node but size zero.
        return path if _sysfs(path, "size") not in {"", "0"} else ""

    def _by_tag(self, source: str) -> str:
        """Probes every device, for a host without udev. The cache of blkid may be outdated."""
        if self._tags is None:
            _, output = self._run(["blkid", "-c", "/dev/null", "-o", "export"])
            blocks = [dict(_pairs(block)) for block in output.split("\n\n")]
            self._tags = {block["DEVNAME"]: block for block in blocks if "DEVNAME" in block}
        tag, _, value = source.partition("=")
        for name, tags in self._tags.items():
            if tags.get(tag) == value:
                return os.path.realpath(name)
        return ""

    def _device(self, source: str, thorough: bool) -> Device | None:
        path = self.resolve(source)
        if not path:
            return None
        at = next((mount for mount in self.mounts if mount.source == path), None)
        if at and not thorough:
            return Device(path, at.fstype)
        tags = self.probe(path)
        findings = self.findings(path, tags) if thorough else ()
        return Device(path, tags.get("TYPE", ""), tags.get("UUID", ""), findings)

    def probe(self, device: str) -> dict[str, str]:
        """What blkid reads from the device itself: TYPE, UUID, PTTYPE and so on."""
        status, output = self._run(["blkid", "-p", "-o", "export", device])
        # 8: several signatures that contradict each other.
        return {"AMBIVALENT": "yes"} if status == 8 else dict(_pairs(output))

    def findings(self, device: str, tags: dict[str, str]) -> tuple[str, ...]:
        """Why a device is not blank: anything that may still be needed. Empty: it is blank."""
        found = [
            f"{words} {tags[tag]}".strip()
            for tag, words in (
                ("TYPE", "it holds"),
                ("PTTYPE", "it has a partition table"),
                ("AMBIVALENT", "it has contradicting signatures"),
            )
            if tag in tags
        ]
        _, signatures = self._run(["wipefs", "--no-act", "--noheadings", device])
        if signatures.strip() and not found:
            found.append("wipefs finds a signature: " + " ".join(signatures.split()))
        found += [f"{words}: {', '.join(names)}" for words, names in _users(device) if names]
        mounted = [mount.path for mount in self.mounts if mount.source == device]
        if mounted:
            found.append(f"it is mounted at {', '.join(mounted)}")
        if _sysfs(device, "ro") == "1":
            found.append("it is read-only")
        return tuple(found) or contents(device)


def _users(device: str) -> list[tuple[str, list[str]]]:
    folder = _sysfs_folder(device)
    swaps = [
        line.split()[0]
        for line in Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]
        if os.path.realpath(line.split()[0]) == device
    ]
    holders = folder / "holders"
    return [
        ("it has partitions", sorted(path.parent.name for path in folder.glob("*/partition"))),
        ("it is used by", sorted(p.name for p in holders.iterdir()) if holders.is_dir() else []),
        ("it is swap", swaps),
    ]


def contents(device: str) -> tuple[str, ...]:
    """Why a device is not free and empty: opened exclusively, zero at its ends and in samples."""
    try:
        # Refused with EBUSY while a mount, RAID, LVM or another program holds the device.
        handle = os.open(device, os.O_RDONLY | os.O_EXCL)
    except OSError as error:
        return (f"it is in use or not readable ({error.strerror})",)
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        # The second MiB is where the first partition of an erased table began.
        spans = [(0, 2 * _MIB), (max(size - _MIB, 0), _MIB)]
        spans += [(size // _SAMPLES * i, _SAMPLE_BYTES) for i in range(1, _SAMPLES)]
        for start, length in spans:
            data = os.pread(handle, length, start)
            if data.count(0) != len(data):
                return (f"there is data on it (at byte {start})",)
    except OSError as error:
        return (f"it cannot be read ({error.strerror})",)
    finally:
        os.close(handle)
    return ()


def read_records(file: Path = RECORDS) -> dict[str, Record]:
    """The file systems that this role created on this host, by path."""
    if not file.exists():
        return {}
    entries = json.loads(file.read_text(encoding="utf-8"))
    return {path: Record(**entry) for path, entry in entries.items()}


def write_records(records: dict[str, Record], file: Path = RECORDS) -> None:
    """Writes them atomically, so that a power cut leaves the earlier ones."""
    entries = {path: vars(record) for path, record in sorted(records.items())}
    file.parent.mkdir(mode=0o755, exist_ok=True)
    beside = file.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as new:
        new.write(json.dumps(entries, indent=2) + "\n")
        new.flush()
        os.fsync(new.fileno())
    beside.replace(file)


def _sysfs_folder(device: str) -> Path:
    """Found by the device's number, since its node may have any name (/dev/mapper)."""
    number = Path(device).stat().st_rdev
    return Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")


def _sysfs(device: str, attribute: str) -> str:
    file = _sysfs_folder(device) / attribute
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    """The NAME=value lines of blkid; special characters in values are escaped."""
    return [
        (name, re.sub(r"\\(.)", r"\1", value))
        for name, found, value in (line.partition("=") for line in text.splitlines())
        if found
    ]
