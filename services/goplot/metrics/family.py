"""The declaration of one metric."""

from collections.abc import Iterable
from dataclasses import dataclass

_UNITS = ("bytes", "seconds", "ratio", "mojo")
_SERIES = {"summary": ("_sum", "_count"), "histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: `kind` is gauge, counter, summary or histogram.

    `labels` are the names of its labels; `or_labels` those that some of its series have instead.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    or_labels: tuple[str, ...] | None = None

    @property
    def unit(self) -> str:
        """The base unit that its name ends with, empty for a plain number."""
        bare = self.name.removesuffix("_total")
        return next((unit for unit in _UNITS if bare.endswith(f"_{unit}")), "")

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of its samples."""
        return tuple(self.name + suffix for suffix in _SERIES.get(self.kind, ("",)))

    def check(self, sample: str, labels: Iterable[str]) -> None:
        """Raise ValueError unless a sample of this name and with these labels belongs to it."""
        if sample not in self.samples:
            raise ValueError(f"{self.name} has no sample {sample}")
        given = set(labels) - ({"le"} if sample.endswith("_bucket") else set())
        if given != set(self.labels) and (self.or_labels is None or given != set(self.or_labels)):
            raise ValueError(f"{sample} has labels {sorted(given)}; it must have {self.labels}")


def gauge(name: str, text: str, *labels: str, or_labels: tuple[str, ...] | None = None) -> Family:
    """A value that goes up and down."""
    return Family(name, "gauge", text, labels, or_labels)


def counter(name: str, text: str, *labels: str) -> Family:
    """A value that only grows, except for a reset to 0."""
    return Family(name, "counter", text, labels)
