"""What the distributions' collectors tell of drives is joined to the places where plots lie."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

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


def _series(*names: str) -> list[dict[str, str]]:
    """Input series of promtool: the samples as they are, on one host."""
    found = [{"series": series, "values": "1x60"} for series in (*_KERNEL, *_LABELS)]
    for name in names:
        for line in (_SAMPLES / name).read_text().splitlines():
            match = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line)
            if match:
                series = f"{match[1]}{{{_HOST}, {match[2]}}}"
                found.append({"series": series, "values": f"{float(match[3]):g}x60"})
    return found


class Evaluation:
    """The rules over what collectors told, asked by promtool."""

    def __init__(self, promtool: Path, folder: Path, nvme: str) -> None:
        self._promtool = promtool
        self._path = folder / "test.json"
        self._series = _series("smartmon.prom", nvme)

    def holds(self, expression: str, samples: dict[str, float]) -> None:
        """Asserts that an expression has these samples after half an hour."""
        shown = [{"labels": labels, "value": value} for labels, value in samples.items()]
        check: dict[str, Any] = {"expr": expression, "eval_time": "30m", "exp_samples": shown}
        document = {
            "rule_files": [str(_ROOT / "roles/prometheus/files/rules/disks.yml")],
            "tests": [
                {"interval": "1m", "input_series": self._series, "promql_expr_test": [check]}
            ],
        }
        self._path.write_text(json.dumps(document))
        done = subprocess.run(
            [self._promtool, "test", "rules", self._path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["nvme.prom", "nvme_newer.prom"])
def rules(promtool: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Evaluation:
    return Evaluation(promtool, tmp_path, request.param)


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
    )


def test_a_worn_drive_is_told(rules: Evaluation) -> None:
    rules.holds(
        'count by (drive, alertstate) (ALERTS{alertname="DriveWorn"})',
        {'{drive="nvme0n1", alertstate="pending"}': 1},
    )
