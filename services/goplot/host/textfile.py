"""Metrics in Prometheus' text format, for the textfile collector of node_exporter.

prometheus_client makes and reads the format. It is imported where it is used, for that takes longer
than most programs run.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from goplot.farm.names import shown
from goplot.host.files import write_whole
from goplot.metrics import family_of

if TYPE_CHECKING:
    from prometheus_client import Metric


class Metrics:
    """Collects samples of the catalogue's metrics and renders them."""

    def __init__(self) -> None:
        """No sample yet."""
        self._families: dict[str, Metric] = {}

    def add(self, name: str, value: float, **labels: str) -> None:
        """Add one sample.

        Raises KeyError for a name that the catalogue does not have, ValueError for other labels
        than it says.
        """
        from prometheus_client import Metric

        labels = {label: shown(text) for label, text in labels.items()}
        family = family_of(name)
        family.check(name, labels)
        if family.name not in self._families:
            # The text format names a counter with _total, the library without it.
            short = family.name.removesuffix("_total")
            self._families[family.name] = Metric(short, family.help, family.kind)
        self._families[family.name].add_sample(name, labels, value)

    def add_known(self, name: str, value: float | None, **labels: str) -> None:
        """Add one sample, unless its value is unknown."""
        if value is not None:
            self.add(name, value, **labels)

    def collect(self) -> "Iterator[Metric]":
        """The families that have samples: what prometheus_client asks a collector for."""
        return iter(self._families.values())

    def render(self) -> str:
        """The text; metrics without samples are not in it."""
        from prometheus_client import generate_latest

        return generate_latest(self).decode()

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.prom` atomically, readable by everybody. Raises OSError."""
        write_whole(folder / f"{name}.prom", self.render(), durable=False)


Samples = dict[str, list[tuple[dict[str, str], float]]]


def read_samples(text: str) -> Samples:
    """The samples of a text by name. Raises ValueError when it is not in Prometheus' format."""
    from prometheus_client.parser import text_string_to_metric_families

    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((dict(sample.labels), float(sample.value)))
    return samples
