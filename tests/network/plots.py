"""Small plots of the closed network's farm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.hosts.machine import Machine

_PLOTTER = Path(__file__).parents[1] / "plotter/chia_small_plots.py"
_VARIABLES = Path(__file__).parent / "variables/all.yml"


def make_plots(machine: Machine, disks: Mapping[str, int]) -> None:
    """Real plots of the farm's keys, so many on each disk that has none: a second a plot."""
    variables = yaml.safe_load(_VARIABLES.read_text(encoding="utf-8"))
    farmer, pool = (variables[f"goplot_{of}_public_key"] for of in ("farmer", "pool"))
    machine.run("sh", "-c", "cat > /opt/plotter.py", stdin=_PLOTTER.read_text(encoding="utf-8"))
    for disk, count in disks.items():
        # chiapos runs for ever on one k18 in a thousand: another try is another plot.
        plot = (
            f"set -e; umask 027; for n in $(seq {count}); do for try in 1 2 3; do "
            f"rm -rf /tmp/plots; mkdir /tmp/plots; "
            f"timeout 120 /opt/chia/current/bin/python /opt/plotter.py plots create -k 18 "
            f"-n 1 -f {farmer} -p {pool} -t /tmp/plots -d {disk}/plots && break; "
            f"done; done; test $(ls {disk}/plots/*.plot | wc -l) = {count}"
        )
        if not machine.run("find", f"{disk}/plots", "-name", "*.plot"):
            machine.run("runuser", "-u", "goplot", "--", "sh", "-c", plot)
