"""Every metric that goplot writes: each once, with its name, type, help and labels. Pure.

`goplot_` is for what goplot knows, `chia_` for what Chia says. Names and labels are a promise: the
dashboards and rules of users hang on them.
"""

from goplot.metrics.chia import CHIA
from goplot.metrics.family import Family
from goplot.metrics.goplot import GOPLOT

#: Every family by its name.
CATALOGUE: dict[str, Family] = {family.name: family for family in (*GOPLOT, *CHIA)}


def family_of(sample: str) -> Family:
    """The family that a sample's name belongs to. Raises KeyError when there is none."""
    if sample in CATALOGUE:
        return CATALOGUE[sample]
    for suffix in ("_sum", "_count", "_bucket"):
        family = CATALOGUE.get(sample.removesuffix(suffix))
        if family is not None and sample in family.samples:
            return family
    raise KeyError(f"the catalogue has no metric {sample}")
