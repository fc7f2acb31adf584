"""docs/metrics.md is made from the catalogue: `python -m tests.lint.metric_docs` writes it."""

import sys
from pathlib import Path

from goplot.metrics import CATALOGUE
from goplot.metrics.family import Family

PAGE = Path(__file__).parents[2] / "docs/metrics.md"
_HEAD = """# Metrics

Every metric that goplot writes for node_exporter's textfile collector. `goplot_` is for what goplot
knows, `chia_` for what Chia says. Prometheus adds the labels `instance` (the host's name in the
inventory), `groups` and `job`.

This page is made from `services/goplot/metrics` by `make docs`.
"""


def page() -> str:
    """The page as it must be."""
    parts = [_HEAD]
    for title, prefix in (("What goplot knows", "goplot_"), ("What Chia says", "chia_")):
        rows = [_row(one) for one in CATALOGUE.values() if one.name.startswith(prefix)]
        head = "| metric | type | labels | meaning |\n| --- | --- | --- | --- |"
        parts.append("\n".join([f"## {title}", "", head, *rows, ""]))
    return "\n".join(parts)


def _row(family: Family) -> str:
    ways = [one for one in (family.labels, family.or_labels) if one]
    labels = " or ".join(", ".join(f"`{label}`" for label in way) for way in ways)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} |"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if PAGE.read_text() == page() else f"{PAGE} is not up to date: make docs")
    PAGE.write_text(page())
