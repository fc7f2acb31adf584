"""The drives under a mounted file system, also through partitions, RAID and encryption."""

from pathlib import Path

from goplot.host.mounts import Mount
from goplot.host.textfile import Metrics

_SYS = Path("/sys")


def drives_of(mount: Mount, sys: Path = _SYS) -> tuple[str, ...]:
    """Names of the drives that hold a file system, such as sda; empty if the kernel knows none.

    By sysfs: a partition's folder is in its drive's, and the drives of a compound device are its
    slaves. File systems with devices of their own, such as Btrfs, have no entry.
    """
    try:
        return tuple(sorted(_drives(sys / "dev/block" / mount.device)))
    except OSError:
        return ()


def add_places(metrics: Metrics, places: list[tuple[Mount, dict[str, str]]]) -> None:
    """Which drives hold which places; `places` are mounts with their labels."""
    for mount, labels in places:
        for drive in drives_of(mount):
            metrics.add("goplot_drive_place_info", 1, drive=drive, **labels)


def _drives(entry: Path) -> set[str]:
    device = entry.resolve(strict=True)
    if (device / "partition").exists():
        device = device.parent
    below = device / "slaves"
    slaves = list(below.iterdir()) if below.is_dir() else []
    return {drive for slave in slaves for drive in _drives(slave)} or {device.name}
