"""The health of drives is shown, and where they are. smartctl and nvme-cli are stand-ins here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
Query = Callable[[str], list[dict[str, Any]]]
UNITS = ("smartmon", "nvme")


@pytest.mark.parametrize("name", UNITS)
def test_a_collector_is_sandboxed(ssh: Ssh, name: str) -> None:
    # --threshold counts tenths.
    unit = f"prometheus-node-exporter-{name}"
    analyze = f"systemd-analyze security --no-pager --threshold=15 {unit}.service"
    ssh("farm1").run_expect([0], analyze)
    assert ssh("farm1").service(f"{unit}.timer").is_enabled


def test_nothing_else_of_the_package_runs(ssh: Ssh) -> None:
    assert ssh("farm1").service("prometheus-node-exporter-apt.timer").is_masked
    assert not ssh("farm1").file("/var/lib/prometheus/node-exporter/apt.prom").exists


@pytest.mark.parametrize("name", UNITS)
def test_a_collector_writes_in_its_sandbox(ssh: Ssh, name: str) -> None:
    file = f"/var/lib/prometheus/node-exporter/{name}.prom"
    ssh("farm1").check_output(f"rm -f {file}")
    ssh("farm1").check_output(f"systemctl start prometheus-node-exporter-{name}.service")
    assert ssh("farm1").file(file).size > 0
    assert ssh("farm1").run(f"runuser -u prometheus -- cat {file}").succeeded


def test_a_failing_drive_has_the_place_where_its_plots_lie(ssh: Ssh, prometheus: Query) -> None:
    source = ssh("farm1").check_output("findmnt --noheadings --output SOURCE /farm/1/disk1")
    drive = source.removeprefix("/dev/")
    ssh("farm1").check_output(f"echo {drive} > /etc/goplot-stand-in-drive")
    ssh("farm1").check_output("systemctl start prometheus-node-exporter-smartmon.service")
    query = 'ALERTS{alertname="DriveFailing", disk="disk1", alertstate="firing"}'
    # The rules on drives are evaluated once a minute.
    wait_until("the alert", lambda: prometheus(query) != [], 180)
    (alert,) = prometheus(query)
    place = {key: alert["metric"].get(key) for key in ("instance", "drive", "farm", "disk")}
    assert place == {"instance": "farm1", "drive": drive, "farm": "1", "disk": "disk1"}
    assert alert["metric"]["serial"] == "ZR5STAND"


def test_when_its_certificates_end_is_known(prometheus: Query) -> None:
    query = "goplot_certificate_expiry_timestamp_seconds - time() > 86400"
    names = {"tls_host", "tls_ca", "chia_ca", "chia_private_ca", "chia_private_daemon"}
    wait_until(
        "every certificate",
        lambda: {sample["metric"]["certificate"] for sample in prometheus(query)} == names,
        90,
    )
