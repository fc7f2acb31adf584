"""Metrics in Prometheus' text format, for the textfile collector of node_exporter.

prometheus_client makes and reads the format. It is imported where it is used, for that takes longer
than most programs run.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from goplot.host.files import write_whole

if TYPE_CHECKING:
    from prometheus_client import Metric


class Metrics:
    """Collects families of samples and renders them."""

    def __init__(self) -> None:
        """No family yet."""
        self._families: dict[str, Metric] = {}

    def family(self, name: str, kind: str, text: str) -> None:
        """Announce a family: its name, `gauge`, `counter`, `summary` or `histogram`, and help."""
        from prometheus_client import Metric

        # In the text format a counter's family name carries its _total, in the library it does not.
        self._families[name] = Metric(name.removesuffix("_total"), text, kind)

    def gauge(self, name: str, text: str, value: float) -> None:
        """A family of one sample without labels."""
        self.family(name, "gauge", text)
        self.sample(name, value)

    def sample(
        self, family: str, value: float, labels: Mapping[str, str] | None = None, suffix: str = ""
    ) -> None:
        """One sample of an announced family; `suffix` such as `_sum` for a summary's."""
        self._families[family].add_sample(family + suffix, dict(labels or {}), value)

    def collect(self) -> "Iterator[Metric]":
        """The families that have samples."""
        return (metric for metric in self._families.values() if metric.samples)

    def render(self) -> str:
        """The text, families without samples left out."""
        from prometheus_client import generate_latest

        return generate_latest(self).decode()

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.prom` whole, readable for all. Raises OSError."""
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
