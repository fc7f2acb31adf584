"""A made history of a farm, as OpenMetrics: what the collectors of many hosts would have written.

`python -m tests.bench.made_farm HOSTS HOURS STEP > FILE` writes the time until now; a Prometheus
serves it after `promtool tsdb create-blocks-from openmetrics FILE FOLDER`.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zlib import crc32

GIB = 1 << 30
PLOT = int(101.4 * GIB)
_REASONS = ("plot_gap", "max_plots", "load", "disk_space", "no_disk", "toggle", "fault")
_STATES = ("unreadable", "ok", "unknown_format", "level_too_low", "silent", "quiet")
_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 8.0, 15.0, 28.0)

Value = Callable[[float], float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its labels and its value at a time in seconds since the history's begin."""

    name: str
    labels: str
    at: Value


def main() -> int:
    """Write the history. Returns 0."""
    hosts, hours, step = (int(text) for text in sys.argv[1:4])
    end = int(time.time()) // step * step
    begin = end - hours * 3600
    series = sorted(made(hosts, begin), key=lambda one: one.name)
    known = ""
    for one in series:
        if one.name != known:
            known = one.name
            print(f"# TYPE {known} unknown")
        for moment in range(begin, end + 1, step):
            value = one.at(moment - begin)
            if value is not None:
                print(f"{known}{{{one.labels}}} {value:.12g} {moment}")
    print("# EOF")
    return 0


def made(hosts: int, begin: float) -> Iterator[Series]:
    """All series of a farm: one farmer, then plotters and harvesters by turns."""
    names = ["farmer1"]
    for number in range(1, hosts):
        kind = "plotter" if number % 2 else "harvester"
        names.append(f"{kind}{(number + 1) // 2}")
    for place, name in enumerate(names):
        role = name.rstrip("0123456789")
        groups = "harvester,plotter" if role == "plotter" else role
        labels = f'job="node",instance="{name}",groups="{groups}"'
        yield from _machine(labels, place, begin)
        if role == "plotter":
            yield from _plotter(labels, place, begin)
        if role != "farmer":
            yield from _harvester(labels, place)
    yield from _farmer('job="node",instance="farmer1",groups="farmer"', names[1:], begin)
    yield Series("up", 'job="prometheus",instance="farmer1"', lambda _: 1)
    rules = "/etc/prometheus/rules/plotting.yml;plotting"
    own = 'job="prometheus",instance="farmer1"'
    yield Series(
        "prometheus_rule_group_last_duration_seconds",
        f'{own},rule_group="{rules}"',
        lambda t: 0.004 + 0.001 * math.sin(t / 900),
    )
    yield Series("prometheus_tsdb_head_series", own, lambda t: 900.0 * hosts + t / 100)


def _wave(base: float, swing: float, hours: float, shift: float = 0) -> Value:
    return lambda t: base + swing * math.sin(2 * math.pi * (t / 3600 / hours) + shift)


def _still(value: float) -> Value:
    return lambda _: value


def _counts(rate: float) -> Value:
    return lambda t: rate * t


def _machine(host: str, place: int, begin: float) -> Iterator[Series]:
    yield Series("up", host, _still(1))
    yield Series("node_uname_info", host, _still(1))
    yield Series("node_time_seconds", host, lambda t: begin + t + 0.05)
    yield Series("node_boot_time_seconds", host, _still(begin - 86400 * (3 + place)))
    yield Series("node_load15", host, _wave(3 + place % 5, 2, 5, place))
    for cpu in range(2):
        busy = 0.3 + 0.05 * (place % 8)
        for mode, share in (("idle", 1 - busy), ("user", busy)):
            yield Series(
                "node_cpu_seconds_total", f'{host},cpu="{cpu}",mode="{mode}"', _counts(share)
            )
    yield Series("node_memory_MemTotal_bytes", host, _still(64.0 * GIB))
    yield Series("node_memory_MemAvailable_bytes", host, _wave(30.0 * GIB, 9.0 * GIB, 7, place))
    yield Series("node_memory_SwapTotal_bytes", host, _still(8.0 * GIB))
    yield Series("node_memory_SwapFree_bytes", host, _wave(7.0 * GIB, 0.5 * GIB, 9))
    for kind, rate in (("cpu", 0.1), ("io", 0.2), ("memory", 0.01)):
        yield Series(f"node_pressure_{kind}_waiting_seconds_total", host, _counts(rate))
    for way in ("receive", "transmit"):
        yield Series(f"node_network_{way}_bytes_total", f'{host},device="eth0"', _counts(2e6))
    root = f'{host},device="/dev/sda2",fstype="ext4",mountpoint="/"'
    yield Series("node_filesystem_size_bytes", root, _still(200.0 * GIB))
    yield Series("node_filesystem_avail_bytes", root, _still(120.0 * GIB))
    yield Series("node_filesystem_readonly", root, _still(0))
    yield Series(
        "node_hwmon_temp_celsius", f'{host},chip="k10temp",sensor="temp1"', _wave(62, 8, 6)
    )
    folder = "/var/lib/prometheus/node-exporter/goplot_"
    for name in ("plotter", "harvester", "harvester_log"):
        if "farmer" not in host:
            yield Series(
                "node_textfile_mtime_seconds",
                f'{host},file="{folder}{name}.prom"',
                lambda t: begin + t - t % 60,
            )


def _drive(host: str, name: str, mount: str, place: int, size: float) -> Iterator[Series]:
    serial = f"Z{crc32(f'{host} {name}'.encode()) % 10**8:08d}"
    yield Series(
        "node_disk_info",
        f'{host},device="{name}",model="ST18000NM000J",serial="{serial}"',
        _still(1),
    )
    labels = f'{host},device="/dev/{name}1",fstype="xfs",mountpoint="{mount}"'
    yield Series("node_filesystem_size_bytes", labels, _still(size))
    yield Series("node_filesystem_avail_bytes", labels, _still(size * 0.02))
    for way, rate in (("written", 6e7), ("read", 1.5e7)):
        yield Series(
            f"node_disk_{way}_bytes_total", f'{host},device="{name}"', _counts(rate + place * 1e6)
        )
    smart = f'{host},disk="/dev/{name}",type="sat"'
    yield Series("smartmon_device_smart_healthy", smart, _still(1))
    yield Series(
        "smartmon_temperature_celsius_raw_value", smart, _wave(38 + place % 9, 3, 6, place)
    )
    pending = _still(8 if place == 3 else 0)
    yield Series("smartmon_current_pending_sector_raw_value", smart, pending)


def _plotter(host: str, place: int, begin: float) -> Iterator[Series]:
    hours, most = 8.0, 6
    yield Series("goplot_build_info", f'{host},version="1.0.0"', _still(1))
    for name, value in (("on_toggle", 1), ("max_plots", most), ("load_max", 9), ("pacer_up", 1)):
        yield Series(f"goplot_{name}", host, _still(value))
    yield Series("goplot_plot_gap_seconds", host, _still(4800))
    yield Series("goplot_load", host, _wave(6, 2, 5, place))
    yield Series("goplot_tunable_valid", f'{host},tunable="max_plots"', _still(1))
    for name in ("foreign_plots_running", "plots_stranded", "annotations_waiting"):
        yield Series(f"goplot_{name}", host, _still(0))
    yield Series("goplot_plots_running", host, _still(most))
    for name in ("started", "finished"):
        yield Series(f"goplot_plots_{name}_total", host, lambda t: float(int(t / 4800)))
    failed = f'{host},reason="plotter"'
    yield Series("goplot_plots_failed_total", failed, lambda t: float(t > 40000 + place * 500))
    for reason in _REASONS:
        blocked = reason == ("max_plots" if place % 2 else "plot_gap")
        yield Series("goplot_start_blocked", f'{host},reason="{reason}"', _still(float(blocked)))
    for program in ("pacer", "diskhand", "annotations", "plotter-collector"):
        yield Series(
            "goplot_last_success_timestamp_seconds",
            f'{host},program="{program}"',
            lambda t: begin + t - t % 60,
        )
    shares = {"1": 0.45, "2": 0.2, "3": 0.25, "4": 0.06, "copy": 0.03, "verify": 0.01}
    for phase, share in shares.items():
        labels = f'{host},plotter="chiapos",format="k32",phase="{phase}"'
        seconds = hours * 3600 * share
        yield Series(
            "goplot_plot_phase_seconds_sum", labels, lambda t, s=seconds: s * int(t / 4800)
        )
        yield Series("goplot_plot_phase_seconds_count", labels, lambda t: float(int(t / 4800)))
    for index in range(40):
        yield from _job(host, index, hours * 3600, shares)
    for farm in (1, 2):
        temp = f'{host},temp_farm="{farm}"'
        yield Series("goplot_temp_mounted", temp, _still(1))
        yield Series("goplot_temp_size_bytes", temp, _still(1800.0 * GIB))
        yield Series("goplot_temp_used_bytes", temp, _wave(1000.0 * GIB, 200.0 * GIB, 3, farm))
        yield Series("goplot_temp_committed_bytes", temp, _wave(400.0 * GIB, 100.0 * GIB, 3, farm))
        yield Series("goplot_temp_available_bytes", temp, _wave(400.0 * GIB, 90.0 * GIB, 3))
        yield from _drive(host, f"nvme{farm}n1", f"/plot_temp/{farm}", place, 1800.0 * GIB)
    for disk in range(1, 5):
        labels = f'{host},farm="{1 + disk % 2}",disk="disk{disk}"'
        size = 180.0 * PLOT
        used = 175.0 * PLOT if disk < 3 else 40.0 * PLOT

        def filled(t: float, used: float = used, disk: int = disk) -> float:
            return used + (PLOT * int(t / 9600) if disk >= 3 else 0)

        for name, value in (("mounted", 1), ("failing", 0), ("in_rotation", disk >= 3)):
            yield Series(f"goplot_disk_{name}", labels, _still(float(value)))
        yield Series("goplot_disk_size_bytes", labels, _still(size))
        yield Series("goplot_disk_used_bytes", labels, filled)
        promised = 3.0 * PLOT if disk >= 3 else 0.0
        yield Series("goplot_disk_committed_bytes", labels, _still(promised))
        yield Series(
            "goplot_disk_available_bytes",
            labels,
            lambda t, f=filled, d=disk: max(0.0, 180.0 * PLOT - f(t) - 3 * PLOT) * (d >= 3),
        )


def _job(host: str, index: int, seconds: float, shares: dict[str, float]) -> Iterator[Series]:
    begin = index * 4800 - seconds
    passed = 0.0
    for phase, share in shares.items():
        first, last = begin + passed * seconds, begin + (passed + share) * seconds
        passed += share
        labels = (
            f'{host},index="{index + 1}",farm="{1 + index % 2}",disk="disk{3 + index % 2}",'
            f'temp_farm="{1 + index % 2}",phase="{phase}"'
        )

        def age(t: float, first: float = first, last: float = last) -> float | None:
            return t - begin if first <= t < last else None

        yield Series("goplot_plot_age_seconds", labels, age)

        def progress(t: float, age: Value = age) -> float | None:
            now = age(t)
            return None if now is None else now / seconds

        yield Series("goplot_plot_progress_ratio", labels, progress)


def _harvester(host: str, place: int) -> Iterator[Series]:
    plots = 800.0 + 37 * place
    yield Series("chia_harvester_up", host, _still(1))
    yield Series("chia_harvester_farmer_connections", host, _still(1))
    kind = f'{host},version="v1",k="32",compression="0"'
    yield Series("chia_harvester_plots", kind, _still(plots))
    yield Series("chia_harvester_plot_bytes", kind, _still(plots * PLOT))
    for name, value in (("failed_plots", float(place == 4)), ("missing_keys", 0)):
        yield Series(f"chia_harvester_{name}", host, _still(value))
    version = f'{host},service="harvester",version="2.7.5"'
    yield Series("chia_version_info", version, _still(1))
    yield Series("chia_harvester_eligible_age_seconds", host, lambda t: t % 10)
    for state in _STATES:
        shown = float(state == "ok")
        yield Series("goplot_harvester_log_state", f'{host},state="{state}"', _still(shown))
    yield Series("goplot_harvester_log_up", host, _still(1))
    yield Series("chia_harvester_eligible_plots_total", host, _counts(plots / 512 / 9.4))
    proofs = f'{host},version="v1"'
    yield Series("chia_harvester_proofs_found_total", proofs, lambda t: float(int(t / 9000)))
    errors = f'{host},reason="qualities_failed"'
    yield Series("chia_harvester_lookup_errors_total", errors, _still(0))
    for place_of, bound in enumerate((*_BUCKETS, math.inf)):
        share = min(1.0, 0.08 + 0.2 * place_of + 0.002 * (place % 9))
        le = "+Inf" if bound == math.inf else f"{bound:g}"
        yield Series(
            "chia_harvester_lookup_seconds_bucket", f'{host},le="{le}"', _counts(share / 9.4)
        )
    yield Series("chia_harvester_lookup_seconds_count", host, _counts(1 / 9.4))
    yield Series("chia_harvester_lookup_seconds_sum", host, _counts(0.6 / 9.4))
    for disk in range(1, 5):
        labels = f'{host},farm="{1 + disk % 2}",disk="disk{disk}"'
        yield Series("goplot_harvester_disk_mounted", labels, _still(1))
        yield Series("goplot_harvester_disk_up", labels, _still(1))
        yield Series("goplot_harvester_disk_plot_files", labels, _still(plots / 4))
        yield Series("chia_harvester_disk_plots", labels, _still(plots / 4))
        mount = f"/farm/{1 + disk % 2}/disk{disk}"
        yield from _drive(host, f"sd{chr(ord('a') + disk)}", mount, place + disk, 180.0 * PLOT)


def _farmer(host: str, others: list[str], begin: float) -> Iterator[Series]:
    netspace, plots = 18e18, 0.0
    for place, name in enumerate(others, start=1):
        labels = f'{host},harvester="{name}"'
        count = 800.0 + 37 * place
        plots += count
        for key, value in (
            ("connected", 1.0),
            ("plots", count),
            ("bytes", count * PLOT),
            ("effective_bytes", count * PLOT),
            ("failed_plots", float(place == 4)),
            ("missing_keys", 0.0),
            ("duplicates", 0.0),
        ):
            yield Series(f"chia_farmer_harvester_{key}", labels, _still(value))
        told = "chia_farmer_harvester_last_sync_timestamp_seconds"
        yield Series(told, labels, lambda t: begin + t - t % 3600)
    for service in ("full_node", "farmer", "wallet"):
        yield Series(f"chia_{service}_up", host, _still(1))
        version = f'{host},service="{service}",version="2.7.5"'
        yield Series("chia_version_info", version, _still(1))
    yield Series("chia_full_node_synced", host, _still(1))
    yield Series("chia_full_node_height", host, lambda t: 7_100_000 + int(t / 18.75))
    yield Series("chia_full_node_difficulty", host, _still(11136))
    yield Series("chia_peers", f'{host},service="full_node",type="full_node"', _still(37))
    yield Series("chia_netspace_bytes", host, _wave(netspace, netspace / 200, 11))
    expected = 18.75 * netspace / (plots * PLOT) if plots else 0.0
    if expected:
        yield Series("chia_expected_win_seconds", host, _wave(expected, expected / 200, 11))
    yield Series("chia_farmed_mojo", host, lambda t: 12e12 + (t > 50000) * 1e12)
    yield Series("chia_farmed_blocks", host, lambda t: 14 + float(t > 50000))
    yield Series("chia_last_farmed_timestamp_seconds", host, _still(begin + 50000))
    for status in ("farming", "syncing", "not_synced", "farmer_down", "unknown"):
        shown = float(status == "farming")
        yield Series("chia_farming_status", f'{host},status="{status}"', _still(shown))
    pool = f'{host},pool="https://pool.example",launcher="0123456789abcdef"'
    for result, rate in (("valid", 0.004), ("stale", 0.0001), ("invalid", 0.0)):
        yield Series("chia_pool_partials_total", f'{pool},result="{result}"', _counts(rate))
    yield Series("chia_pool_points_acknowledged_24h", pool, _wave(3400, 120, 8))


if __name__ == "__main__":
    sys.exit(main())
