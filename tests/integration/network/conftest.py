"""What the tests of the closed network share: its plots, and searches for its secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.machine import Machine

PLOTS = {
    "harvester1": {"/farm/1/disk11": 2, "/farm/2/disk12": 2},
    "harvester2": {"/farm/1/disk21": 3},
}
# Of the key in the scenario's inventory.
FARMER_KEY = (
    "94cbdd24a12e5cb98b10f600c901fa2973f06353d7cc8923"
    "8eef7992d77d5d3f0a989fa4bb9ddd86b872c8968acd3799"
)
POOL_KEY = (
    "9183bfa619209b3668c0ab09e3a8e3f4482e83ae997b4dab"
    "b7c95827b8e4763b862017f8255855c68742bdb45661ef49"
)
_PLOTTER = Path(__file__).parents[2] / "plotter/chia_small_plots.py"


@pytest.fixture(scope="session", autouse=True)
def _plots(machine: Callable[[str], Machine]) -> None:
    """Real plots of the farm's keys on every disk, made once."""
    for host, disks in PLOTS.items():
        one = machine(host)
        one.run("sh", "-c", "cat > /opt/plotter.py", stdin=_PLOTTER.read_text(encoding="utf-8"))
        for disk, count in disks.items():
            # chiapos runs for ever on one k18 in a thousand: another try is another plot.
            plot = (
                f"set -e; umask 027; for n in $(seq {count}); do for try in 1 2 3; do "
                f"rm -rf /tmp/plots; mkdir /tmp/plots; "
                f"timeout 120 /opt/chia/current/bin/python /opt/plotter.py plots create -k 18 "
                f"-n 1 -f {FARMER_KEY} -p {POOL_KEY} -t /tmp/plots -d {disk}/plots && break; "
                f"done; done; test $(ls {disk}/plots/*.plot | wc -l) = {count}"
            )
            if not one.run("find", f"{disk}/plots", "-name", "*.plot"):
                one.run("runuser", "-u", "goplot", "--", "sh", "-c", plot)
