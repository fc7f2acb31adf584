"""All series of a made farm: one farmer, then plotters and harvesters by turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.made_farm.farmer import farmer
from tests.made_farm.harvester import Harvester
from tests.made_farm.machine import machine
from tests.made_farm.plotter import Plotter, disks_of
from tests.made_farm.series import Series, Value, still, wave

_BUSY = {"farmer": 0.22, "plotter": 0.66, "harvester": 0.08}


@dataclass(frozen=True, slots=True)
class Host:
    """A host of the farm, and how Prometheus labels it."""

    name: str
    groups: str

    @property
    def labels(self) -> str:
        """As they stand in a series."""
        return f'job="node",instance="{self.name}",groups="{self.groups}"'


def hosts(count: int) -> list[Host]:
    """The farm's hosts; plotters have disks, so they are harvesters too."""
    found = [Host("farmer1", "farmer")]
    for number in range(1, count):
        kind = "plotter" if number % 2 else "harvester"
        groups = "harvester,plotter" if kind == "plotter" else kind
        found.append(Host(f"{kind}{(number + 1) // 2}", groups))
    return found


def series(count: int, disks: int, begin: float) -> Iterator[tuple[Host, Series]]:
    """Every series of so many hosts with so many disks each, with its host."""
    farm = hosts(count)
    plots: dict[str, Value] = {}
    for place, host in enumerate(farm):
        kind = host.name.rstrip("0123456789")
        busy = _BUSY[kind] * (0.85 + 0.05 * (place % 5))
        for one in machine(host.labels, place, busy, begin):
            yield host, one
        if kind == "farmer":
            continue
        on_disk = {disk: still(165 - 7 * (place % 3)) for disk in disks_of(disks)}
        if kind == "plotter":
            plotter = Plotter(host.name, host.labels, place, disks)
            on_disk = {disk: plotter.on_disk(disk) for disk in plotter.disks}
            for one in plotter.series(begin):
                yield host, one
        harvester = Harvester(host.labels, place, on_disk)
        plots[host.name] = harvester.plots
        for one in harvester.series(begin):
            yield host, one
        if kind == "harvester":
            for one in harvester.drives():
                yield host, one
    for one in (*farmer(farm[0].labels, plots, begin), *_own(farm[0].name, count)):
        yield farm[0], one


def _own(name: str, count: int) -> Iterator[Series]:
    """What Prometheus reports of itself."""
    labels = f'job="prometheus",instance="{name}"'
    yield Series("up", labels, still(1))
    yield Series("prometheus_tsdb_head_series", labels, wave(900.0 * count, 9, 5))
    for place, group in enumerate(("hosts", "farm", "harvesters", "plotting", "space", "disks")):
        path = f"/etc/prometheus/rules/{group}.yml;{group}"
        lasted = wave(4e-5 * count * (1 + place), 5e-6 * count, 3, place)
        seconds = "prometheus_rule_group_last_duration_seconds"
        yield Series(seconds, f'{labels},rule_group="{path}"', lasted)
