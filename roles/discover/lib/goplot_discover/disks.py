"""What the disks of a host are for: proposed from what they are and what they hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: What farm_layout mounts.
_FILE_SYSTEMS = ("ext4", "xfs", "btrfs", "f2fs", "exfat", "ntfs")
_PCI = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OWN = re.compile(r"/farm/[1-9][0-9]*/[^/]+|/plot_temp/[1-9][0-9]*")
#: A smaller disk has no room for the smallest k32 plot, a smaller temp farm none for madmax.
_LEAST_DISK = 75 << 30
_LEAST_TEMP = 220 << 30


@dataclass(frozen=True)
class Mount:
    """A line of farm_layout_mounts; `decide` says why a person has to decide about it."""

    path: str
    src: str
    fstype: str
    about: str
    decide: str = ""
    format: bool = False

    def line(self) -> str:
        """The line as it is written, commented out where there is something to decide."""
        more = ", format: true" if self.format else ""
        text = f"- {{path: {self.path}, src: {self.src}, fstype: {self.fstype}{more}}}"
        if self.decide:
            return f"  # decide: {self.decide}\n  #{text} # {self.about}"
        return f"  {text} # {self.about}"


@dataclass
class Namer:
    """Names and numbers that are still free: of disks in the farm, of farms and temp farms here."""

    disks: int = 0
    names: set[str] = field(default_factory=set)
    farms: dict[str, int] = field(default_factory=dict)
    temps: int = 0

    def disk(self, label: str) -> str:
        """The label, where it is a name that is free here; otherwise the next number."""
        name = label
        while not _NAME.fullmatch(name) or name in self.names:
            self.disks += 1
            name = f"disk{self.disks}"
        self.names.add(name)
        return name

    def farm(self, bus: str) -> int:
        """The number of a bus."""
        return self.farms.setdefault(bus, len(self.farms) + 1)

    def temp(self) -> int:
        """The next temp farm."""
        self.temps += 1
        return self.temps


def bus_of(sysfs: str) -> str:
    """The bus of a device by its place in sysfs: a USB port, an HBA, an NVMe drive."""
    parts = sysfs.split("/")
    for index, part in enumerate(parts[:-1]):
        if re.fullmatch(r"usb[0-9]+", part):
            return f"USB port {parts[index + 1]}"
    addresses = [part for part in parts if _PCI.fullmatch(part)]
    if not addresses:
        return "no known bus"
    if "nvme" in parts:
        return f"NVMe {addresses[-1]}"
    kind = "SATA" if any(re.fullmatch(r"ata[0-9]+", part) for part in parts) else "HBA"
    return f"{kind} {addresses[-1]}"


def mounts_of(devices: list[Mapping[str, Any]], namer: Namer) -> list[Mount]:
    """What is proposed for each device that is neither the system's nor a part of another."""
    parents = {device["pkname"] for device in devices if device["pkname"]}
    system = _system(devices)
    found = []
    for device in _by_bus(devices):
        if device["name"] in parents or device["name"] in system or not device["size"]:
            continue
        if device["type"] not in ("disk", "part", "loop", "md", "lvm", "crypt", "raid0"):
            continue
        found.append(_mount(device, namer))
    return sorted(found, key=lambda mount: (mount.path.startswith("/plot_temp"), mount.path))


def _by_bus(devices: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(devices, key=lambda device: (bus_of(device["sysfs"]), device["path"]))


def _system(devices: list[Mapping[str, Any]]) -> set[str]:
    """The devices that the system runs from, with all that is on the same drive."""
    by_name = {device["name"]: device for device in devices}
    drives = set()
    for device in devices:
        if device["fstype"] in ("swap", "squashfs") or any(
            not point.startswith(("/farm", "/plot_temp", "/mnt", "/media", "/srv", "/data"))
            for point in device["mounts"]
        ):
            drives.add(_drive(device, by_name))
    return {device["name"] for device in devices if _drive(device, by_name) in drives}


def _drive(device: Mapping[str, Any], by_name: Mapping[str, Mapping[str, Any]]) -> str:
    while device["pkname"] in by_name:
        device = by_name[device["pkname"]]
    return str(device["name"])


def _mount(device: Mapping[str, Any], namer: Namer) -> Mount:
    bus = bus_of(device["sysfs"])
    own = [point for point in device["mounts"] if _OWN.fullmatch(point)]
    fast = not device["rotates"] and not bus.startswith("USB")
    # Plots make any drive a disk; without plots, a fast one is for temporary files.
    is_temp = own[0].startswith("/plot_temp") if own else fast and not device["plots"]
    if own:
        path = own[0]
        namer.names.add(path.rpartition("/")[2])
    elif is_temp:
        path = f"/plot_temp/{namer.temp()}"
    else:
        path = f"/farm/{namer.farm(bus)}/{namer.disk(device['label'] or '')}"
    blank = not device["fstype"] and not device.get("table")
    src = f"UUID={device['uuid']}" if device["uuid"] else device["path"]
    fstype = "xfs" if blank else str(device["fstype"] or device.get("table"))
    decide = "; ".join(_doubts(device, own, blank, is_temp))
    return Mount(path, src, fstype, _about(device, bus), decide, blank)


def _doubts(device: Mapping[str, Any], own: list[str], blank: bool, is_temp: bool) -> Iterator[str]:
    if blank:
        yield "it seems blank; goplot formats it (only if it is) once you enable this line"
    elif device["fstype"] not in _FILE_SYSTEMS:
        yield f"goplot does not mount {device['fstype'] or device.get('table')}"
    elif not device["uuid"]:
        yield "it has no UUID"
    if device["mounts"] and not own:
        where = ", ".join(device["mounts"])
        yield f"it is mounted at {where}: unmount it and remove that from /etc/fstab first"
    if device["read_only"]:
        yield "it is read-only"
    least = _LEAST_TEMP if is_temp else _LEAST_DISK
    if device["size"] < least and not own:
        what = "the temporary files of a k32 plot" if is_temp else "a k32 plot"
        yield f"it is too small for {what}"
    elif is_temp and not blank and not own:
        yield "it holds a file system, and is not formatted: enable it if goplot may use it"


def _about(device: Mapping[str, Any], bus: str) -> str:
    words = [
        f"{device['size'] / (1 << 30):.1f} GiB",
        str(device["model"] or "").strip(),
        f"serial {device['serial']}" if device["serial"] else "",
        f"label {device['label']}" if device["label"] else "",
        bus,
        f"{device['plots']} plots" if device["plots"] else "",
        str(device["path"]),
    ]
    text = ", ".join(word for word in words if word)
    # A name that a drive gives itself may hold anything.
    return re.sub(r"[^ -~]", "?", text)
