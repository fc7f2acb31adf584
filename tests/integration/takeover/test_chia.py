"""A Chia that goplot did not install: refused without a choice, taken over, given back, left alone.

The tests run in order: each deploys onto what the one before has left.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
TOP = Path(__file__).parents[3]
OLD = "/home/alice/.chia/mainnet"
ROOT = "/var/lib/chia/mainnet"
DATABASE = "db/blockchain_v2_mainnet.sqlite"
PLAYS = ("preflight", "base", "farm_layout", "chia", "goplot", "watch")


def deploy(*options: str, plays: tuple[str, ...] = PLAYS) -> subprocess.CompletedProcess[str]:
    """The plays of site.yml that concern Chia."""
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        f"--inventory={TOP}/molecule/takeover/inventory",
        *options,
        *(f"playbooks/{name}.yml" for name in plays),
    ]
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "false", "ANSIBLE_NOCOLOR": "true"}
    return subprocess.run(
        command, cwd=TOP, env=environment, capture_output=True, text=True, check=False
    )


def adopt(*options: str) -> subprocess.CompletedProcess[str]:
    return deploy("--extra-vars=chia_existing=adopt goplot_existing=adopt", *options)


def running(ssh: Ssh, host: str) -> dict[str, str]:
    """The user of each service of Chia, by its name."""
    lines = ssh(host).check_output("ps -eo user:20,args").splitlines()
    found = (line.split() for line in lines)
    return {
        words[1]: words[0]
        for words in found
        if words[1:] and len(words) == 2 and words[1].startswith("chia_")
    }


def fingerprint(ssh: Ssh, user: str, program: str, environment: str = "") -> str:
    command = f"runuser -u {user} -- env {environment} {program} keys show"
    lines = ssh("farm1").check_output(command).splitlines()
    return str(next(line for line in lines if line.startswith("Fingerprint")))


@pytest.fixture(scope="module")
def before(ssh: Ssh) -> dict[str, str]:
    """What must not change: the database's file, the key."""
    return {
        "inode": ssh("farm1").check_output(f"stat -c %i {OLD}/{DATABASE}"),
        "key": fingerprint(ssh, "alice", "/opt/old/venv/bin/chia", "HOME=/home/alice"),
    }


def test_without_a_choice_all_is_named_and_nothing_changes(
    ssh: Ssh, before: dict[str, str]
) -> None:
    there = running(ssh, "farm1"), running(ssh, "harvester1")
    assert set(there[0].values()) == {"alice"}
    assert there[1] == {"chia_daemon": "bob", "chia_harvester": "bob"}
    done = deploy()
    assert done.returncode != 0
    for word in ("chia_full_node of alice", "crontab of alice", OLD, "adopt", "leave"):
        assert word in done.stdout
    for word in ("goplot.sh (process", "harvesterlog.sh (process", "diskhand.sh' in the crontab"):
        assert word in done.stdout
    for word in ("unit chia-harvester.service", "/home/bob/.chia/mainnet"):
        assert word in done.stdout
    assert "changed=0" in done.stdout
    assert (running(ssh, "farm1"), running(ssh, "harvester1")) == there
    assert not ssh("farm1").exists("/var/lib/chia")


def test_a_chia_is_taken_over(ssh: Ssh, before: dict[str, str]) -> None:
    done = adopt()
    assert done.returncode == 0, done.stdout[-4000:]
    assert set(running(ssh, "farm1").values()) == {"chia"}
    assert running(ssh, "harvester1") == {"chia_daemon": "chia", "chia_harvester": "chia"}
    farm1 = ssh("farm1")
    assert farm1.check_output(f"stat -c %i {ROOT}/{DATABASE}") == before["inode"]
    assert not farm1.file(OLD).exists
    environment = f"CHIA_ROOT={ROOT} CHIA_KEYS_ROOT=/var/lib/chia/keys"
    program = "/opt/chia/current/bin/chia"
    assert fingerprint(ssh, "chia", program, environment) == before["key"]
    assert "# ended by goplot: @reboot" in farm1.check_output("crontab -l -u alice")
    harvester1 = ssh("harvester1")
    assert harvester1.mount_point(ROOT).exists
    assert harvester1.file("/etc/goplot/adopted/chia-harvester.service").contains("User=bob")
    assert harvester1.check_output(f"grep -A4 plot_directories: {ROOT}/config/config.yaml").count(
        "- /mnt"
    )


def test_it_answers_goplots_collectors(ssh: Ssh) -> None:
    for host, name in (("farm1", "farmer"), ("harvester1", "harvester")):
        metric = f"/var/lib/prometheus/node-exporter/goplot_{name}.prom"
        ssh(host).check_output(f"systemctl start goplot-{name}-collector.service")
        up = ssh(host).check_output(f"grep -h '^chia_.*_up' {metric}").splitlines()
        assert up
        assert all(line.endswith(" 1.0") for line in up), up


def test_a_second_run_changes_nothing(ssh: Ssh) -> None:
    done = adopt()
    assert done.returncode == 0, done.stdout[-4000:]
    recap = [line for line in done.stdout.splitlines() if "unreachable=" in line]
    assert all("changed=0" in line for line in recap), done.stdout[-4000:]


def test_a_taken_over_chia_comes_back_after_a_reboot(ssh: Ssh, machine: Any) -> None:
    machine("harvester1").stop()
    machine("harvester1").start()
    wait_until("its services", lambda: len(running(ssh, "harvester1")) == 2, 300)
    assert ssh("harvester1").mount_point(ROOT).exists


def test_the_way_back_gives_it_back(ssh: Ssh, before: dict[str, str]) -> None:
    ssh("farm1").check_output("/etc/goplot/adopted/way-back")
    ssh("harvester1").check_output("/etc/goplot/adopted/way-back")
    assert ssh("farm1").check_output(f"stat -c %i {OLD}/{DATABASE}") == before["inode"]
    assert ssh("farm1").file(f"{OLD}/{DATABASE}").user == "alice"
    assert ssh("harvester1").file("/home/bob/.chia/mainnet/config/config.yaml").user == "bob"
    wait_until(
        "bob's harvester",
        lambda: running(ssh, "harvester1") == {"chia_daemon": "bob", "chia_harvester": "bob"},
        300,
    )
    ssh("farm1").check_output("runuser -l alice -c /home/alice/farm.sh")
    wait_until("alice's farm", lambda: len(running(ssh, "farm1")) == 5, 300)
    key = fingerprint(ssh, "alice", "/opt/old/venv/bin/chia", "HOME=/home/alice")
    assert key == before["key"]


def test_a_chia_is_left_and_monitored(ssh: Ssh) -> None:
    there = running(ssh, "farm1"), running(ssh, "harvester1")
    homes = "{{ {'farm1': '/home/alice', 'harvester1': '/home/bob'}[inventory_hostname] }}"
    choices = {"chia_existing": "leave", "chia_root": f"{homes}/.chia/mainnet"}
    leave = json.dumps({"goplot_existing": "adopt", **choices})
    done = deploy("--extra-vars", leave)
    assert done.returncode == 0, done.stdout[-4000:]
    assert (running(ssh, "farm1"), running(ssh, "harvester1")) == there
    assert not ssh("farm1").file("/etc/systemd/system/chia-farmer.service").exists
    unit = ssh("harvester1").file("/etc/systemd/system/chia-harvester.service")
    assert unit.contains("User=bob")
    test_it_answers_goplots_collectors(ssh)
    assert ssh("farm1").service("goplot-harvester-log.service").is_running
    wait_until(
        "alice's log is read",
        lambda: (
            ssh("farm1")
            .run(
                "grep -qx 'goplot_harvester_log_up 1.0' "
                "/var/lib/prometheus/node-exporter/goplot_harvester_log.prom"
            )
            .succeeded
        ),
        300,
    )
