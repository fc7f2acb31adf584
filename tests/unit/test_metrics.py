"""The catalogue of metrics: each once, named as Prometheus asks, written somewhere, documented."""

import re
from pathlib import Path

import pytest

from goplot.host.textfile import Metrics, read_samples
from goplot.metrics import CATALOGUE, family_of
from goplot.metrics.chia import CHIA
from goplot.metrics.goplot import GOPLOT
from tests.lint.made_docs import METRICS, metrics_page

_PACKAGE = Path(__file__).parents[2] / "services/goplot"
_SOURCES = "\n".join(
    path.read_text()
    for path in sorted(_PACKAGE.rglob("*.py"))
    if path.parent != _PACKAGE / "metrics"
)


def test_each_name_stands_once() -> None:
    assert len(CATALOGUE) == len(GOPLOT) + len(CHIA)
    assert all(family.name.startswith("goplot_") for family in GOPLOT)
    assert all(family.name.startswith("chia_") for family in CHIA)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_metric_is_written_under_its_literal_name(name: str) -> None:
    family = CATALOGUE[name]
    assert all(f'"{sample}"' in _SOURCES for sample in family.samples)
    assert name.endswith("_total") == (family.kind == "counter")
    assert family.help.endswith(".")
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


def test_no_name_is_written_that_the_catalogue_lacks() -> None:
    written = re.findall(r'"((?:goplot|chia)_[a-z0-9_]+)"', _SOURCES)
    samples = {sample for family in CATALOGUE.values() for sample in family.samples}
    # Names of textfiles and of programs are not metrics.
    other = {name for name in written if name not in samples and name not in CATALOGUE}
    assert other <= {
        "goplot_farmer",
        "goplot_harvester",
        "goplot_harvester_log",
        "goplot_plotter",
        "chia_harvester",
        "chia_plot",
    }


def test_a_unit_is_the_end_of_its_name() -> None:
    assert CATALOGUE["goplot_disk_used_bytes"].unit == "bytes"
    assert CATALOGUE["goplot_harvester_log_last_line_timestamp_seconds"].unit == "seconds"
    assert CATALOGUE["chia_full_node_height"].unit == ""


def test_what_is_written_is_read() -> None:
    metrics = Metrics()
    odd = 'a "disk" \\ of\ntwo lines'
    metrics.add("goplot_disk_mounted", 1, farm="1", disk=odd)
    metrics.add("goplot_plots_finished_total", 3)
    metrics.add("goplot_plot_phase_seconds_sum", 2.5, plotter="x", format="k32", phase="1")
    metrics.add("chia_harvester_lookup_seconds_bucket", 4, le="+Inf")
    metrics.add("goplot_drive_place_info", 1, drive="sda", temp_farm="1")
    metrics.add_known("goplot_load", None)
    assert read_samples(metrics.render()) == {
        "goplot_disk_mounted": [({"farm": "1", "disk": odd}, 1.0)],
        "goplot_plots_finished_total": [({}, 3.0)],
        "goplot_plot_phase_seconds_sum": [({"plotter": "x", "format": "k32", "phase": "1"}, 2.5)],
        "chia_harvester_lookup_seconds_bucket": [({"le": "+Inf"}, 4.0)],
        "goplot_drive_place_info": [({"drive": "sda", "temp_farm": "1"}, 1.0)],
    }
    kinds = [line for line in metrics.render().splitlines() if line.startswith("# TYPE")]
    assert "# TYPE goplot_plots_finished_total counter" in kinds
    assert "# TYPE goplot_plot_phase_seconds summary" in kinds


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("goplot_disk_mounted", {}),
        ("goplot_disk_mounted", {"farm": "1"}),
        ("goplot_disk_mounted", {"farm": "1", "disk": "d", "more": "x"}),
        ("goplot_load", {"farm": "1"}),
        ("goplot_drive_place_info", {"drive": "sda", "disk": "d"}),
        ("goplot_plot_phase_seconds", {"plotter": "x", "format": "k32", "phase": "1"}),
        ("chia_harvester_lookup_seconds_sum", {"le": "1"}),
    ],
)
def test_wrong_labels_and_samples_are_refused(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=name):
        Metrics().add(name, 1, **labels)


@pytest.mark.parametrize("name", ["chia_plots_up", "goplot_load_sum", "goplot_", "up"])
def test_what_the_catalogue_lacks_is_refused(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        family_of(name)
    with pytest.raises(KeyError):
        Metrics().add(name, 1)


def test_the_page_is_up_to_date() -> None:
    assert METRICS.read_text() == metrics_page(), "make docs writes it"
