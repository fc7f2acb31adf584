"""What is made from code in docs/: metrics.md, and the tables of settings.md.

`python -m tests.lint.made_docs` (`make docs`) writes both.
"""

from pathlib import Path

from goplot.farm.keys import keys_of
from goplot.host.settings import TABLES
from goplot.host.tunables import NUMBERS
from goplot.metrics import CATALOGUE
from goplot.metrics.family import Family

_DOCS = Path(__file__).parents[2] / "docs"
METRICS = _DOCS / "metrics.md"
SETTINGS = _DOCS / "settings.md"
_HEAD = """# Metrics

Every metric that goplot writes for node_exporter's textfile collector. `goplot_` is for what goplot
knows, `chia_` for what Chia says. Prometheus adds the labels `instance` (the host's name in the
inventory), `groups` and `job`.

This page is made from `services/goplot/metrics` by `make docs`.
"""


def metrics_page() -> str:
    """docs/metrics.md as it must be."""
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


def settings_page() -> str:
    """docs/settings.md with its tables as they must be."""
    text = SETTINGS.read_text()
    for name, rows in (("settings", _settings()), ("tunables", _tunables())):
        begin, end = f"<!-- {name}: made by tests/lint/made_docs.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = "\n".join([before + begin, *rows, end + after])
    return text


def _settings() -> list[str]:
    rows = ["| key | accepts | default | meaning |", "| --- | --- | --- | --- |"]
    for table, declared in TABLES.items():
        where = "plotters.NAME" if table == "plotters" else table
        rows += [
            f"| `{where}.{key.name}` | {key.accepts} | {key.default} | {key.help} |"
            for key in keys_of(declared)
        ]
    return rows


def _tunables() -> list[str]:
    rows = [
        "| name | accepts | first value | meaning |",
        "| --- | --- | --- | --- |",
        "| `on_toggle` | text | run | `run`: new plots start; anything else: running ones go on |",
    ]
    for name, one in NUMBERS.items():
        kind = "a whole number" if one.whole else "a number"
        first = "no limit" if one.optional else f"{one.first:g}"
        rows.append(
            f"| `{name}` | {kind}, {one.low:.0f} to {one.high:.0f} | {first} | {one.help} |"
        )
    return rows


if __name__ == "__main__":
    METRICS.write_text(metrics_page())
    SETTINGS.write_text(settings_page())
