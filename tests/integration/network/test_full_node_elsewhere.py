"""A farmer whose full node runs on another machine, which is none of its inventory's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until
from tests.support.playbook import PROJECT, run_ansible

Ssh = Callable[[str], Any]

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
    files = ("all/network.yml", "all/main.yml", "farmer/main.yml")
    variables = (json.dumps(node), *(f"@{groups}/{name}" for name in files))
    options = [option for given in variables for option in ("-e", given)]
    password = ("--vault-password-file", PROJECT / "tests/network/vault-password")
    done = run_ansible(*PLAYBOOKS, "-i", inventory, *options, *password)
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
