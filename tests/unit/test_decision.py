"""Pacing: when a plot starts, and the one reason why none does."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.farm.disks import Disk, Space, TempFarm
from goplot.farm.jobs import Start
from goplot.farm.placement import Need
from goplot.host.clock import seconds_between, seconds_since
from goplot.host.observe import Observation
from goplot.host.tunables import Tunables
from goplot.pacer.decision import Reason, Snapshot, decide, decide_by_hand

TUNABLES = Tunables(on_toggle="run", plot_gap=4500, max_plots=8, load_max=26)
FARM = Observation(
    disks=(Disk(1, "disk1", Path("/farm/1/disk1"), Space(0, 100)),),
    temps=(TempFarm(1, Path("/plot_temp/1"), Space(0, 100)),),
    jobs=(),
    broken={},
    foreign=3,
    moment=Start(0, 0, ""),
)
SNAPSHOT = Snapshot(
    observation=FARM,
    settings_fault=None,
    since_start=5000,
    backoff=0,
    backoff_cause="",
    new_failure=None,
    load=3.0,
    free_memory=1 << 30,
    need=Need(10, 20),
    last_dest=0,
    last_temp=0,
    next_index=1,
)


def test_a_plot_starts_when_everything_allows_it() -> None:
    decision = decide(SNAPSHOT, TUNABLES)
    assert decision.reason is Reason.START
    assert decision.placement is not None
    assert decision.placement.disk.name == "disk1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"settings_fault": "no key"}, Reason.SETTINGS),
        ({"observation": replace(FARM, foreign=8)}, Reason.MAX_PLOTS),
        ({"since_start": 4499}, Reason.PLOT_GAP),
        ({"backoff": 30, "backoff_cause": "x"}, Reason.BACKOFF),
        ({"load": 26.1}, Reason.LOAD),
        ({"observation": replace(FARM, disks=())}, Reason.NO_DISK),
        ({"observation": replace(FARM, temps=())}, Reason.NO_TEMP),
        ({"need": Need(101, 20)}, Reason.DISK_SPACE),
        ({"need": Need(10, 101)}, Reason.TEMP_SPACE),
    ],
)
def test_one_reason_holds_it_back(change: dict[str, Any], reason: Reason) -> None:
    decision = decide(replace(SNAPSHOT, **change), TUNABLES)
    assert decision.reason is reason
    assert decision.placement is None
    assert decision.detail


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"on_toggle": "off"}, Reason.TOGGLE), ({"memory_min": 2048}, Reason.MEMORY)],
)
def test_a_tunable_holds_it_back(change: dict[str, Any], reason: Reason) -> None:
    decision = decide(SNAPSHOT, replace(TUNABLES, **change))
    assert decision.reason is reason
    assert decision.placement is None


def test_a_person_waits_for_room_only() -> None:
    busy = replace(SNAPSHOT, since_start=0, backoff=30, load=99)
    assert decide_by_hand(busy, replace(TUNABLES, max_plots=0)).reason is Reason.START
    assert decide_by_hand(busy, replace(TUNABLES, on_toggle="off")).reason is Reason.TOGGLE
    assert decide_by_hand(replace(busy, settings_fault="x"), TUNABLES).reason is Reason.SETTINGS
    assert decide_by_hand(replace(busy, need=Need(101, 1)), TUNABLES).reason is Reason.DISK_SPACE


def test_the_first_plot_waits_for_no_gap() -> None:
    assert decide(replace(SNAPSHOT, since_start=None), TUNABLES).reason is Reason.START


def test_plot_gap_says_how_long_it_waits() -> None:
    assert decide(replace(SNAPSHOT, since_start=4000), TUNABLES).wait == 500


@pytest.mark.parametrize(
    ("later", "seconds"),
    [
        (Start(1000, 600, "a/7"), 100),
        # The clock jumps to next year, or back: the boot clock counts.
        (Start(9_000_000, 600, "a/7"), 100),
        (Start(5, 600, "a/7"), 100),
        # After a boot the wall clock counts...
        (Start(2000, 50, "b/7"), 1100),
        # ...but when it went back, at least the time since boot has passed.
        (Start(5, 50, "b/7"), 50),
        # A boot that is younger than that moment is another one, whatever its id.
        (Start(2000, 50, "a/7"), 1100),
        # A sandbox sees another boot id of the same boot.
        (Start(9_000_000, 600, "b/7/mark"), 100),
        (Start(2000, 600, "b/7/other"), 1100),
        (Start(2000, 600, "b/8/mark"), 1100),
    ],
)
def test_time_between_starts_survives_clocks_and_boots(later: Start, seconds: float) -> None:
    assert seconds_between(Start(900, 500, "a/7/mark"), later) == seconds


@given(st.floats(0, 4e9), st.floats(0, 4e9), st.integers(0, 10**8), st.booleans())
def test_a_date_in_the_future_is_a_damaged_date(
    date: float, now: float, uptime: int, same: bool
) -> None:
    later = Start(now, uptime, "b")
    assert seconds_since(date, later) == (now - date if date <= now else math.inf)
    earlier = Start(date, uptime / 2, "b" if same else "a")
    passed = seconds_between(earlier, later)
    assert passed >= 0
    if same:
        assert passed == uptime / 2
    elif date > now:
        assert passed == uptime
