"""What hosts are wanted: the hosts.toml file of a demo or a scenario."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

STATE_ROOT = Path("/var/lib/goplot-hosts")
CACHE_ROOT = Path("/var/cache/goplot-hosts")

_NAME = re.compile(r"[a-z][a-z0-9]{0,9}")
_SIZE = re.compile(r"([1-9][0-9]*)([MG])")


class SpecError(Exception):
    """A hosts.toml that can't be used; the message names file, key and cure."""


@dataclass(frozen=True)
class DiskSpec:
    """One disk of a host: a sparse image on a loop device, seen in the host as ``device``."""

    name: str
    device: Path
    size: int
    """Bytes."""
    fstype: str
    """ext4, xfs, btrfs, or empty for a blank disk."""
    uuid: str
    """File system UUID, empty for a blank disk."""
    inodes: int = 0
    """How many files an ext4 can hold, 0 for as many as usual."""

    @property
    def names(self) -> tuple[Path, ...]:
        """Its names under /dev: no udev runs in a container, so they are made as udev would."""
        if not self.fstype:
            return (self.device,)
        disk = Path("/dev/disk")
        return self.device, disk / "by-uuid" / self.uuid, disk / "by-label" / self.name


@dataclass(frozen=True)
class HostSpec:
    name: str
    address: ipaddress.IPv4Address
    disks: tuple[DiskSpec, ...]


@dataclass(frozen=True)
class HostSet:
    """All hosts of one demo or scenario, on one bridge."""

    name: str
    network: ipaddress.IPv4Network
    suite: str
    hosts: tuple[HostSpec, ...]

    @property
    def state(self) -> Path:
        return STATE_ROOT / self.name

    @property
    def bridge(self) -> str:
        return f"gp-{self.name}"

    @property
    def table(self) -> str:
        """The nftables table (family ip) with the rules of this set."""
        return f"goplot_{self.name}"

    @property
    def gateway(self) -> ipaddress.IPv4Address:
        return self.network[1]

    def host(self, name: str) -> HostSpec:
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise SpecError(f"no host {name} in set {self.name}: there are {known}")


def load(path: Path) -> HostSet:
    """Read a hosts.toml file. Raises SpecError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        network = ipaddress.IPv4Network(data["network"])
        hosts = tuple(
            HostSpec(
                name=_name(path, host["name"]),
                address=network[host["number"]],
                disks=tuple(_disk(path, disk) for disk in host.get("disks", [])),
            )
            for host in data["hosts"]
        )
        return HostSet(_name(path, data["set"]), network, data.get("suite", "bookworm"), hosts)
    except KeyError as error:
        raise SpecError(f"{path}: {error.args[0]} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise SpecError(f"{path}: {error}") from error


def _name(path: Path, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SpecError(f"{path}: name {name!r}: use at most 10 of a-z and 0-9, a letter first")
    return name


def _disk(path: Path, disk: dict[str, str]) -> DiskSpec:
    size = _SIZE.fullmatch(disk["size"])
    if size is None:
        raise SpecError(f"{path}: size {disk['size']!r}: write it as 300M or 2G")
    return DiskSpec(
        name=_name(path, disk["name"]),
        device=Path(disk["device"]),
        size=int(size[1]) << {"M": 20, "G": 30}[size[2]],
        fstype=disk.get("fstype", ""),
        uuid=disk.get("uuid", ""),
        inodes=int(disk.get("inodes", 0)),
    )
