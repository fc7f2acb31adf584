"""What is to be done with each disk of a host: pure decisions based on what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "# goplot: farm_layout"
_PLAIN_IN_UDEV = re.compile(r"[A-Za-z0-9#+.:=@_/-]")
_TAG_FOLDERS = {
    "UUID": "/dev/disk/by-uuid/",
    "LABEL": "/dev/disk/by-label/",
    "PARTUUID": "/dev/disk/by-partuuid/",
    "PARTLABEL": "/dev/disk/by-partlabel/",
}


@dataclass(frozen=True)
class Mounted:
    """A line of /proc/self/mountinfo; `source` with its links resolved."""

    path: str
    source: str
    fstype: str


@dataclass(frozen=True)
class Device:
    """A block device that is present. `findings` say why it is not blank; empty: it is blank."""

    path: str
    fstype: str = ""
    uuid: str = ""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A file system that this role created; `made` is false until mkfs has finished."""

    src: str
    uuid: str
    made: bool = True


@dataclass(frozen=True)
class Wanted:
    """One entry of farm_layout_mounts."""

    path: str
    src: str
    fstype: str
    opts: str
    format: bool


@dataclass(frozen=True)
class Disk:
    """What to do for one entry.

    `device` is empty when it is absent; `what` is the source to mount and empty when there is no
    file system to mount yet; `pending` asks for mkfs, or for the record of one that was cut short.
    """

    wanted: Wanted
    what: str
    device: str = ""
    mounted: bool = False
    pending: bool = False
    start: bool = False
    problem: str = ""
    note: str = ""

    def facts(self, units: Path) -> dict[str, Any]:
        """What the tasks of the role need; `units` is the folder of the units."""
        unit = unit_name(self.wanted.path, "mount")
        device = unit_name(device_path(self.what), "device")
        links = [units / f"{target}.wants" / unit for target in ("local-fs.target", device)]
        return {
            "path": self.wanted.path,
            "src": self.wanted.src,
            "fstype": self.wanted.fstype,
            "opts": self.wanted.opts,
            "what": self.what,
            "unit": unit,
            "device_unit": device,
            "mounted": self.mounted,
            "pending": self.pending,
            "start": self.start,
            "written": (units / unit).is_file(),
            "enabled": all(link.is_symlink() for link in links),
        }


def unit_name(path: str, kind: str) -> str:
    """The systemd unit for a path, named as by `systemd-escape --path` (systemd.unit(5))."""
    parts = [part for part in path.split("/") if part]
    name = "-".join(_escape("/".join(parts)).split("/")) or "-"
    return f"{name}.{kind}"


def _escape(text: str) -> str:
    escaped = re.sub(r"[^A-Za-z0-9:_./]", lambda match: _hex(match[0]), text)
    return re.sub(r"^\.", lambda match: _hex(match[0]), escaped)


def device_path(what: str) -> str:
    """The path under /dev that udev gives a source: UUID=x is /dev/disk/by-uuid/x."""
    tag, _, value = what.partition("=")
    if tag not in _TAG_FOLDERS or what.startswith("/"):
        return what
    encoded = "".join(c if _PLAIN_IN_UDEV.match(c) and c != "/" else _hex(c) for c in value)
    return _TAG_FOLDERS[tag] + encoded


def _hex(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def is_own(wanted: Wanted, record: Record | None) -> bool:
    """Whether this role has created the file system that the entry requests."""
    return wanted.format and record is not None and record.src == wanted.src and record.made


def decide(
    wanted: Wanted,
    device: Device | None,
    recorded: Device | None,
    records: Mapping[str, Record],
    mounts: Iterable[Mounted],
    adoptable: frozenset[str] = frozenset(),
) -> Disk:
    """What to do for one entry.

    `device` is what `wanted.src` names now, `recorded` the device that holds the file system which
    was made for this path. `adoptable` are the UUIDs of file systems that were made for paths which
    the inventory no longer has.
    """
    mounts = list(mounts)
    here = next((mount for mount in reversed(mounts) if mount.path == wanted.path), None)
    record = records.get(wanted.path)
    own = is_own(wanted, record)
    what = f"UUID={record.uuid}" if own and record else wanted.src
    found = recorded if own else device
    if wanted.format and not own and found:
        known = {record.uuid} | adoptable if record else adoptable
        if not found.findings or (found.uuid in known and found.fstype == wanted.fstype):
            return Disk(wanted, "", found.path, mounted=here is not None, pending=True)
        problem = _not_blank(wanted, found)
        return Disk(wanted, "", found.path, mounted=here is not None, problem=problem)
    if here:
        return _already_mounted(wanted, what, found, here)
    if found is None:
        return _absent(wanted, what, own)
    if found.fstype != wanted.fstype:
        return Disk(wanted, what, found.path, problem=_wrong(wanted, found))
    elsewhere = sorted(mount.path for mount in mounts if mount.source == found.path)
    if elsewhere:
        note = (
            f"{wanted.path}: {wanted.src} ({found.path}) is mounted at {', '.join(elsewhere)} and "
            "is not mounted twice. When no plot runs on it, umount it there and run again."
        )
        return Disk(wanted, what, found.path, note=note)
    return Disk(wanted, what, found.path, start=True)


def _already_mounted(wanted: Wanted, what: str, found: Device | None, here: Mounted) -> Disk:
    if here.fstype != wanted.fstype:
        problem = (
            f"{wanted.path} is mounted with a {here.fstype} file system ({here.source}), the "
            f"inventory says {wanted.fstype}. Correct fstype, or umount it."
        )
        return Disk(wanted, what, here.source, mounted=True, problem=problem)
    note = ""
    if found is None or found.path != here.source:
        is_now = f"is {found.path}" if found else "is not there"
        note = (
            f"{wanted.path} is mounted from {here.source}, but {what} {is_now}. It stays mounted; "
            "the inventory applies at the next mount."
        )
    return Disk(wanted, what, here.source, mounted=True, note=note)


def _absent(wanted: Wanted, what: str, own: bool) -> Disk:
    if wanted.format and not own:
        note = f"{wanted.path}: {what} is not there. A run that finds it blank formats it."
        return Disk(wanted, "", note=note)
    replaced = (
        f" If the disk was replaced, delete {wanted.path} from /etc/goplot/farm_layout.json and "
        "run again."
    )
    note = (
        f"{wanted.path}: {what} is not there. It is mounted when it appears, or at the next boot; "
        f"until then no plot is placed there.{replaced if own else ''}"
    )
    return Disk(wanted, what, note=note)


def _not_blank(wanted: Wanted, device: Device) -> str:
    cure = (
        f"If its file system is the one you want, set src: UUID={device.uuid} without format. "
        if device.fstype == wanted.fstype
        else ""
    )
    return (
        f"{wanted.path}: {_name(wanted, device)} is not formatted because it is not blank: "
        f"{'; '.join(device.findings)}. {cure}If nothing on it is needed, erase it yourself and "
        "run again; goplot never does."
    )


def _wrong(wanted: Wanted, device: Device) -> str:
    holds = f"a {device.fstype} file system" if device.fstype else "no file system"
    cure = (
        f"Correct fstype to {device.fstype}, or src."
        if device.fstype
        else f"Correct src, or create one: format: true and a path as src, or mkfs.{wanted.fstype}."
    )
    return (
        f"{wanted.path}: {_name(wanted, device)} holds {holds}, the inventory says "
        f"{wanted.fstype}. {cure}"
    )


def _name(wanted: Wanted, device: Device) -> str:
    return wanted.src if wanted.src == device.path else f"{wanted.src} ({device.path})"


def mounted_from(content: bytes) -> list[tuple[str, str, str]]:
    r"""(path, source, file system type) of each line of a mountinfo, proc_pid_mountinfo(5).

    A byte that is not UTF-8 appears as `\xe9`: no path of an inventory has one.
    """
    found = []
    # Only a newline ends a line, and only a space a field: any other byte may be in a name.
    for line in content.decode("utf-8", "backslashreplace").split("\n"):
        left, _, right = line.partition(" - ")
        fields, rest = left.split(" "), right.split(" ")
        if len(fields) > 4 and len(rest) > 1:
            found.append((_plain(fields[4]), _plain(rest[1]), rest[0]))
    return found


def _plain(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def unit_setting(text: str, key: str) -> str:
    """The last value of a key in the text of a unit, empty if there is none."""
    found = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return found[-1].strip() if found else ""
