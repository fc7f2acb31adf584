"""The demo's farm: its hosts and its Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet, load
from tests.panels.ask import Prometheus, RefusedError

HOSTS_FILE = Path("tests/demo/hosts.toml")


class DemoError(Exception):
    """The demo can't go on; the message says why and where to look."""


@dataclass(frozen=True)
class Farm:
    """The demo's hosts."""

    hosts: HostSet

    def machine(self, name: str) -> Machine:
        """One of them."""
        return Machine(self.hosts, self.hosts.host(name))

    def url(self, port: int) -> str:
        """Where a service of the farmer answers."""
        return f"http://{self.hosts.host('farmer1').address}:{port}"

    @cached_property
    def prometheus(self) -> Prometheus:
        """The farm's own."""
        return Prometheus(self.url(9090))

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Instant query of Prometheus: its result vector, empty while it does not answer."""
        try:
            return self.prometheus.ask("query", query=query)
        except (OSError, RefusedError):
            return []


def demo_farm() -> Farm:
    """The demo's farm, running or not. Raises SpecError."""
    return Farm(load(HOSTS_FILE))


def running_farm() -> Farm:
    """The demo's farm. Raises DemoError unless it runs."""
    farm = demo_farm()
    if not farm.ask("up"):
        raise DemoError(f"no Prometheus answers at {farm.url(9090)}: run make demo first")
    return farm
