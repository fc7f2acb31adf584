"""A farm that was deployed without internet, from a folder on the controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Ssh = Callable[[str], Any]


def test_nothing_outside_is_reached(ssh: Ssh) -> None:
    assert ssh("closed1").check_output("ip route show default") == ""


@pytest.mark.parametrize(
    "unit",
    [
        "chia-daemon.service",
        "chia-farmer.service",
        "chia-full-node.service",
        "chia-harvester.service",
        "goplot-diskhand.timer",
        "goplot-pacer.service",
        "prometheus-alertmanager.service",
        "prometheus-node-exporter.service",
        "prometheus.service",
    ],
)
def test_everything_runs(ssh: Ssh, unit: str) -> None:
    assert ssh("closed1").service(unit).is_running


def test_its_disks_are_mounted_and_formatted(ssh: Ssh) -> None:
    for path in ("/farm/1/disk1", "/plot_temp/1"):
        assert ssh("closed1").mount_point(path).filesystem == "xfs"
