"""A farm on a closed Chia network: it farms, and whatever stops it is seen within two minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.hosts.machine import Machine
from tests.hosts.system import wait_until
from tests.integration.network.conftest import PLOTS

Ssh = Callable[[str], Any]
ToMachine = Callable[[str], Machine]
Ask = Callable[[str], list[dict[str, Any]]]

WITHIN = 120
UNITS = {
    "farmer1": ["chia-daemon", "chia-full-node", "chia-farmer", "chia-wallet"],
    "harvester1": ["chia-daemon", "chia-harvester"],
    "harvester2": ["chia-daemon", "chia-harvester"],
}
WATCHES = {
    "farmer1": ["goplot-harvester-log", "goplot-farmer-collector"],
    "harvester1": ["goplot-harvester-log", "goplot-harvester-collector"],
    "harvester2": ["goplot-harvester-log", "goplot-harvester-collector"],
}


def farm(ssh: Ssh) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ssh("farmer1").run("goplot farm --json").stdout)
    return answer


def test_each_service_of_chias_runs_where_it_belongs(ssh: Ssh) -> None:
    for host, units in UNITS.items():
        for unit in units:
            assert ssh(host).service(unit).is_running
            assert ssh(host).service(unit).is_enabled
        listed = ssh(host).check_output("systemctl list-unit-files 'chia-*' --no-legend --plain")
        assert {line.split()[0] for line in listed.splitlines()} == {f"{u}.service" for u in units}


def test_each_unit_is_sandboxed_and_runs_as_its_own_user(ssh: Ssh) -> None:
    users = {"chia": "chia", "goplot-harvester-log": "goplot-log"}
    for host, units in UNITS.items():
        for unit in units + WATCHES[host]:
            # --threshold counts tenths.
            security = f"systemd-analyze security --no-pager --threshold=15 {unit}.service"
            ssh(host).run_expect([0], security)
            user = users.get(unit, users.get(unit.split("-")[0], "goplot-collector"))
            assert ssh(host).check_output(f"systemctl show -p User --value {unit}") == user


def test_goplot_farm_shows_both_harvesters_with_their_plots(ssh: Ssh) -> None:
    # One plots, too.
    find = "find /farm -name '*.plot'"
    expected = {host: len(ssh(host).check_output(find).split()) for host in PLOTS}
    assert all(expected[host] >= sum(disks.values()) for host, disks in PLOTS.items())

    def shown() -> bool:
        found = {row["harvester"]: (row["state"], row["plots"]) for row in farm(ssh)["harvesters"]}
        return found == {host: ("connected", plots) for host, plots in expected.items()}

    wait_until("both harvesters with their plots", shown, WITHIN)
    wait_until("the farm farms", lambda: farm(ssh)["status"] == "farming", WITHIN)


@pytest.mark.parametrize("host", PLOTS)
def test_eligible_plots_of_both_harvesters_reach_prometheus(prometheus: Ask, host: str) -> None:
    query = f'increase(chia_harvester_eligible_plots_total{{instance="{host}"}}[1m]) > 0'
    wait_until("eligible plots in Prometheus", lambda: prometheus(query) != [], WITHIN)


def test_harvester_log_reads_journald_where_chia_logs_there(ssh: Ssh) -> None:
    log = "/var/lib/chia/simulator0/log/debug.log"
    groups = "systemctl show -p SupplementaryGroups --value goplot-harvester-log"
    assert ssh("harvester1").check_output(groups) == "goplot systemd-journal"
    ssh("harvester1").run_expect([0], f"test ! -s {log}")
    assert ssh("harvester2").check_output(groups) == "goplot chia"
    ssh("harvester2").run_expect([0], f"test -s {log}")


def test_a_block_is_farmed_and_seen(prometheus: Ask) -> None:
    # The node reports the block of the farm's own proof, the wallet the reward. A
    # small plot has a proof for one signage point in twenty or so.
    def seen(query: str) -> bool:
        return prometheus(query) != []

    for query in (
        'chia_full_node_farmed_blocks_total{instance="farmer1"} > 0',
        'chia_farmed_blocks{instance="farmer1"} > 0',
        'chia_farmed_mojo{instance="farmer1"} > 0',
    ):
        wait_until(query, partial(seen, query), 2 * WITHIN)


@dataclass(frozen=True)
class Fault:
    """Something that stops a part of the farm: how it begins, shows and ends."""

    host: str
    begin: str
    end: str
    shows: tuple[str, ...]
    well: tuple[str, ...]


def connected(host: str, value: int) -> str:
    return f'chia_farmer_harvester_connected{{instance="farmer1",harvester="{host}"}} == {value}'


def status(name: str) -> str:
    return f'chia_farming_status{{instance="farmer1",status="{name}"}} == 1'


# systemd mounts a disk again with the next timer that goes off, for every service wants the disks.
HELD = "/run/systemd/system/farm-2-disk12.mount.d"
FAULTS = {
    "a harvester is stopped": Fault(
        "harvester1",
        "systemctl stop chia-harvester",
        "systemctl start chia-harvester",
        (connected("harvester1", 0), 'chia_harvester_up{instance="harvester1"} == 0'),
        (connected("harvester1", 1), 'chia_harvester_up{instance="harvester1"} == 1'),
    ),
    "a harvester is cut off": Fault(
        "harvester2",
        "ip link set host0 down",
        "ip link set host0 up",
        # Chia's farmer gives up a connection that went dead after a minute and a half and more.
        ('up{instance="harvester2",groups!=""} == 0',),
        (connected("harvester2", 1), 'up{instance="harvester2",groups!=""} == 1'),
    ),
    "a disk is unmounted": Fault(
        "harvester1",
        f"mkdir -p {HELD}; printf '[Unit]\nConditionPathExists=/held\n' > {HELD}/held.conf; "
        "systemctl daemon-reload; umount /farm/2/disk12",
        f"rm -r {HELD}; systemctl daemon-reload",
        (
            'goplot_harvester_disk_mounted{instance="harvester1",disk="disk12"} == 0',
            'chia_farmer_harvester_plots{instance="farmer1",harvester="harvester1"} == 2',
        ),
        (
            'goplot_harvester_disk_mounted{instance="harvester1",disk="disk12"} == 1',
            'chia_farmer_harvester_plots{instance="farmer1",harvester="harvester1"} == 4',
        ),
    ),
    "the full node is stopped": Fault(
        "farmer1",
        "systemctl stop chia-full-node",
        "systemctl start chia-full-node",
        ('chia_full_node_up{instance="farmer1"} == 0',),
        ('chia_full_node_up{instance="farmer1"} == 1', status("farming")),
    ),
    "the farmer hangs": Fault(
        "farmer1",
        "systemctl kill --kill-whom=main --signal=SIGSTOP chia-farmer",
        "systemctl kill --kill-whom=main --signal=SIGCONT chia-farmer",
        ('chia_farmer_up{instance="farmer1"} == 0', status("farmer_down")),
        (
            'chia_farmer_up{instance="farmer1"} == 1',
            status("farming"),
            connected("harvester1", 1),
            connected("harvester2", 1),
        ),
    ),
}


# Neither of the first two can hide the other: they are made at once, for each takes two minutes.
TOGETHER = (
    ("a harvester is stopped", "the full node is stopped"),
    ("a harvester is cut off",),
    ("a disk is unmounted",),
    ("the farmer hangs",),
)


def test_each_fault_has_its_turn() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(FAULTS)


@pytest.mark.parametrize("names", TOGETHER, ids=" and ".join)
def test_a_fault_is_seen_within_two_minutes_and_is_over_by_itself(
    machine: ToMachine, prometheus: Ask, names: tuple[str, ...]
) -> None:
    faults = {name: FAULTS[name] for name in names}

    def all_of(queries: tuple[str, ...]) -> Callable[[], bool]:
        return lambda: all(prometheus(query) != [] for query in queries)

    def await_all(what: str, queries: dict[str, tuple[str, ...]]) -> None:
        end = time.monotonic() + WITHIN
        for name, of_it in queries.items():
            wait_until(f"{name}: {what}", all_of(of_it), end - time.monotonic())

    for name, fault in faults.items():
        wait_until(f"before {name}: the farm is well", all_of(fault.well), 2 * WITHIN)
    try:
        for fault in faults.values():
            machine(fault.host).run("sh", "-c", fault.begin)
        await_all("seen in the metrics", {name: fault.shows for name, fault in faults.items()})
    finally:
        for fault in faults.values():
            machine(fault.host).run("sh", "-c", fault.end)
    await_all("over", {name: fault.well for name, fault in faults.items()})
