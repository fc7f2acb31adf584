"""A farmer whose full node runs on another machine, which is none of its inventory's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]

PROJECT = Path(__file__).parents[3]
SCENARIO = PROJECT / "molecule/network"
PLAYBOOKS = [f"playbooks/{name}.yml" for name in ("preflight", "base", "chia", "goplot", "watch")]
WITHIN = 120


def deploy(hosts: HostSet, folder: Path) -> None:
    """Deploy farmer2 with the key of the scenario's farm and the full node of farmer1."""
    groups = SCENARIO / "inventory/group_vars"
    inventory = folder / "hosts.yml"
    farmer2 = {"farmer2": {"ansible_host": str(hosts.host("farmer2").address)}}
    members = {"farmer": {"hosts": farmer2}, "plotter": {}, "harvester": {}}
    inventory.write_text(json.dumps({"all": {"children": members}}), encoding="utf-8")
    node = {"chia_full_node": f"{hosts.host('farmer1').address}:8444"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), *PLAYBOOKS]
    command += ["-i", str(inventory), "-e", json.dumps(node)]
    for variables in ("all/network.yml", "all/main.yml", "farmer/main.yml"):
        command += ["-e", f"@{groups}/{variables}"]
    command += ["--vault-password-file", str(PROJECT / "tests/network/vault-password")]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_farmer_farms_with_a_full_node_elsewhere(
    ssh: Ssh, hosts: HostSet, tmp_path: Path
) -> None:
    deploy(hosts, tmp_path)
    services = ssh("farmer2").check_output("systemctl list-unit-files 'chia-*' --no-legend --plain")
    names = {line.split()[0] for line in services.splitlines()}
    assert names == {f"chia-{name}.service" for name in ("daemon", "farmer", "wallet")}

    node = hosts.host("farmer1").address
    log = "/var/lib/chia/simulator0/log/debug.log"
    connected = f"grep -q \"Connected with full_node PeerInfo.*'{node}'\" {log}"
    wait_until("a connection to the node", lambda: ssh("farmer2").run(connected).rc == 0, WITHIN)
    # What the collector can't ask, it leaves out: the node is of another farm's CA.
    metrics = "/var/lib/prometheus/node-exporter/goplot_farmer.prom"
    up = f"grep -qx 'chia_farmer_up 1.0' {metrics}"
    wait_until("metrics of the farmer", lambda: ssh("farmer2").run(up).rc == 0, WITHIN)
    assert ssh("farmer2").run(f"grep '^chia_full_node_up' {metrics}").rc == 1
