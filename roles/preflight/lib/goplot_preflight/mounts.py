"""The mounts of one host: paths, farm numbers, disks and devices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from goplot_preflight.report import shown

MOUNTS = "farm_layout_mounts"
_DISK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TAG = re.compile(r"(UUID|LABEL|PARTUUID|PARTLABEL)=[A-Za-z0-9._:@#+-]+")
_DEVICE = re.compile(r"/dev/[A-Za-z0-9._:@#+/-]+")
_UNUSUAL = re.compile(r"[^A-Za-z0-9._:@#+/-]")
_BY_NAME = ("LABEL=", "PARTLABEL=", "UUID=", "PARTUUID=", "/dev/")
_OPTIONS = re.compile(r"[^\s,%]+(,[^\s,%]+)*")
_SHAPES = "a disk is mounted at /farm/<farm>/<disk>, a temp farm at /plot_temp/<farm>"
_SUBVOLUME = re.compile(r"(?:^|,)subvol=([^,]+)")
_FORMATTED = ("ext4", "xfs")
# What goplot mounts; other file systems it leaves to a person.
_ON_DEVICES = ("ext4", "xfs", "btrfs", "f2fs", "exfat", "ntfs", "ntfs3", "ntfs-3g")
_FOLDER = re.compile(r"(/[^\s/\\%]+)+")


def check_mounts(value: object, format_all: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for what is wrong with farm_layout_mounts.

    Types, unknown keys and choices are `check_value`'s; entries that it refuses are passed over
    here. `format_all` is the value of farm_layout_format.
    """
    if not isinstance(value, list):
        return
    first: dict[tuple[str, str], str] = {}
    sources: list[tuple[str, str, str]] = []
    for index, mount in enumerate(value):
        if not isinstance(mount, dict):
            continue
        name = f"{MOUNTS}[{index}]"
        yield from _check_path(f"{name}.path", mount.get("path"))
        yield from _check_source(name, mount, format_all)
        opts = mount.get("opts")
        if isinstance(opts, str) and not _OPTIONS.fullmatch(opts):
            yield (
                f"{name}.opts",
                shown("opts", opts),
                "write options as in fstab: noatime,discard",
            )
        for key, identity, what in _identities(mount):
            earlier = first.setdefault((key, identity), f"{name}.{key}")
            if earlier != f"{name}.{key}":
                yield (
                    f"{name}.{key}",
                    shown(key, mount[key]),
                    f"{what}, as in {earlier}: change one",
                )
        for source, volume in _sources(mount):
            for same, other, earlier in sources:
                # The whole file system holds each of its subvolumes.
                if same == source and (other == volume or "" in (other, volume)):
                    cure = f"the device is used twice, as in {earlier}: change one"
                    yield f"{name}.src", shown("src", mount["src"]), cure
                    break
            sources.append((source, volume, f"{name}.src"))


def temp_farms(value: object) -> list[str]:
    """The numbers of the temp farms among the mounts, as they are written."""
    mounts = value if isinstance(value, list) else []
    paths = [str(mount.get("path")) for mount in mounts if isinstance(mount, dict)]
    return [path.split("/")[2] for path in paths if path.startswith("/plot_temp/")]


def _check_path(name: str, path: object) -> Iterator[tuple[str, str, str]]:
    if not isinstance(path, str):
        return
    parts = path.split("/")
    rooted = parts[:2] in (["", "farm"], ["", "plot_temp"])
    if not rooted or len(parts) != (4 if parts[1] == "farm" else 3):
        yield name, shown("path", path), _SHAPES
        return
    if not re.fullmatch(r"[1-9][0-9]*", parts[2]):
        yield (
            name,
            shown("path", path),
            f"the farm number {parts[2]!r} must be a positive whole number, as in /{parts[1]}/1",
        )
    if len(parts) == 4 and not _DISK.fullmatch(parts[3]):
        space = "has a space: it " if " " in parts[3] else ""
        yield (
            name,
            shown("path", path),
            f"the disk name {parts[3]!r} {space}must be letters, digits and . _ - "
            "and begin with a letter or digit, as in disk1",
        )


def _check_source(
    name: str, mount: Mapping[str, Any], format_all: bool
) -> Iterator[tuple[str, str, str]]:
    source, fstype = mount.get("src"), mount.get("fstype")
    if "src" in mount and "fstype" not in mount:
        cure = "name what it holds (lsblk -f); without src and fstype the mount is left to you"
        yield f"{name}.fstype", f"is missing in {{path: {mount.get('path')}}}", cure
    if "src" not in mount and fstype in (*_ON_DEVICES, "tmpfs", "none"):
        cure = "name the device, or leave out fstype too: the mount is then left to you"
        yield f"{name}.src", f"is missing in {{path: {mount.get('path')}}}", cure
    if not isinstance(source, str):
        return
    if isinstance(fstype, str) and fstype not in _ON_DEVICES:
        yield from _check_no_device(name, mount, source, fstype)
        return
    device = bool(_DEVICE.fullmatch(source)) and ".." not in source
    if not device and not _TAG.fullmatch(source):
        yield (
            f"{name}.src",
            shown("src", source),
            _source_cure(source),
        )
    wanted = mount.get("format", format_all)
    if str(wanted).lower() not in {"true", "yes", "on", "1"}:
        return
    if not device and "format" in mount:
        yield (
            f"{name}.src",
            shown("src", source),
            "a device to format is named by its path, as /dev/disk/by-id/...; a blank device has "
            "no UUID or label",
        )
    if device and isinstance(fstype, str) and fstype not in _FORMATTED:
        yield (
            f"{name}.format",
            f"is set for {fstype}",
            f"goplot formats {' and '.join(_FORMATTED)}; for another, format it by hand",
        )


def _check_no_device(
    name: str, mount: Mapping[str, Any], source: str, fstype: str
) -> Iterator[tuple[str, str, str]]:
    """An entry whose file system is not that of a device which goplot mounts."""
    if str(mount.get("format", False)).lower() in {"true", "yes", "on", "1"}:
        cure = f"goplot formats {' and '.join(_FORMATTED)}; remove format"
        yield f"{name}.format", f"is set for {fstype}", cure
    if fstype == "tmpfs":
        if source != "tmpfs":
            yield f"{name}.src", shown("src", source), "must be tmpfs, as fstype is"
        if str(mount.get("path")).startswith("/farm/"):
            cure = "plots in memory are lost at a reboot: use it for /plot_temp/<farm>"
            yield f"{name}.path", shown("path", mount["path"]), cure
    if fstype != "none":
        return
    if "bind" not in str(mount.get("opts", "")).split(","):
        cure = "for a folder add opts: bind; otherwise name the file system (lsblk -f)"
        yield f"{name}.fstype", "is none", cure
    if not _FOLDER.fullmatch(source) or source.startswith(("/farm/", "/plot_temp/", "/dev/")):
        cure = "must be the path of a folder outside of /farm, /plot_temp and /dev"
        yield f"{name}.src", shown("src", source), cure


def _source_cure(source: str) -> str:
    ways = "UUID=..., LABEL=..., PARTUUID=..., PARTLABEL=... (see lsblk -f) or a path under /dev"
    named = source.partition("=")[2] if "=" in source else source
    strange = sorted(set(_UNUSUAL.findall(named)))
    # udev writes characters of a label that are unusual in a path as \xNN.
    if "\\x20" in source:
        strange = [" "]
    if not strange or not source.startswith(_BY_NAME):
        return f"must be {ways}"
    what = "a space" if strange == [" "] else f"the character {strange[0]!r}"
    return f"a name with {what} can't be mounted by: use UUID=..., which lsblk -f prints"


def _identities(mount: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What must be unique on a host: (key, identity, words)."""
    path = mount.get("path")
    if isinstance(path, str):
        yield "path", path.rstrip("/"), "the path is used twice"
        parts = path.split("/")
        if len(parts) == 4 and parts[1] == "farm":
            yield "path", f"disk {parts[3]}", f"the disk {parts[3]} is named twice on this host"


def _sources(mount: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is mounted, if goplot mounts it: (device or folder, subvolume of Btrfs or nothing)."""
    source, fstype = mount.get("src"), mount.get("fstype")
    if isinstance(source, str) and fstype in (*_ON_DEVICES, "none"):
        # Ansible and blkid write UUIDs in either case; labels and paths are case-sensitive.
        same = source.lower() if source.startswith(("UUID=", "PARTUUID=")) else source
        named = _SUBVOLUME.findall(str(mount.get("opts", ""))) if fstype == "btrfs" else []
        yield same, "".join(named[-1:]).strip("/")
