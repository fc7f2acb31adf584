"""Plots that people start while the pacer runs."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.campaign.checks import faults, over_full
from tests.campaign.farm import Farm
from tests.hosts.system import wait_until

STARTS = 20


def test_twenty_starts_at_once_beside_the_pacer_share_nothing(farm: Farm) -> None:
    farm.await_quiet()
    before = {result["index"] for result in farm.results()}
    # The pacer starts one at every poll, as long as the others leave it a place.
    farm.set(plot_gap=0, max_plots=STARTS + 10, on_toggle="run")
    started = f"plot-{max(before, default=0) + 1} starts"
    wait_until("a start of the pacer's own", lambda: started in farm.goplot_log(), 30)
    with ThreadPoolExecutor(STARTS) as pool:
        indexes = list(pool.map(lambda _: farm.start_by_hand(), range(STARTS)))
    assert over_full(farm) == []
    assert len(set(indexes)) == STARTS
    farm.await_quiet()
    made = [result for result in farm.results() if result["index"] not in before]
    assert all(result["done"] for result in made), made
    times = Counter(result["index"] for result in made)
    assert set(times.values()) == {1}
    assert set(indexes) < times.keys(), "the pacer started none meanwhile"
    assert faults(farm) == []
