"""Names of metrics: those that goplot writes, and those that an expression asks for."""

import re

from goplot.metrics import CATALOGUE

_RECORDED = r"[a-z_]+:[a-z_]+:[a-z0-9_]+"
_OWN = r"(?:goplot|chia)_[a-z0-9_]+"


def names_in(expression: str) -> set[str]:
    """The goplot_ and chia_ metrics, and the recorded series, that PromQL asks for."""
    without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(re.findall(rf"\b(?:{_RECORDED}|{_OWN})\b", without_strings))


def is_written(name: str) -> bool:
    """True when the catalogue has a metric with a sample of this name."""
    return name in _SAMPLES


_SAMPLES = {sample for family in CATALOGUE.values() for sample in family.samples}
