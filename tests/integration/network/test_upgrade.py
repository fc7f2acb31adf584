"""Chia is upgraded on all hosts at once, between two releases that do not work together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.hosts.machine import Machine
from tests.hosts.system import wait_until
from tests.integration.network.conftest import PLOTS

ToMachine = Callable[[str], Machine]

PROJECT = Path(__file__).parents[3]
SCENARIO = PROJECT / "molecule/network"
HOSTS = ("farmer1", *PLOTS)
OLD, NEW = "2.7.3", "2.7.5"
#: Three of mainnet's signage points, of which one comes every 9.375 s.
LOST_SECONDS = 30
WITHIN = 120
_LOG = "/var/lib/chia/simulator0/log/debug.log"


def play(version: str, on_failure: str = "go_on") -> tuple[int, str]:
    """Upgrade as a person does; returns the exit status and what was shown."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/chia.yml"]
    command += ["-i", str(SCENARIO / "inventory"), "-e", f"chia_version={version}"]
    command += ["-e", f"chia_upgrade_on_failure={on_failure}"]
    command += ["--vault-password-file", str(PROJECT / "tests/network/vault-password")]
    environment = {**os.environ, "ANSIBLE_CONFIG": "ansible.cfg", "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def versions(machine: ToMachine) -> dict[str, str]:
    """The version that each host farms with."""
    link = "/opt/chia/current"
    return {name: Path(machine(name).run("readlink", link).strip()).name for name in HOSTS}


def lookups(harvester: Machine) -> list[float]:
    """When the harvester looked its plots up, in seconds of its clock."""
    line = "eligible for farming"
    if harvester.host.name == "harvester1":
        command = f"journalctl -u chia-harvester -o short-unix --no-pager --grep '{line}'"
        return [float(text.split()[0]) for text in harvester.run("sh", "-c", command).splitlines()]
    times = harvester.run("sh", "-c", f"grep '{line}' {_LOG} | cut -c 1-23").splitlines()
    return sorted(datetime.fromisoformat(time).timestamp() for time in times)


def await_lookups(machine: ToMachine, *names: str) -> None:
    """Wait until each of these harvesters looks up its plots again."""
    before = {name: len(lookups(machine(name))) for name in names}

    def looked_up() -> bool:
        return all(len(lookups(machine(name))) > before[name] + 2 for name in names)

    wait_until(f"lookups of {' and '.join(names)}", looked_up, WITHIN)


def switch_all(machine: ToMachine, version: str) -> None:
    """Have every host farm with a version, and each harvester look up again."""
    status, shown = play(version)
    assert status == 0, shown[-2000:]
    assert versions(machine) == dict.fromkeys(HOSTS, version)
    await_lookups(machine, *PLOTS)


def longest_pause(times: list[float]) -> float:
    """The longest time without a lookup, in seconds."""
    return max(later - earlier for earlier, later in pairwise(times))


@contextmanager
def broken(harvester: Machine, version: str) -> Iterator[None]:
    """A harvester whose service does not start in a version."""
    program = f"/opt/chia/{version}/bin/chia_harvester"
    harvester.run("mv", program, f"{program}.kept")
    try:
        yield
    finally:
        harvester.run("mv", f"{program}.kept", program)


def test_an_upgrade_between_protocols_loses_three_signage_points_at_most(
    machine: ToMachine, record_property: Callable[[str, object], None]
) -> None:
    # What is measured is the switch; the version is installed before it, while the farm farms.
    await_lookups(machine, *PLOTS)
    begin = {name: len(lookups(machine(name))) - 1 for name in PLOTS}
    switch_all(machine, OLD)
    lost = {}
    for name in PLOTS:
        times = lookups(machine(name))
        # The simulator pauses too, for each block.
        lost[name] = longest_pause(times[begin[name] :]) - longest_pause(times[: begin[name] + 1])
    record_property("lost_seconds", lost)
    assert max(lost.values()) <= LOST_SECONDS, lost


def test_a_harvester_that_fails_goes_back_and_the_others_farm_on(machine: ToMachine) -> None:
    with broken(machine("harvester1"), NEW):
        status, shown = play(NEW)
        assert status != 0
        assert "harvester1 is back at Chia 2.7.3, while the others went on" in shown
        assert versions(machine) == {"farmer1": NEW, "harvester1": OLD, "harvester2": NEW}
        await_lookups(machine, "harvester2")
    # It follows as soon as it can.
    switch_all(machine, NEW)


@pytest.mark.every_fault
def test_a_harvester_that_was_away_is_named_before_and_upgraded_when_it_returns(
    machine: ToMachine,
) -> None:
    away = machine("harvester2")
    away.cut_network(True)
    try:
        status, shown = play(OLD)
    finally:
        away.cut_network(False)
    assert status != 0
    named = shown.index("harvester2 keeps its version")
    assert named < shown.index("TASK [chia : Switch to the new version]")
    assert versions(machine) == {"farmer1": OLD, "harvester1": OLD, "harvester2": NEW}
    await_lookups(machine, "harvester1")
    switch_all(machine, OLD)


def restarts(machine: Machine) -> int:
    """How often the harvester was started since the host booted."""
    command = "journalctl -b -u chia-harvester --no-pager | grep -c 'Started chia-harvester'"
    return int(machine.run("sh", "-c", command))


def test_units_that_change_in_the_same_run_do_not_restart_chia_again(machine: ToMachine) -> None:
    harvester = machine("harvester2")
    before = restarts(harvester)
    # As if it were the unit of an earlier goplot.
    unit = "/etc/systemd/system/chia-harvester.service"
    harvester.run("sed", "-i", "s/^RestartSec=10/RestartSec=11/", unit)
    status, shown = play(NEW)
    assert status == 0, shown[-2000:]
    assert versions(machine) == dict.fromkeys(HOSTS, NEW)
    assert "RestartSec=10" in harvester.run("systemctl", "cat", "chia-harvester")
    assert restarts(harvester) == before + 1


def test_all_go_back_if_the_owner_wants_all_or_none(machine: ToMachine) -> None:
    with broken(machine("harvester2"), OLD):
        status, shown = play(OLD, "all_back")
        assert status != 0
        assert "Chia does not answer in its new version on harvester2: all hosts" in shown
        assert versions(machine) == dict.fromkeys(HOSTS, NEW)
        await_lookups(machine, *PLOTS)
