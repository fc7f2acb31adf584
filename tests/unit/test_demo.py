"""The demo's inventory has what its faults and its plots need."""

from pathlib import Path

import yaml

from tests.demo.__main__ import PLOTS
from tests.demo.farm import demo_farm
from tests.demo.fault import NAMES
from tests.network.faults import FAULTS

_INVENTORY = Path(__file__).parents[2] / "inventory/demo"


def _mounts(host: str) -> set[str]:
    variables = yaml.safe_load((_INVENTORY / f"host_vars/{host}.yml").read_text(encoding="utf-8"))
    return {mount["path"] for mount in variables["farm_layout_mounts"]}


def test_each_fault_is_of_a_host_and_a_disk_of_the_demo() -> None:
    hosts = {host.name for host in demo_farm().hosts.hosts}
    for fault in (FAULTS[name] for name in NAMES):
        assert {fault.labels["instance"], *fault.begin, *fault.end} <= hosts
        if "disk" in fault.labels:
            path = f"/farm/{fault.labels['farm']}/{fault.labels['disk']}"
            assert path in _mounts(fault.labels["instance"])


def test_plots_are_made_on_disks_of_the_demo() -> None:
    assert set(PLOTS) <= _mounts("harvester1")


def test_a_fault_is_ended_wherever_it_was_begun() -> None:
    for name in NAMES:
        assert set(FAULTS[name].begin) == set(FAULTS[name].end)
