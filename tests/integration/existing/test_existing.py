"""A machine that was a farm before goplot: its disks are used as they are.

`python -m tests.tools.existing` prepares and deploys it. Chia itself is not installed there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts.machine import Machine
from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
ToMachine = Callable[[str], Machine]
FOLDER = Path(__file__).parent
PROJECT = FOLDER.parents[2]
EARLIER = f"plot-k18-2020-01-01-00-00-{'11' * 32}.plot"


def disks(ssh: Ssh) -> dict[str, dict[str, Any]]:
    answer = json.loads(ssh("old1").run("goplot disks --json").stdout)
    return {disk["disk"]: disk for disk in answer}


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/farm/1/disk1", {"ext4"}),
        ("/farm/1/disk2", {"fuseblk", "ntfs3"}),
        ("/farm/2/pool", {"fuse.mergerfs"}),
        ("/farm/2/old", {"ext4"}),
        ("/plot_temp/1", {"ext4"}),
        ("/plot_temp/9", {"tmpfs"}),
    ],
)
def test_every_kind_of_disk_is_mounted_and_goplot_writes_there(
    ssh: Ssh, path: str, kinds: set[str]
) -> None:
    assert ssh("old1").mount_point(path).filesystem in kinds
    folders = [path] if path.startswith("/plot_temp") else [f"{path}/plots", f"{path}/logs"]
    for folder in folders:
        ssh("old1").check_output(f"runuser -u goplot -- sh -c 'touch {folder}/x && rm {folder}/x'")


def test_plots_are_made_on_every_kind_of_disk_with_second_files_in_memory(ssh: Ssh) -> None:
    def everywhere() -> bool:
        found = ssh("old1").check_output("find /farm/*/*/plots -name '*.plot'").split()
        return {plot.split("/")[3] for plot in found} == {"disk1", "disk2", "pool", "old"}

    wait_until("a plot on every disk", everywhere, 120)
    ssh("old1").check_output("goplot set on_toggle stop")
    # The plotter lists its second folder.
    ssh("old1").check_output("grep -q '^second.tmp$' /farm/*/*/logs/plot.*.log")
    wait_until(
        "the end of the plots",
        lambda: ssh("old1").check_output("ls /plot_temp/9; ls /plot_temp/1").split() == [],
        60,
    )


def test_plots_of_before_are_counted(ssh: Ssh) -> None:
    ssh("old1").check_output("goplot diskhand")
    counted = json.loads(ssh("old1").check_output("cat /var/lib/goplot/plots.json"))
    in_plots = ssh("old1").check_output("ls /farm/1/disk1/plots").split()
    assert ssh("old1").file(f"/farm/1/disk1/{EARLIER}").exists
    assert counted["/farm/1/disk1"] == len(in_plots) + 1


def test_a_prometheus_of_the_owner_is_left_alone_and_handed_its_files(ssh: Ssh) -> None:
    host = ssh("old1")
    assert host.service("mine").is_running
    mine = "scrape_configs: [{job_name: mine}]"
    assert host.check_output("cat /etc/prometheus/prometheus.yml") == mine
    assert not host.package("prometheus").is_installed
    folder = "/etc/goplot/handover"
    jobs = yaml.safe_load(host.check_output(f"cat {folder}/prometheus/scrape_configs.yml"))
    (job,) = jobs["scrape_configs"]
    assert job["static_configs"][0]["targets"] == ["10.77.24.11:9100"]
    assert "plotting.yml" in host.check_output(f"ls {folder}/prometheus/rules").split()
    assert "goplot-farm.json" in host.check_output(f"ls {folder}/grafana/dashboards").split()
    assert host.file(f"{folder}/grafana/datasource.yaml").mode == 0o600


def test_a_configuration_that_goplot_replaced_is_kept(ssh: Ssh) -> None:
    kept = "cat /etc/default/prometheus-node-exporter.before-goplot"
    assert ssh("old1").check_output(kept) == 'ARGS="--collector.systemd"'
    # That of nobody else is copied.
    assert ssh("old1").check_output("find / -xdev -name '*.before-goplot' | wc -l") == "1"


def test_preflight_names_what_is_there_with_the_choice(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    shutil.copytree(FOLDER / "inventory", inventory)
    file = inventory / "host_vars/old1.yml"
    lines = file.read_text(encoding="utf-8").splitlines()
    undecided = [line for line in lines if "_install:" not in line]
    file.write_text("\n".join(undecided), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "-i", str(inventory), str(PROJECT / "playbooks/preflight.yml")],
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    text = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "prometheus_install is not set, and port 9090 is in use by python3" in text
    assert "Nothing was changed on any host." in text
    # goplot's own.
    assert "node_exporter_install" not in text


def test_fstab_is_as_it_was(ssh: Ssh) -> None:
    units = ssh("old1").check_output("ls /etc/systemd/system/*.mount").split()
    names = {unit.rpartition("/")[2] for unit in units}
    assert names == {
        "farm-1-disk2.mount",
        "farm-2-old.mount",
        "plot_temp-1.mount",
        "plot_temp-9.mount",
    }


def test_nothing_is_written_where_the_disk_of_a_folder_is_absent(
    ssh: Ssh, machine: ToMachine
) -> None:
    machine("old1").unplug("nvme")
    machine("old1").stop()
    machine("old1").start()
    for path in ("/plot_temp/1", "/farm/2/old"):
        assert not ssh("old1").mount_point(path).exists
        assert ssh("old1").run(f"touch {path}/x").failed, "root can write under an absent disk"
    assert not ssh("old1").file("/mnt/nvme/plot_temp").exists, "a folder was made in its place"
    # Those of fstab by UUID wait for udev, which no test host has.
    mounted = {name for name, one in disks(ssh).items() if one["state"] != "not mounted"}
    assert "disk2" in mounted
    assert "old" not in mounted
    assert ssh("old1").check_output("stat -c '%U %a' /plot_temp/9") == "goplot 700"
