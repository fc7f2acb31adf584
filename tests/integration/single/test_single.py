"""One machine that is farmer, plotter and harvester, deployed from inventory/single."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
Ask = Callable[[str], list[dict[str, Any]]]


def test_it_has_the_services_of_all_three_groups(ssh: Ssh) -> None:
    for unit in (
        "prometheus.service",
        "prometheus-node-exporter.service",
        "goplot-pacer.service",
        "goplot-diskhand.timer",
        "goplot-plotter-collector.timer",
    ):
        assert ssh("farm1").service(unit).is_running
        assert ssh("farm1").service(unit).is_enabled
    assert ssh("farm1").check_output("systemctl list-units --failed --no-legend") == ""


def test_its_disks_are_mounted_by_label(ssh: Ssh) -> None:
    for path, kind in (
        ("/farm/1/disk1", "xfs"),
        ("/farm/1/disk2", "ext4"),
        ("/plot_temp/1", "xfs"),
    ):
        assert ssh("farm1").mount_point(path).exists
        assert ssh("farm1").mount_point(path).filesystem == kind


def test_plots_land_on_its_disks(ssh: Ssh) -> None:
    def both() -> bool:
        found = ssh("farm1").check_output("find /farm -name '*.plot'").split()
        return {plot.split("/")[3] for plot in found} == {"disk1", "disk2"}

    wait_until("a plot on both disks", both, 120)
    status = json.loads(ssh("farm1").run("goplot status --json").stdout)
    assert status["problems"] == []


def test_its_prometheus_sees_it_in_all_three_groups(prometheus: Ask) -> None:
    # The package's own configuration, without groups, ran for a moment.
    (up,) = prometheus('up{job="node", groups!=""}')
    assert up["metric"]["instance"] == "farm1"
    assert up["metric"]["groups"] == "farmer,harvester,plotter"
    assert up["value"][1] == "1"
    wait_until(
        "finished plots in Prometheus",
        lambda: prometheus("goplot_plots_finished_total > 0") != [],
        150,
    )


def test_its_day_is_summarised_though_prometheus_asks_for_a_password(ssh: Ssh) -> None:
    ssh("farm1").check_output("systemctl start goplot-summary")
    log = ssh("farm1").check_output("journalctl -u goplot-summary -o cat")
    assert "Hosts: 1 of 1 answer" in log
