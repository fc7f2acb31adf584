"""Metrics in Prometheus' text format, for the textfile collector of node_exporter.

Written by hand: importing prometheus_client takes half of the time that a collector may take.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from goplot.host.files import write_whole


class Metrics:
    """Collects families of samples and renders them."""

    def __init__(self) -> None:
        """No family yet."""
        self._families: dict[str, list[str]] = {}

    def family(self, name: str, kind: str, text: str) -> None:
        """Announce a family: its name, `gauge`, `counter` or `summary`, and its help."""
        # In the text format a counter's family name carries its _total.
        self._families[name] = [f"# HELP {name} {_escape_help(text)}", f"# TYPE {name} {kind}"]

    def gauge(self, name: str, text: str, value: float) -> None:
        """A family of one sample without labels."""
        self.family(name, "gauge", text)
        self.sample(name, value)

    def sample(
        self, family: str, value: float, labels: Mapping[str, str] | None = None, suffix: str = ""
    ) -> None:
        """One sample of an announced family; `suffix` such as `_sum` for a summary's."""
        shown = ",".join(f'{key}="{_escape(text)}"' for key, text in (labels or {}).items())
        name = family + suffix + (f"{{{shown}}}" if shown else "")
        number = repr(float(value)) if isinstance(value, float) else str(value)
        self._families[family].append(f"{name} {number.removesuffix('.0')}")

    def render(self) -> str:
        """The text, families without samples left out."""
        lines = [line for family in self._families.values() if len(family) > 2 for line in family]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.prom` whole, readable for all. Raises OSError."""
        write_whole(folder / f"{name}.prom", self.render(), durable=False)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


Samples = dict[str, list[tuple[dict[str, str], float]]]

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_samples(text: str) -> Samples:
    """What `Metrics.render` wrote, by name; lines that are no samples are left out."""
    samples: Samples = {}
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line)
        if match is None or line.startswith("#"):
            continue
        name, labels, value = match.groups()
        pairs = {key: _unescape(shown) for key, shown in _LABEL.findall(labels or "")}
        samples.setdefault(name, []).append((pairs, float(value)))
    return samples


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)
