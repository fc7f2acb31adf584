"""What the README promises of three deployed hosts, asked of the hosts themselves.

Run after the first deployment, after a reboot without one of the disks, and after one with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until
from tests.support.playbook import play
from tests.tools.plots_check import proofs_found

DISKS = {
    "plotter1": {
        "disk1": Path("/farm/1/disk1"),
        "disk2": Path("/farm/2/disk2"),
        "disk3": Path("/farm/2/disk3"),
        "temp1": Path("/plot_temp/1"),
        "temp2": Path("/plot_temp/2"),
    },
    "harvester1": {"disk11": Path("/farm/1/disk11"), "disk12": Path("/farm/1/disk12")},
}
FSTYPES = {"disk1": "ext4", "temp2": "ext4", "disk11": "ext4"}
PLACES = [(host, disk) for host, disks in DISKS.items() for disk in disks]

Ssh = Callable[[str], Any]
ToMachine = Callable[[str], Machine]
Ask = Callable[[str], list[dict[str, Any]]]


def status(ssh: Ssh) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ssh("plotter1").run("goplot status --json").stdout)
    return answer


@pytest.mark.parametrize(("host", "disk"), PLACES)
def test_a_disk_is_mounted_with_its_folders_or_its_mount_point_takes_nothing(
    ssh: Ssh, machine: ToMachine, host: str, disk: str
) -> None:
    path = DISKS[host][disk]
    shell = ssh(host)
    beneath = machine(host).folder / "upper" / path.relative_to("/")
    assert list(beneath.iterdir()) == [], "files lie under the mount point"
    if disk in machine(host).detached():
        assert not shell.mount_point(str(path)).exists
        assert shell.run(f"touch {path}/file").failed, "root can write under an absent disk"
        return
    assert shell.mount_point(str(path)).exists
    assert shell.mount_point(str(path)).filesystem == FSTYPES.get(disk, "xfs")
    if disk.startswith("temp"):
        assert (shell.file(str(path)).user, shell.file(str(path)).mode) == ("goplot", 0o700)
    else:
        plots, logs = (shell.file(f"{path}/{name}") for name in ("plots", "logs"))
        assert (plots.user, plots.group, plots.mode) == ("goplot", "chia", 0o2750)
        assert (logs.user, logs.group, logs.mode) == ("goplot", "goplot", 0o750)


@pytest.mark.parametrize("host", ["farmer1", "plotter1", "harvester1"])
def test_no_unit_failed_but_the_mounts_of_absent_disks(
    ssh: Ssh, machine: ToMachine, host: str
) -> None:
    listed = (
        ssh(host).check_output("systemctl list-units --failed --plain --no-legend").splitlines()
    )
    failed = {line.split()[0] for line in listed}
    absent = {
        ssh(host).check_output(f"systemd-escape --path --suffix=mount {DISKS[host][disk]}")
        for disk in machine(host).detached()
    }
    assert failed <= absent


@pytest.mark.parametrize("host", ["farmer1", "plotter1", "harvester1"])
def test_an_absent_disk_delays_no_boot(ssh: Ssh, host: str) -> None:
    jobs = ssh(host).check_output("systemctl list-jobs --plain --no-legend").split()
    assert [word for word in jobs if word.endswith((".mount", ".device", ".target"))] == []
    monotonic = "systemctl show -p ActiveEnterTimestampMonotonic --value multi-user.target"
    kernel = "systemctl show -p UserspaceTimestampMonotonic --value"
    microseconds = int(ssh(host).check_output(monotonic)) - int(ssh(host).check_output(kernel))
    assert microseconds < 30e6


@pytest.mark.parametrize(
    ("host", "unit"),
    [
        ("farmer1", "prometheus.service"),
        ("farmer1", "prometheus-alertmanager.service"),
        ("farmer1", "goplot-summary.timer"),
        ("farmer1", "prometheus-node-exporter.service"),
        ("harvester1", "prometheus-node-exporter.service"),
        ("plotter1", "prometheus-node-exporter.service"),
        ("plotter1", "goplot-pacer.service"),
        ("plotter1", "goplot-diskhand.timer"),
        ("plotter1", "goplot-plotter-collector.timer"),
    ],
)
def test_a_service_runs_and_comes_back(ssh: Ssh, host: str, unit: str) -> None:
    assert ssh(host).service(unit).is_running
    assert ssh(host).service(unit).is_enabled


@pytest.mark.parametrize(
    ("host", "unit"),
    [
        ("farmer1", "prometheus.service"),
        ("farmer1", "prometheus-alertmanager.service"),
        ("farmer1", "prometheus-node-exporter.service"),
        ("plotter1", "goplot-pacer.service"),
        ("plotter1", "goplot-plot@1.service"),
        ("plotter1", "goplot-diskhand.service"),
        ("plotter1", "goplot-plotter-collector.service"),
    ],
)
def test_a_service_is_sandboxed(ssh: Ssh, host: str, unit: str) -> None:
    # --threshold counts tenths.
    ssh(host).run_expect([0], f"systemd-analyze security --no-pager --threshold=15 {unit}")
    assert ssh(host).check_output(f"systemctl show -p User --value {unit}") in (
        "goplot",
        "prometheus",
    )


def test_plots_are_made_in_every_farm_that_is_there(ssh: Ssh, machine: ToMachine) -> None:
    there = {
        disk: path
        for disk, path in DISKS["plotter1"].items()
        if not disk.startswith("temp") and disk not in machine("plotter1").detached()
    }

    # Within a farm, a disk that was away is filled first.
    farms = {path.parent for path in there.values()}

    def new_in_each() -> bool:
        paths = " ".join(f"{path}/plots" for path in there.values())
        found = ssh("plotter1").check_output(f"find {paths} -name '*.plot' -newer /run/new").split()
        return {Path(plot).parents[2] for plot in found} == farms

    ssh("plotter1").check_output("touch /run/new")
    wait_until("new plots in every farm", new_in_each, 120)
    for path in there.values():
        logs = ssh("plotter1").check_output(f"ls {path}/logs").split()
        assert any(log.startswith("plot.") and log.endswith(".log") for log in logs)


@pytest.mark.once
def test_chia_finds_proofs_in_every_plot(ssh: Ssh, machine: ToMachine) -> None:
    listed = ssh("plotter1").check_output("find /farm -name '*.plot'").split()
    folders = sorted({Path(plot).parent for plot in listed})
    found = proofs_found(machine("plotter1"), folders, 10)
    for plot in listed:
        assert found[Path(plot).name][1] == 10
    # One small plot may have no proof for ten challenges; ten plots have about a hundred.
    assert sum(proofs for proofs, _ in found.values()) >= len(listed)


def test_status_shows_where_everything_is(ssh: Ssh, machine: ToMachine) -> None:
    absent = machine("plotter1").detached()
    disks = {disk["disk"]: disk for disk in status(ssh)["disks"]}
    assert set(disks) == {"disk1", "disk2", "disk3"}
    for name, disk in disks.items():
        assert disk["mounted"] == (name not in absent)
        assert (disk["state"] == "not mounted") == (name in absent)
        assert disk["path"] == str(DISKS["plotter1"][name])
    text = ssh("plotter1").run("goplot status").stdout
    assert text.count("not mounted") >= len(absent)


def test_every_host_is_in_prometheus_under_its_name_and_groups(prometheus: Ask) -> None:
    # The package's own configuration, without groups, ran for a moment.
    up = {
        sample["metric"]["instance"]: (sample["metric"]["groups"], sample["value"][1])
        for sample in prometheus('up{job="node", groups!=""}')
    }
    assert up == {
        "farmer1": ("farmer", "1"),
        "harvester1": ("harvester", "1"),
        "plotter1": ("harvester,plotter", "1"),
    }


def test_the_numbers_reach_prometheus(prometheus: Ask, machine: ToMachine) -> None:
    absent = machine("plotter1").detached()
    expected = {name: "0" if name in absent else "1" for name in ("disk1", "disk2", "disk3")}

    def mounted() -> bool:
        samples = prometheus('goplot_disk_mounted{instance="plotter1"}')
        return {s["metric"]["disk"]: s["value"][1] for s in samples} == expected

    wait_until("the state of every disk in Prometheus", mounted, 150)
    wait_until(
        "finished plots in Prometheus",
        lambda: prometheus("goplot_plots_finished_total > 0") != [],
        150,
    )
    assert prometheus('node_textfile_scrape_error{instance="plotter1"} != 0') == []


def test_plots_come_from_the_plotting_version_and_farming_from_the_other(ssh: Ssh) -> None:
    version = "/opt/chia/{}/bin/python -c 'import importlib.metadata as m; {}'"
    show = 'print(m.version("chia-blockchain"))'
    assert ssh("plotter1").check_output(version.format("current", show)) == "2.7.5"
    assert ssh("plotter1").check_output(version.format("plotting", show)) == "2.7.4"
    assert ssh("harvester1").check_output(version.format("plotting", show)) == "2.7.5"


def test_goplot_manages_plot_jobs_and_no_other_unit(ssh: Ssh) -> None:
    as_goplot = "runuser -u goplot -- systemctl --no-ask-password"
    assert ssh("plotter1").run(f"{as_goplot} stop prometheus-node-exporter.service").failed
    assert ssh("plotter1").run(f"{as_goplot} stop goplot-pacer.service").failed
    assert ssh("plotter1").run(f"{as_goplot} stop goplot-plot@999999.service").succeeded


@pytest.mark.parametrize("host", ["farmer1", "plotter1", "harvester1"])
def test_nobody_but_chia_reads_chias_folder(ssh: Ssh, host: str) -> None:
    assert ssh(host).file("/var/lib/chia").mode == 0o700
    assert ssh(host).run("runuser -u goplot -- ls /var/lib/chia").failed
    keys = "find /var/lib/chia -name '*.key' -perm /077"
    assert ssh(host).check_output(keys) == ""


def test_a_plot_is_readable_for_the_harvester_and_for_no_stranger(ssh: Ssh) -> None:
    plot = ssh("plotter1").check_output("find /farm -name '*.plot'").split()[0]
    assert ssh("plotter1").run(f"runuser -u chia -- head -c 1 {plot}").succeeded
    assert ssh("plotter1").run(f"runuser -u nobody -- head -c 1 {plot}").failed
    assert ssh("plotter1").run(f"runuser -u chia -- sh -c 'echo >> {plot}'").failed


@pytest.mark.once
def test_a_value_that_nobody_tuned_follows_the_inventory(ssh: Ssh) -> None:
    plotter = ssh("plotter1")
    read = "cat /etc/chia/goplot/config/temp_plots_max.goplot"
    before = plotter.check_output("cat /etc/goplot/tunables.json")
    wanted = json.dumps({"goplot_tunables": {**json.loads(before), "temp_plots_max": 7}})
    done = play("default", "goplot.yml", "--limit", "plotter1", "-e", wanted)
    assert done.returncode == 0, done.stdout
    assert plotter.check_output(read) == "7"
    done = play("default", "goplot.yml", "--limit", "plotter1")
    assert done.returncode == 0, done.stdout
    assert plotter.run(read).failed
    assert plotter.check_output("cat /etc/goplot/tunables.json") == before


def test_the_logs_are_where_people_look_for_them(ssh: Ssh, hosts: HostSet) -> None:
    for name in ("goplot.log", "diskhand.log"):
        assert ssh("plotter1").file(f"/etc/chia/goplot/logs/{name}").size > 0
