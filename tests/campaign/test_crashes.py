"""Pacer, tractors, plotters and the host itself are killed at random moments while plots are made.

What a power cut takes here and what it leaves: see tests/campaign/power.py.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.campaign.checks import bad_plots, faults, over_full
from tests.campaign.farm import SETTINGS, Farm
from tests.hosts.system import wait_until

# Two of five kills are power cuts.
KINDS = ("power", "power", "tractor", "plotter", "pacer")
LONGEST_PAUSE = 4.0
STALLED = 300.0
STATUS_EVERY = 2.0
LINE_EVERY = 15.0


class Campaign:
    """One run: what was seen so far, so that nothing may be gone later."""

    def __init__(self, farm: Farm, plots: int, kills: int, seed: int) -> None:
        self.farm = farm
        self.plots = plots
        self.before = farm.done()
        self.random = random.Random(seed)
        self.seen: set[str] = set()
        self.over_full: list[str] = []
        self.killed: Counter[str] = Counter()
        kinds = [KINDS[number % len(KINDS)] for number in range(kills)]
        self.random.shuffle(kinds)
        after = sorted(self.random.randrange(plots) for _ in range(kills))
        #: When this many plots are done, and a while later, that is killed.
        self.plan = list(zip(after, kinds, strict=True))
        self._status_at = 0.0
        self._line_at = 0.0
        self._progress = (0, time.monotonic())

    def made(self) -> int:
        """How many plots this run has made."""
        return self.farm.done() - self.before

    def run(self) -> None:
        """Make the plots, kill on the way."""
        for after, kind in self.plan:
            self._await_and_kill(after, kind)
        self._await("all plots", lambda: self.made() >= self.plots)

    def _await_and_kill(self, after: int, kind: str) -> None:
        """Kill one of a kind, a moment after so many plots are made."""
        self._await(f"{after} plots", lambda: self.made() >= after)
        moment = time.monotonic() + self.random.uniform(0, LONGEST_PAUSE)
        self._await("a moment", lambda: time.monotonic() >= moment)
        self._await(f"{kind} to kill", lambda: self._kill(kind))
        self.killed[kind] += 1

    def _await(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition, and look at the farm all the while."""

        def observed() -> bool:
            self.look()
            return condition()

        wait_until(what, observed, 7200)

    def _kill(self, kind: str) -> bool:
        """Kill -9 one of a kind; False when there is none at this moment."""
        farm = self.farm
        if kind == "power":
            farm.cut_power()
            farm.machine.start()
            return True
        if kind == "pacer":
            return self._kill_process(farm.main_pid("goplot-pacer.service"))
        jobs = sorted(farm.jobs())
        if not jobs:
            return False
        index = self.random.choice(jobs)
        if kind == "tractor":
            return self._kill_process(farm.main_pid(f"goplot-plot@{index}.service"))
        return self._kill_process(farm.plotter_pid(index))

    def _kill_process(self, process: int) -> bool:
        if process == 0:
            return False
        return self.farm.run("sh", "-c", f"kill -9 {process} && echo killed", check=False) != ""

    def look(self) -> None:
        """Note every plot that is there, and what is wrong at this moment."""
        self.seen |= self.farm.plots()
        now = time.monotonic()
        if now - self._status_at > STATUS_EVERY:
            self._status_at = now
            self.over_full += over_full(self.farm)
            if self.farm.status()["next"]["reason"] == "backoff":
                # As a person would who has seen why: the plotter was killed, it is not broken.
                self.farm.run("touch", SETTINGS)
        ended = len(self.farm.results())
        if ended != self._progress[0]:
            self._progress = (ended, now)
        assert now - self._progress[1] < STALLED, "no plot ended for too long"
        if now - self._line_at > LINE_EVERY:
            self._line_at = now
            self.say()

    def say(self) -> None:
        """A progress line."""
        failed = Counter(result["reason"] for result in self.farm.results() if not result["done"])
        print(
            f"campaign: {self.made()}/{self.plots} plots, kills {dict(self.killed)} of "
            f"{len(self.plan)}, failed {dict(failed)}, running {sorted(self.farm.jobs())}",
            flush=True,
        )


def test_nothing_is_lost_twice_or_left_whatever_is_killed(
    farm: Farm, pytestconfig: pytest.Config
) -> None:
    plots, kills, seed = (pytestconfig.getoption(name) for name in ("plots", "kills", "seed"))
    print(f"\ncampaign: {plots} plots, {kills} kills, --seed {seed}", flush=True)
    started = time.monotonic()
    campaign = Campaign(farm, plots, kills, seed)
    farm.set(max_plots=3, plot_gap=0, on_toggle="run")
    campaign.run()
    farm.await_quiet()
    campaign.look()
    campaign.say()
    print(f"campaign: {(time.monotonic() - started) / 60:.1f} minutes of plotting", flush=True)
    assert campaign.killed.total() == kills
    assert campaign.seen - farm.plots() == set(), "plots that were there are gone"
    assert campaign.over_full == []
    assert faults(farm) == []
    assert bad_plots(farm, [path.rsplit("/", 1)[1] for path in farm.plots()]) == []
