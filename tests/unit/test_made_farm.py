"""The made farm, of which pictures and figures are taken, is like a real one."""

import re
from itertools import pairwise

from tests.made_farm.farm import series
from tests.made_farm.needed import names_in, needed, rules
from tests.made_farm.plots import MAX_PLOTS, PLOT_GAP, jobs
from tests.made_farm.series import WEEK
from tests.panels.queries import queries
from tests.support.metric_names import is_written

_MADE = [one for _, one in series(6, 6, 0.0)]
_NAMES = {one.name for one in _MADE}


def test_it_has_the_metrics_that_goplot_writes() -> None:
    own = {name for name in _NAMES if name.startswith(("goplot_", "chia_"))}
    assert {name for name in own if not is_written(name)} == set()


def test_it_has_every_metric_that_a_panel_asks_for() -> None:
    recorded = {rule.record: rule.expression for rule in rules() if rule.record}
    asked = {name for query in queries() for name in names_in(query.expression)}
    for name in list(asked):
        asked |= names_in(recorded.get(name, ""))
    # Drives report their temperature and their faults under more names than one.
    raw = {name for name in asked if name.startswith(("goplot_", "chia_", "node_"))}
    assert raw - _NAMES == set()


def test_each_series_is_there_once() -> None:
    known = [(one.name, one.labels, one.first) for one in _MADE]
    assert len(set(known)) == len(known)


def test_its_counters_never_fall() -> None:
    for one in _MADE:
        if re.search(r"_(total|sum|count|bucket)$", one.name):
            values = [one.at(t) for t in range(0, WEEK, 3607)]
            assert values == sorted(values), f"{one.name}{{{one.labels}}}"


def test_its_plotters_keep_max_plots_and_plot_gap() -> None:
    plots = jobs("plotter1", [(1, "disk1"), (2, "disk2")], fails=False)
    starts = [plot.start for plot in plots]
    assert all(later - start >= PLOT_GAP for start, later in pairwise(starts))
    for plot in plots:
        running = [one for one in plots if one.start <= plot.start < one.end]
        assert len(running) <= MAX_PLOTS


def test_windows_of_rules_count_for_what_they_read() -> None:
    found = needed()
    assert found.back["goplot_disk_used_bytes"] >= 86400
    assert found.dense["node_network_receive_bytes_total"] >= 6 * 3600
    assert "goplot_disk_used_bytes" not in found.dense
