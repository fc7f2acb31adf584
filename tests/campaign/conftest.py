"""The host of the campaign, deployed by `python -m tests.campaign`, and how much it has to bear."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.farm import Farm
from tests.hosts.machine import Machine
from tests.hosts.spec import load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plots", type=int, required=True, help="least number of plots to make")
    parser.addoption("--kills", type=int, required=True, help="least number of kills meanwhile")
    parser.addoption("--seed", type=int, required=True, help="seed of the random moments")


@pytest.fixture(scope="session")
def farm() -> Farm:
    hosts = load(Path(__file__).with_name("hosts.toml"))
    return Farm(Machine(hosts, hosts.host("plotter1")))
