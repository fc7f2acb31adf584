"""One figure of a benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; `most` is its target (None: no target)."""

    name: str
    value: float
    unit: str
    most: float | None = None

    def __str__(self) -> str:
        target = "" if self.most is None else f"target {self.most:g} {self.unit}  "
        verdict = "" if self.most is None else ("ok" if self.value <= self.most else "MISSED")
        return f"{self.name:<58} {self.value:>10.4g} {self.unit:<8} {target}{verdict}"
