"""Grafana's vendor replaces the key of its repository, as it has done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.playbook import run_ansible

Ssh = Callable[[str], Any]

KEY = "/etc/apt/keyrings/grafana.asc"
INVENTORIES = ("inventory/single", "molecule/single/inventory")


def test_a_new_key_is_fetched_before_apt_needs_it(ssh: Ssh) -> None:
    old = ssh("farm1").check_output(f"cat {KEY}")
    ssh("farm1").check_output("python3 /opt/grafana_stand_in/build.py /srv/grafana")
    ssh("farm1").check_output("systemctl restart grafana-stand-in-repository")
    # The package lists are old, so that the play has apt update them.
    stale = "/var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp"
    ssh("farm1").check_output(f"touch --no-create --date '3 days ago' {stale}")
    inventories = [f"--inventory={path}" for path in INVENTORIES]
    done = run_ansible(*inventories, "playbooks/base.yml")
    assert done.returncode == 0, done.stdout
    new = ssh("farm1").check_output(f"cat {KEY}")
    assert new != old
    assert new == ssh("farm1").check_output("cat /srv/grafana/gpg-full.key")
    ssh("farm1").check_output("apt-get update --error-on=any")
