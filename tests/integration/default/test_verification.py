"""playbooks/verify.yml on a farm that works, and on one that does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support import playbook

pytestmark = pytest.mark.once

Ssh = Callable[[str], Any]

SECRETS = (
    "/etc/goplot/grafana/admin_password",
    "/etc/goplot/grafana/secret_key",
    "/etc/goplot/grafana/annotations.token",
)


play = partial(playbook.play, "default")


def test_a_farm_that_works_passes_and_its_alert_arrives(ssh: Ssh) -> None:
    ssh("farmer1").check_output("rm -f /var/lib/webhook")
    done = play("verify.yml")
    assert done.returncode == 0, done.stdout
    assert "FAILED" not in done.stdout
    for words in (
        "Prometheus scrapes harvester1 (node)",
        "Prometheus has the rules of plotting.yml",
        "The farmer has keys",
        "Chia's releases work together",
        "Grafana reads Prometheus",
        "Grafana has the dashboard goplot-farm",
        "plotter1 annotates in Grafana",
        "Alertmanager delivers a test alert (webhook)",
    ):
        assert f"ok      {words}" in done.stdout
    received = ssh("farmer1").check_output("cat /var/lib/webhook").splitlines()
    names = [
        alert["labels"]["alertname"] for line in received for alert in json.loads(line)["alerts"]
    ]
    assert "GoplotVerify" in names


def test_a_farm_that_does_not_work_fails_by_name(ssh: Ssh) -> None:
    ssh("farmer1").check_output("systemctl stop grafana-server")
    try:
        done = play("verify.yml", "-e", "verify_seconds=2")
    finally:
        ssh("farmer1").check_output("systemctl start grafana-server")
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED  ")]
    failed = {re.split(r"  +", line)[1] for line in lines}
    assert failed == {"Grafana answers", "plotter1 annotates in Grafana"}


def test_a_play_shows_no_secret_of_grafana_however_much_it_shows(ssh: Ssh) -> None:
    secrets = [ssh("farmer1").check_output(f"cat {path}") for path in SECRETS]
    # A new token is made, for that is the task that handles it.
    ssh("farmer1").check_output(f"rm {SECRETS[2]}")
    done = play("grafana.yml", "-vvvv", "--diff")
    assert done.returncode == 0, done.stdout
    secrets.append(ssh("farmer1").check_output(f"cat {SECRETS[2]}"))
    assert secrets[2] != secrets[3]
    assert ssh("plotter1").check_output("cat /etc/goplot/grafana.token") == secrets[3]
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []
