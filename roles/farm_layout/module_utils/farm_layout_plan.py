"""What is to be done with each disk of a host: pure decisions based on what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "# goplot: farm_layout"
#: File systems that a unit of this role mounts: of a device, in memory, and a folder elsewhere.
ON_DEVICES = ("ext4", "xfs", "btrfs", "f2fs", "exfat", "ntfs", "ntfs3", "ntfs-3g")
MEMORY = "tmpfs"
FOLDER = "none"
# What blkid and the kernel name the file systems that have several names. FUSE names none.
_NTFS = frozenset(("ntfs", "ntfs3", "ntfs-3g", "fuseblk"))
_ALSO = {
    **dict.fromkeys(("ntfs", "ntfs3", "ntfs-3g"), _NTFS),
    "exfat": frozenset(("exfat", "fuseblk")),
}
#: File systems without owners: who may write is an option of the mount.
WITHOUT_OWNERS = _NTFS | {"exfat", "vfat", "msdos", "cifs", "smb3"}
_UPPER_CASE = ("exfat", "ntfs", "ntfs3", "ntfs-3g")
_PLAIN_IN_UDEV = re.compile(r"[A-Za-z0-9#+.:=@_/-]")
_PLACE = re.compile(r"/farm/[1-9][0-9]*/[^/]+|/plot_temp/[1-9][0-9]*")
_TAG_FOLDERS = {
    "UUID": "/dev/disk/by-uuid/",
    "LABEL": "/dev/disk/by-label/",
    "PARTUUID": "/dev/disk/by-partuuid/",
    "PARTLABEL": "/dev/disk/by-partlabel/",
}


@dataclass(frozen=True)
class Mounted:
    """A line of /proc/self/mountinfo; `source` with its links resolved.

    `root` is what of the file system is mounted, such as a subvolume.
    """

    path: str
    source: str
    fstype: str
    root: str = "/"


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

    @property
    def by_hand(self) -> bool:
        """Whether a person mounts it: by fstab, ZFS, mergerfs, over the network."""
        return self.fstype not in (*ON_DEVICES, MEMORY, FOLDER)

    @property
    def on_device(self) -> bool:
        """Whether it is a file system of a block device that this role mounts."""
        return self.fstype in ON_DEVICES

    def overlaps(self, mount: Mounted) -> bool:
        """Whether a mount of the entry's device shows what the entry is to show."""
        names = re.findall(r"(?:^|,)subvol=/*([^,]+)", self.opts)
        if self.fstype != "btrfs" or not names:
            return True
        return mount.root == f"/{names[-1].rstrip('/')}"

    def is_fstype(self, found: str) -> bool:
        """Whether a file system that blkid or the kernel names is the one of the entry."""
        return found == self.fstype or found in _ALSO.get(self.fstype, ())

    @property
    def options(self) -> str:
        """Mount options. Where files have no owners, or none yet, they name goplot's."""
        named = {option.partition("=")[0] for option in self.opts.split(",")}
        if self.fstype == MEMORY:
            owners = {"mode": "0700", "uid": "goplot", "gid": "goplot"}
        elif self.fstype in WITHOUT_OWNERS:
            owners = {"uid": "goplot", "gid": "chia", "umask": "0027"}
            if named & {"dmask", "fmask"}:
                del owners["umask"]
        else:
            owners = {}
        return ",".join([self.opts, *(f"{k}={v}" for k, v in owners.items() if k not in named)])


@dataclass(frozen=True)
class Disk:
    """What to do for one entry.

    `device` is empty when it is absent; `what` is the source to mount and empty when there is none
    to mount yet; `within` is the mount point that holds a source that is a folder; `pending` asks
    for mkfs, or for the record of one that was cut short.
    """

    wanted: Wanted
    what: str
    device: str = ""
    within: str = ""
    mounted: bool = False
    pending: bool = False
    start: bool = False
    problem: str = ""
    note: str = ""

    def facts(self, units: Path) -> dict[str, Any]:
        """What the tasks of the role need; `units` is the folder of the units."""
        unit = unit_name(self.wanted.path, "mount")
        on_device = self.what and self.wanted.on_device
        device = unit_name(device_path(self.what), "device") if on_device else ""
        targets = ["local-fs.target", *([device] if device else [])]
        links = [units / f"{target}.wants" / unit for target in targets]
        return {
            "path": self.wanted.path,
            "src": self.wanted.src,
            "fstype": self.wanted.fstype,
            "opts": self.wanted.options,
            "what": self.what,
            "within": self.within,
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
    if not wanted.on_device:
        return _without_device(wanted, device, here, mounts)
    record = records.get(wanted.path)
    own = is_own(wanted, record)
    what = f"UUID={record.uuid}" if own and record else wanted.src
    found = recorded if own else device
    if wanted.format and not own and found:
        known = {record.uuid} | adoptable if record else adoptable
        if not found.findings or (found.uuid in known and wanted.is_fstype(found.fstype)):
            return Disk(wanted, "", found.path, mounted=here is not None, pending=True)
        problem = _not_blank(wanted, found)
        return Disk(wanted, "", found.path, mounted=here is not None, problem=problem)
    if here:
        return _already_mounted(wanted, what, found, here)
    if found is None:
        return _absent(wanted, what, own)
    if not wanted.is_fstype(found.fstype):
        return Disk(wanted, what, found.path, problem=_wrong(wanted, found))
    elsewhere = sorted(
        mount.path for mount in mounts if mount.source == found.path and wanted.overlaps(mount)
    )
    if elsewhere:
        note = (
            f"{wanted.path}: {wanted.src} ({found.path}) is mounted at {', '.join(elsewhere)} and "
            "is not mounted twice. When no plot runs on it, umount it there and run again."
        )
        return Disk(wanted, what, found.path, note=note)
    return Disk(wanted, what, found.path, start=True)


def _without_device(
    wanted: Wanted, folder: Device | None, here: Mounted | None, mounts: list[Mounted]
) -> Disk:
    """What to do for memory, for a folder elsewhere, and for what a person mounts."""
    mounted = here is not None
    if wanted.by_hand:
        what = f"{wanted.src} ({wanted.fstype})" if wanted.src else "it"
        note = (
            f"{wanted.path}: {what} is not mounted there, and goplot leaves that to you (fstab, "
            "zfs set mountpoint). When it is, run again; until then no plot is placed there."
        )
        if mounted:
            note = ""
        return Disk(wanted, "", here.source if here else "", mounted=mounted, note=note)
    if wanted.fstype == MEMORY:
        if here and here.fstype != MEMORY:
            return _already_mounted(wanted, MEMORY, None, here)
        return Disk(wanted, MEMORY, MEMORY, mounted=mounted, start=not mounted)
    if folder is None:
        # The unit of an earlier run stays as it is: it names the mount that holds the folder.
        note = (
            f"{wanted.path}: the folder {wanted.src} is not there. Create it on its disk and run "
            "again; until then no plot is placed there."
        )
        return Disk(wanted, "", mounted=mounted, note=note)
    within = holder(folder.path, [mount.path for mount in mounts])
    return Disk(wanted, folder.path, folder.path, within, mounted=mounted, start=not mounted)


def holder(path: str, points: Iterable[str]) -> str:
    """The mount point that holds a path, among mount points."""
    holding = [point for point in points if f"{path}/".startswith(f"{point.rstrip('/')}/")]
    return max(holding, key=len, default="/")


def undeclared(mounts: Iterable[Mounted], wanted: Iterable[Wanted]) -> list[str]:
    """Mount points for disks and temp farms that no entry names."""
    named = {one.path for one in wanted}
    found = {mount.path for mount in mounts if _PLACE.fullmatch(mount.path)}
    return sorted(found - named)


def source_as_udev(source: str, fstype: str) -> str:
    """A UUID in the only case that mount and udev find for its file system."""
    tag, found, value = source.partition("=")
    if tag == "PARTUUID" or (tag == "UUID" and fstype not in _UPPER_CASE):
        value = value.lower()
    elif tag == "UUID":
        value = value.upper()
    return tag + found + value


def _already_mounted(wanted: Wanted, what: str, found: Device | None, here: Mounted) -> Disk:
    if not wanted.is_fstype(here.fstype):
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
        if wanted.is_fstype(device.fstype)
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


def mounted_from(content: bytes) -> list[tuple[str, str, str, str]]:
    r"""(path, source, file system type, root) of each line of a mountinfo, proc_pid_mountinfo(5).

    A byte that is not UTF-8 appears as `\xe9`: no path of an inventory has one.
    """
    found = []
    # Only a newline ends a line, and only a space a field: any other byte may be in a name.
    for line in content.decode("utf-8", "backslashreplace").split("\n"):
        left, _, right = line.partition(" - ")
        fields, rest = left.split(" "), right.split(" ")
        if len(fields) > 4 and len(rest) > 1:
            found.append((_plain(fields[4]), _plain(rest[1]), rest[0], _plain(fields[3])))
    return found


def _plain(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def unit_setting(text: str, key: str) -> str:
    """The last value of a key in the text of a unit, empty if there is none."""
    found = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return found[-1].strip() if found else ""
