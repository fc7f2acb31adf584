"""What the distributions' collectors report of drives is joined to the places where plots lie."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from goplot.host.drives import drives_of
from goplot.host.mounts import Mount
from goplot.host.textfile import read_samples

_ROOT = Path(__file__).parents[2]
_SAMPLES = _ROOT / "tests/drives"
_HOST = 'job="node", instance="h1", groups="harvester"'
_MOUNTS = {
    "/dev/sda1": "/farm/2/disk4",
    "/dev/sdb": "/farm/1/disk7",
    "/dev/nvme0n1p1": "/plot_temp/1",
}
_KERNEL = [
    f'node_filesystem_size_bytes{{{_HOST}, device="{device}", fstype="xfs", mountpoint="{mount}"}}'
    for device, mount in _MOUNTS.items()
]
# Of sdb, a drive behind a bridge, the kernel knows nothing.
_LABELS = [
    f'node_disk_info{{{_HOST}, device="{device}", serial="{serial}", model="{model}"}}'
    for device, serial, model in (
        ("sda", "ZR5STAND", "ST18000NM000J-2TV103"),
        ("nvme0n1", "S6STAND2", "Samsung SSD 980 PRO 2TB"),
    )
]


# What goplot reports of a temp farm on a RAID, of which the kernel shows only /dev/md0.
_PLACES = [
    f'goplot_drive_place_info{{{_HOST}, drive="{drive}", temp_farm="1"}}'
    for drive in ("nvme0n1", "nvme1n1")
]


def _series(*names: str) -> list[dict[str, str]]:
    """Input series of promtool: the samples as they are, on one host."""
    found = [{"series": series, "values": "1x150"} for series in (*_KERNEL, *_LABELS)]
    for name in names:
        for line in (_SAMPLES / name).read_text().splitlines():
            match = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
            if match:
                series = f"{match[1]}{{{_HOST}, {match[2]}}}"
                found.append({"series": series, "values": f"{float(match[3]):g}x150"})
    return found


class Evaluation:
    """The rules over what collectors wrote, asked by promtool."""

    def __init__(self, promtool: Path, folder: Path, series: list[dict[str, str]]) -> None:
        self._promtool = promtool
        self._path = folder / "test.json"
        self._series = series

    def holds(self, expression: str, samples: dict[str, float], at: str = "30m") -> None:
        """Asserts that an expression has these samples when the host has been seen for so long."""
        shown = [{"labels": labels, "value": value} for labels, value in samples.items()]
        check: dict[str, Any] = {"expr": expression, "eval_time": at, "exp_samples": shown}
        document = {
            "rule_files": [str(_ROOT / "roles/prometheus/files/rules/disks.yml")],
            "tests": [
                {"interval": "1m", "input_series": self._series, "promql_expr_test": [check]}
            ],
        }
        self._path.write_text(json.dumps(document))
        done = subprocess.run(
            [self._promtool, "test", "rules", self._path],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["nvme.prom", "nvme_newer.prom"])
def rules(promtool: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Evaluation:
    return Evaluation(promtool, tmp_path, _series("smartmon.prom", request.param))


def test_every_drive_has_its_place_and_its_label(rules: Evaluation) -> None:
    rules.holds(
        "sum by (drive, farm, disk, temp_farm, serial, model) (instance_drive:goplot_drive:info)",
        {
            '{drive="sda", farm="2", disk="disk4", serial="ZR5STAND",'
            ' model="ST18000NM000J-2TV103"}': 1,
            '{drive="sdb", farm="1", disk="disk7", model="HUH721010AL5200"}': 1,
            '{drive="nvme0n1", temp_farm="1", serial="S6STAND2",'
            ' model="Samsung SSD 980 PRO 2TB"}': 1,
        },
    )


def test_the_drives_that_fail_are_known(rules: Evaluation) -> None:
    rules.holds(
        "sum by (drive) (instance_drive:goplot_drive_failing:bool)",
        {'{drive="sda"}': 1, '{drive="sdb"}': 0, '{drive="nvme0n1"}': 1},
    )


def test_the_alert_says_where_the_failing_drive_is(rules: Evaluation) -> None:
    rules.holds(
        'count by (drive, farm, disk, temp_farm, serial) (ALERTS{alertname="DriveFailing"})',
        {
            '{drive="sda", farm="2", disk="disk4", serial="ZR5STAND"}': 1,
            '{drive="nvme0n1", temp_farm="1", serial="S6STAND2"}': 1,
        },
    )


def test_temperatures_and_defects_are_of_drives(rules: Evaluation) -> None:
    rules.holds(
        "sum by (drive) (instance_drive:goplot_drive_temperature:celsius)",
        {'{drive="sda"}': 41, '{drive="sdb"}': 37, '{drive="nvme0n1"}': 78},
    )
    rules.holds(
        "sum by (drive) (instance_drive:goplot_drive_defects:count)",
        {'{drive="sda"}': 16, '{drive="sdb"}': 0, '{drive="nvme0n1"}': 0},
        at="2h",
    )


def test_a_worn_drive_is_reported(rules: Evaluation) -> None:
    rules.holds(
        'count by (drive, alertstate) (ALERTS{alertname="DriveWorn"})',
        {'{drive="nvme0n1", alertstate="pending"}': 1},
    )


def test_each_drive_of_a_raid_has_the_place_of_the_raid(promtool: Path, tmp_path: Path) -> None:
    written = [{"series": series, "values": "1x150"} for series in _PLACES]
    rules = Evaluation(promtool, tmp_path, [*_series("nvme.prom"), *written])
    rules.holds(
        'sum by (drive, serial) (instance_drive:goplot_drive:info{temp_farm="1"})',
        {'{drive="nvme0n1", serial="S6STAND2"}': 1, '{drive="nvme1n1"}': 1},
    )
    rules.holds(
        'count by (drive, temp_farm) (ALERTS{alertname="DriveFailing"})',
        {'{drive="nvme0n1", temp_farm="1"}': 1},
    )
    # Disks of which goplot reports nothing keep the place that their device's name gives.
    rules.holds(
        'count by (drive, disk) (instance_drive:goplot_place:info{disk!=""})',
        {'{drive="sda", disk="disk4"}': 1, '{drive="sdb", disk="disk7"}': 1},
    )


class Sys:
    """A sysfs in a folder, as the kernel makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "dev/block").mkdir(parents=True)

    def add(self, number: str, name: str, slaves: tuple[str, ...] = (), part: str = "") -> None:
        """A block device, made of others; `part` is the partition's drive."""
        device = self.path / "devices" / part / name
        (device / "slaves").mkdir(parents=True)
        if part:
            (device / "partition").write_text("1")
        for slave in slaves:
            (device / "slaves" / slave).symlink_to(self._of(slave))
        (self.path / "dev/block" / number).symlink_to(device)

    def _of(self, name: str) -> Path:
        return next(path for path in (self.path / "devices").rglob(name) if path.is_dir())

    def drives(self, number: str) -> tuple[str, ...]:
        return drives_of(Mount(Path("/farm/1/disk1"), 1, False, number, number), self.path)


def test_drives_are_found_through_partitions_raid_and_encryption(tmp_path: Path) -> None:
    sys = Sys(tmp_path)
    sys.add("8:0", "sda")
    sys.add("8:1", "sda1", part="sda")
    sys.add("8:16", "sdb")
    sys.add("9:0", "md0", ("sda1", "sdb"))
    sys.add("253:0", "dm-0", ("md0",))
    assert sys.drives("8:16") == ("sdb",)
    assert sys.drives("8:1") == ("sda",)
    assert sys.drives("9:0") == ("sda", "sdb")
    assert sys.drives("253:0") == ("sda", "sdb")
    assert sys.drives("0:42") == ()


def test_an_inch_sign_in_a_name_of_a_drive_spoils_no_textfile() -> None:
    samples = read_samples((_SAMPLES / "smartmon.prom").read_text())
    families = {
        labels["disk"]: labels["model_family"] for labels, _ in samples["smartmon_device_info"]
    }
    assert families["/dev/sda"] == 'Toshiba 2.5" HDD MQ01ABD...'
