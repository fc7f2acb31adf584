"""Each fault of a real farm raises its alert, and no other, through Alertmanager to a webhook.

Time goes six times as fast meanwhile (tests/network/fast.py). Two faults are fakes, for these hosts
share the clock of their machine, and Chia calls its simulator synced whatever happens:
tests/network/moved_clock.py and tests/network/node.py stand in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts.machine import Machine
from tests.hosts.system import wait_until
from tests.network.fast import fast
from tests.network.faults import FAULTS

ToMachine = Callable[[str], Machine]
Ask = Callable[[str], list[dict[str, Any]]]

FILE = "/var/lib/webhook"
HOSTS = ("farmer1", "harvester1", "harvester2")
# What these hosts raise as they are: nothing sets the clock of a container, and the farm farms
# a block every few minutes.
ALWAYS = {"HostClockNotSynchronised", "BlockFarmed"}
WITHIN = 300
_VARIABLES = Path(__file__).parents[3] / "molecule/network/inventory/group_vars/all/main.yml"


@dataclass(frozen=True)
class Received:
    """An alert as the webhook received it."""

    name: str
    labels: dict[str, str]
    summary: str
    firing: bool


# What make test sees of FAULTS; make soak sees all of them.
FEW = ("a harvester is stopped", "a tunable has a bad value")


@pytest.fixture(scope="module")
def token() -> str:
    """What the webhook asks for."""
    variables = yaml.safe_load(_VARIABLES.read_text(encoding="utf-8"))
    return str(variables["alertmanager_receivers"][0]["webhook"]["token"])


@pytest.fixture(scope="module", autouse=True)
def _time_goes_fast(machine: ToMachine) -> Iterator[None]:
    with fast(machine("farmer1"), [machine(name) for name in HOSTS]):
        yield


def received(machine: ToMachine) -> list[Received]:
    """All alerts that the webhook received, in order."""
    lines = machine("farmer1").run("sh", "-c", f"cat {FILE} 2>/dev/null || true").splitlines()
    return [
        Received(
            alert["labels"]["alertname"],
            alert["labels"],
            alert["annotations"]["summary"],
            alert["status"] == "firing",
        )
        for line in lines
        for alert in json.loads(line)["alerts"]
    ]


def raised(prometheus: Ask, state: str) -> set[tuple[str, str]]:
    """Alert and host of what Prometheus raises now, but for ALWAYS."""
    samples = prometheus(f'ALERTS{{alertstate=~"{state}"}}')
    found = {(one["metric"]["alertname"], one["metric"].get("instance", "")) for one in samples}
    return {(name, host) for name, host in found if name not in ALWAYS}


def test_the_daily_summary_is_sent(machine: ToMachine) -> None:
    before = len(received(machine))
    machine("farmer1").run("systemctl", "start", "goplot-summary")

    def summaries() -> list[Received]:
        return [one for one in received(machine)[before:] if one.name == "DailySummary"]

    wait_until("the summary at the webhook", lambda: summaries() != [], WITHIN)
    assert summaries()[0].labels["instance"] == "farmer1"
    assert re.match(r"The farm's day: \d+ plots? made, ", summaries()[0].summary)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every fault takes a minute: without --every-fault a few of them have to do."""
    if "name" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-fault")
        metafunc.parametrize("name", list(FAULTS) if every else FEW)


def test_a_fault_raises_exactly_its_alert_which_is_over_with_it(
    machine: ToMachine, prometheus: Ask, name: str
) -> None:
    fault = FAULTS[name]
    wait_until("a farm that is well", lambda: not raised(prometheus, "firing|pending"), WITHIN)
    before = len(received(machine))

    def of_this(firing: bool) -> list[Received]:
        return [
            one
            for one in received(machine)[before:]
            if one.name == fault.alert
            and fault.labels.items() <= one.labels.items()
            and one.firing == firing
        ]

    try:
        fault.start(machine)
        wait_until(f"{name}: {fault.alert} at the webhook", lambda: of_this(True) != [], WITHIN)
        # Whatever else this fault may raise has time to do so.
        wait_until("no alert pends", lambda: not raised(prometheus, "pending"), 2 * WITHIN)
    finally:
        fault.stop(machine)
    wait_until(f"{name}: resolved", lambda: of_this(False) != [], WITHIN)
    wait_until("a farm that is well", lambda: not raised(prometheus, "firing|pending"), WITHIN)
    all_received = {
        (one.name, one.labels.get("instance"))
        for one in received(machine)[before:]
        if one.firing and one.name not in ALWAYS
    }
    assert all_received == {(fault.alert, fault.labels["instance"])}
    assert fault.labels["instance"] in of_this(True)[0].summary


def test_nobody_is_shown_the_token_of_a_receiver(machine: ToMachine, token: str) -> None:
    as_nobody = ("runuser", "-u", "nobody", "--")
    ask = (
        "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9093/api/v2/status').read())"
    )
    shown = machine("farmer1").run(*as_nobody, "python3", "-c", ask)
    assert "webhook_configs" in shown
    assert token not in shown
    configuration = "/etc/goplot/alertmanager.yml"
    assert token in machine("farmer1").run("cat", configuration)
    assert machine("farmer1").run(*as_nobody, "cat", configuration, check=False) == ""
