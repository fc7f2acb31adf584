"""What the tests of deployed hosts share. They reach the hosts as a person would, over SSH."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import testinfra

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet, load
from tests.panels.ask import Prometheus
from tests.panels.check import Panel, look_at_all


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--hosts-file", type=Path, help="hosts.toml of the hosts under test")
    parser.addoption(
        "--every-fault", action="store_true", help="raise the alerts of all faults, not of a few"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what takes minutes and is marked for --every-fault, without that option."""
    if config.getoption("--every-fault"):
        return
    long = [item for item in items if item.get_closest_marker("every_fault")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Report which tests are over, and their figures: Ansible shows them at the end."""
    file = os.environ.get("TESTS_PROGRESS")
    if file and (report.when == "call" or not report.passed):
        figures = "".join(f", {name}: {value}" for name, value in report.user_properties)
        line = f"{report.outcome:<7} {report.duration:6.1f} s  {report.nodeid}{figures}\n"
        with Path(file).open("a", encoding="utf-8") as progress:
            progress.write(line)


@pytest.fixture(scope="session")
def hosts(request: pytest.FixtureRequest) -> HostSet:
    return load(request.config.getoption("--hosts-file"))


@pytest.fixture(scope="session")
def ssh(hosts: HostSet) -> Callable[[str], Any]:
    """A testinfra host by its name."""
    config = str(hosts.state / "ssh/config")
    return cache(lambda name: testinfra.get_host(f"ssh://{name}", ssh_config=config))


@pytest.fixture(scope="session")
def machine(hosts: HostSet) -> Callable[[str], Machine]:
    """The machine under a host, to pull its disks and its power."""
    return lambda name: Machine(hosts, hosts.host(name))


@pytest.fixture(scope="session")
def prometheus(hosts: HostSet) -> Callable[[str], list[dict[str, Any]]]:
    """Instant query of the farm's Prometheus: its result vector."""
    address = hosts.hosts[0].address

    def ask(query: str) -> list[dict[str, Any]]:
        url = f"http://{address}:9090/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return result

    return ask


@pytest.fixture
def panels(hosts: HostSet) -> Callable[[], list[Panel]]:
    """Every panel of every dashboard, asked of the farm's Prometheus as Grafana would now."""
    return partial(look_at_all, Prometheus(f"http://{hosts.hosts[0].address}:9090"))
