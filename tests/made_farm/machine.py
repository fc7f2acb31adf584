"""What node_exporter and the distribution's collectors write of every host."""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from tests.made_farm.series import GIB, Series, Value, counted, still, wave

_CPUS = 16
_FOLDER = "/var/lib/prometheus/node-exporter"


def machine(host: str, place: int, busy: float, begin: float) -> Iterator[Series]:
    """A host: its processors (`busy` is their share), memory, network, root and sensors."""
    yield Series("up", host, still(1))
    yield Series("node_uname_info", f'{host},nodename="{place}",release="6.1.0"', still(1))
    yield Series("node_time_seconds", host, lambda t: begin + t + 0.02)
    yield Series("node_boot_time_seconds", host, still(begin - 86400 * (3 + 7 * place % 40)))
    yield Series("node_timex_sync_status", host, still(1))
    yield Series("node_timex_maxerror_seconds", host, still(0.02))
    yield Series("node_vmstat_oom_kill", host, still(0))
    yield Series("node_textfile_scrape_error", host, still(0))
    yield Series("node_load15", host, wave(busy * _CPUS, 0.15 * _CPUS * busy, 5, place))
    for cpu in range(_CPUS):
        shares = {
            "idle": 1 - busy,
            "user": busy * 0.8,
            "system": busy * 0.15,
            "iowait": busy * 0.04,
            "steal": busy * 0.01,
        }
        for mode, share in shares.items():
            swing = -0.25 * busy / (1 - busy) if mode == "idle" else 0.25
            labels = f'{host},cpu="{cpu}",mode="{mode}"'
            value = counted(share, swing, 5 + place % 3, place)
            yield Series("node_cpu_seconds_total", labels, value)
    yield Series("node_memory_MemTotal_bytes", host, still(64.0 * GIB))
    free = wave((1 - 0.7 * busy) * 60 * GIB, 5.0 * GIB * busy, 7, place)
    yield Series("node_memory_MemAvailable_bytes", host, free)
    for kind, share in (
        ("MemFree", 0.06),
        ("Buffers", 0.02),
        ("Cached", 0.4),
        ("SReclaimable", 0.03),
    ):
        value = wave(share * (1 - 0.5 * busy) * 64 * GIB, 0.2 * share * GIB, 7, place)
        yield Series(f"node_memory_{kind}_bytes", host, value)
    yield Series("node_memory_SwapTotal_bytes", host, still(8.0 * GIB))
    yield Series("node_memory_SwapFree_bytes", host, wave(7.5 * GIB, 0.2 * GIB, 9, place))
    for kind, rate in (("cpu", 0.12 * busy), ("io", 0.25 * busy), ("memory", 0.004)):
        value = counted(rate, 0.5, 3, place)
        yield Series(f"node_pressure_{kind}_waiting_seconds_total", host, value)
    for way, rate in (("receive", 1.5e6), ("transmit", 9e5)):
        value = counted(rate * (1 + place % 4), 0.6, 6, place)
        yield Series(f"node_network_{way}_bytes_total", f'{host},device="eth0"', value)
    root = f'{host},device="/dev/sda2",fstype="ext4",mountpoint="/"'
    yield Series("node_filesystem_size_bytes", root, still(200.0 * GIB))
    yield Series("node_filesystem_avail_bytes", root, still((150.0 - 11 * (place % 9)) * GIB))
    yield Series("node_filesystem_readonly", root, still(0))
    board = f'{host},chip="k10temp",sensor="temp1"'
    yield Series("node_hwmon_temp_celsius", board, wave(42 + 25 * busy, 3, 6, place))


def textfile(host: str, name: str, begin: float) -> Series:
    """When a file of metrics was written: within the last minute."""
    labels = f'{host},file="{_FOLDER}/{name}.prom"'
    return Series("node_textfile_mtime_seconds", labels, lambda t: begin + t - t % 60)


def success(host: str, program: str, begin: float, every: float = 60) -> Series:
    """When a program of goplot did its work."""
    name = "goplot_last_success_timestamp_seconds"
    return Series(name, f'{host},program="{program}"', lambda t: begin + t - t % every)


def drive(
    host: str, name: str, mount: str, place: int, size: float, free: float, rate: float
) -> Iterator[Series]:
    """A drive with one file system; `rate` in bytes written a second."""
    serial = f"Z{crc32(f'{host} {name}'.encode()) % 10**8:08d}"
    nvme = name.startswith("nvme")
    model = "Samsung SSD 990 PRO 4TB" if nvme else "ST18000NM000J-2TV103"
    labels = f'{host},device="{name}",model="{model}",serial="{serial}"'
    yield Series("node_disk_info", labels, still(1))
    top, farm, *disk = mount.strip("/").split("/")
    where = f'temp_farm="{farm}"' if top == "plot_temp" else f'farm="{farm}",disk="{disk[0]}"'
    yield Series("goplot_drive_place_info", f'{host},drive="{name}",{where}', still(1))
    partition = f"/dev/{name}p1" if nvme else f"/dev/{name}1"
    labels = f'{host},device="{partition}",fstype="xfs",mountpoint="{mount}"'
    yield Series("node_filesystem_size_bytes", labels, still(size))
    yield Series("node_filesystem_avail_bytes", labels, still(free))
    yield Series("node_filesystem_readonly", labels, still(0))
    for way, share in (("written", 1.0), ("read", 0.7 if nvme else 0.3)):
        value = counted(rate * share, 0.5, 4 + place % 3, place)
        yield Series(f"node_disk_{way}_bytes_total", f'{host},device="{name}"', value)
        merged = counted(rate * share / 2e6, 0.5, 4 + place % 3, place)
        name_of = {"written": "writes", "read": "reads"}[way]
        yield Series(f"node_disk_{name_of}_merged_total", f'{host},device="{name}"', merged)
    busy = counted(min(0.9, rate / (1.5e9 if nvme else 2e8)), 0.4, 4 + place % 3, place)
    yield Series("node_disk_io_time_seconds_total", f'{host},device="{name}"', busy)
    heat = wave((52 if nvme else 37) + place % 7, 2, 6, place)
    if nvme:
        yield from _nvme(f'{host},device="{name}"', heat)
    else:
        yield from _smart(f'{host},disk="/dev/{name}",type="sat"', heat, place)


def _smart(labels: str, heat: Value, place: int) -> Iterator[Series]:
    yield Series("smartmon_device_smart_healthy", labels, still(1))
    yield Series("smartmon_temperature_celsius_raw_value", labels, heat)
    pending = still(8 if place % 97 == 5 else 0)
    yield Series("smartmon_current_pending_sector_raw_value", labels, pending)
    yield Series("smartmon_offline_uncorrectable_raw_value", labels, still(0))
    yield Series("smartmon_reallocated_sector_ct_raw_value", labels, still(place % 3))


def _nvme(labels: str, heat: Value) -> Iterator[Series]:
    yield Series("nvme_critical_warning_total", labels, still(0))
    yield Series("nvme_media_errors_total", labels, still(0))
    yield Series("nvme_temperature_celsius", labels, heat)
    yield Series("nvme_percentage_used_ratio", labels, still(0.31))
