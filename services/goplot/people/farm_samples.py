"""What this host knows of the farm: from Chia where it may be asked, else from the collectors."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from goplot.host import clock
from goplot.host.settings import Settings
from goplot.host.textfile import Metrics, Samples, read_samples

#: Metrics older than this many seconds are from a collector that does not run.
OLD_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Farm:
    """All samples of this host about the farm; `old` holds by source the age of what is old."""

    samples: Samples
    old: dict[str, float] = field(default_factory=dict)

    def value(self, name: str, **labels: str) -> float | None:
        """The value of a sample whose labels include these; None if there is none."""
        for found, value in self.samples.get(name, []):
            if labels.items() <= found.items():
                return value
        return None

    def total(self, name: str) -> float | None:
        """The sum of a family; None if it has no sample."""
        values = [value for _, value in self.samples.get(name, [])]
        return sum(values) if values else None

    def chosen(self, name: str, label: str) -> str | None:
        """The label of the one sample of a family that is 1."""
        for found, value in self.samples.get(name, []):
            if value == 1:
                return found.get(label)
        return None

    def labels(self, name: str, label: str) -> list[str]:
        """All values of a label in a family."""
        return sorted({found[label] for found, _ in self.samples.get(name, []) if label in found})


def read_farm(settings: Settings) -> Farm:
    """Query Chia if its certificates can be read, otherwise read what the collectors wrote.

    Raises OSError if there is no data of a farm on this host.
    """
    samples: Samples = {}
    old: dict[str, float] = {}
    for name, ask in _sources(settings).items():
        path = settings.roots.textfiles / f"{name}.prom"
        try:
            found = read_samples(path.read_bytes().decode() if ask is None else ask().render())
            age = 0.0 if ask else clock.seconds_since(path.stat().st_mtime, clock.now())
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise OSError(f"{path} is not in Prometheus' text format: {error}") from error
        # Some families have samples of more than one source.
        for family, entries in found.items():
            samples.setdefault(family, []).extend(entries)
        if age > OLD_SECONDS:
            old[name] = age
    if not samples:
        raise OSError(
            f"nothing of a farm is known here: {settings.path} has no collector that ran, "
            f"and {settings.roots.textfiles} holds none of its metrics"
        )
    return Farm(samples, old)


def _sources(settings: Settings) -> dict[str, Callable[[], Metrics] | None]:
    """By textfile, the query that replaces it; None if there is only the textfile."""
    from goplot.chia.rpc import certificates_of

    sources: dict[str, Callable[[], Metrics] | None] = {"goplot_harvester_log": None}
    farmer, harvester = settings.farmer_collector, settings.harvester_collector
    sources["goplot_farmer"] = sources["goplot_harvester"] = None
    certificates = certificates_of(settings.chia.root, "farmer")
    if farmer is not None and os.access(certificates.key, os.R_OK):
        from goplot.collectors import farmer as farmer_collector
        from goplot.collectors.harvester_names import names_path, read_names

        asked, given = farmer, certificates
        known = read_names(names_path(settings.roots.state))
        sources["goplot_farmer"] = lambda: farmer_collector.collect(asked, given, known)[0]
    certificates_there = certificates_of(settings.chia.root, "harvester")
    if harvester is not None and os.access(certificates_there.key, os.R_OK):
        from goplot.collectors import harvester as harvester_collector

        asked_there = harvester
        sources["goplot_harvester"] = lambda: harvester_collector.collect(
            settings, asked_there, certificates_there
        )
    return sources
