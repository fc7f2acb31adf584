"""What the tests of the closed network share: its plots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hosts.machine import Machine
from tests.network.plots import make_plots

PLOTS = {
    "harvester1": {"/farm/1/disk11": 2, "/farm/2/disk12": 2},
    "harvester2": {"/farm/1/disk21": 3},
}


@pytest.fixture(scope="session", autouse=True)
def _plots(machine: Callable[[str], Machine]) -> None:
    """Real plots of the farm's keys on every disk, made once."""
    for host, disks in PLOTS.items():
        make_plots(machine(host), disks)
