"""Kills and mishaps at random moments while plots are made; everything is checked after each.

What a power cut takes here and what it leaves: see tests/campaign/power.py. What else happens to
the farm: tests/campaign/mishaps.py. What must hold: tests/campaign/watch.py.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaign.checks import bad_plots, faults, over_full
from tests.campaign.farm import SETTINGS, STATE, Farm
from tests.campaign.mishaps import KINDS, MAX_PLOTS, Mishap, forget_refusals, have_spares
from tests.campaign.watch import Watch
from tests.hosts.system import wait_until

# One of each in turn. Most kills need no power cut, and the pacer's own costs no plot.
KILLS = (
    *("power", "tractor", "pacer", "plotter", "unit", "hand", "diskhand", "collector"),
    *("tractor", "pacer", "plotter", "pacer"),
)
# After how many kills each mishap has been there once more.
ROUND = 24
LONGEST_PAUSE = 0.2
LONGEST_MISHAP = 8.0
STALLED = 900.0
LINE_EVERY = 30.0
# Checks between two at which goplot is asked, too, what it has committed.
ASK_EVERY = 4
# Kills between two moments at which the farm is quiet, and checked as a whole.
QUIET_EVERY = 250


class Campaign:
    """One run: its plan, which follows from the seed, and what was seen so far."""

    def __init__(self, farm: Farm, plots: int, kills: int, seed: int) -> None:
        self.farm = farm
        self.watch = Watch(farm)
        self.plots = plots
        self.kills = kills
        self.seed = seed
        self.before = farm.done()
        self.happened: Counter[str] = Counter()
        self.checks = 0
        #: Where the time goes: seconds by what was waited for.
        self.spent: defaultdict[str, float] = defaultdict(float)
        #: The mishaps that last, by kind, and until when.
        self.lasting: dict[str, tuple[Mishap, float]] = {}
        self.plan = plan(plots, kills, random.Random(seed))
        self.step, self.now = 0, ""
        self._started = self._line_at = time.monotonic()
        self._progress = (0, time.monotonic())

    def made(self) -> int:
        """How many plots this run has made."""
        return self.farm.done() - self.before

    def run(self) -> None:
        """Make the plots; kill, and have mishaps, on the way."""
        for number, (after, kind) in enumerate(self.plan, start=1):
            self.step = number
            # Of its own, so that what a step does is the same however often others were tried.
            self._take_step(after, kind, random.Random(f"{self.seed}/{number}"))
            if kind in KILLS and self.killed() % QUIET_EVERY == 0:
                self.rest()
                self.farm.set(on_toggle="run")
        self._await("plots", lambda: self.made() >= self.plots)
        self.rest()

    def _take_step(self, after: int, kind: str, chance: random.Random) -> None:
        """Have one thing happen, a moment after so many plots are made, and check everything."""
        self.now = kind
        self._await("plots", lambda: self.made() >= after)
        moment = time.monotonic() + chance.uniform(0, LONGEST_PAUSE)
        self._await("a moment", lambda: time.monotonic() >= moment)
        act = self._mishap if kind in KINDS else self._kill
        self._await(kind, lambda: act(kind, chance))
        self.happened[kind] += 1
        self.check(kind)

    def rest(self) -> None:
        """Let all mishaps and plots end, and check the farm as a whole."""
        for kind in list(self.lasting):
            self._end(kind)
        # By itself goplot would try these disks again, but later: they take plots of any size now.
        forget_refusals(self.farm)
        self.farm.await_quiet()
        self.farm.diskhand()
        self._no_kept_plots()
        self._require(faults(self.farm, self.watch.foreign), "the quiet farm")

    def check(self, kind: str) -> None:
        """Everything must hold now."""
        began = time.monotonic()
        self.checks += 1
        found = self.watch.faults()
        if self.checks % ASK_EVERY == 0:
            found += [f"goplot has more committed than {path} has" for path in over_full(self.farm)]
        self._require(found, kind)
        # Its counters are looked at next time.
        unit = "goplot-plotter-collector.service"
        again = 'systemctl reset-failed "$1"; systemctl start --no-block "$1"'
        self.farm.run("sh", "-c", again, "sh", unit)
        self.spent["checks"] += time.monotonic() - began

    def _require(self, found: list[str], after: str) -> None:
        if found:
            beside = ", ".join(self.lasting) or "nothing"
            log = "\n".join(self.farm.goplot_log().splitlines()[-30:])
            pytest.fail(
                f"--seed {self.seed}, step {self.step} of {len(self.plan)}, after {after} (beside "
                f"it: {beside}):\n" + "\n".join(found) + f"\nthe log of goplot:\n{log}",
                pytrace=False,
            )

    def _await(self, kind: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition, and mind the farm meanwhile."""

        def minded() -> bool:
            self._mind()
            return condition()

        began, checked = time.monotonic(), self.spent["checks"]
        wait_until(f"--seed {self.seed}, step {self.step}: {kind}", minded, 2 * STALLED)
        self.spent[kind] += time.monotonic() - began - (self.spent["checks"] - checked)

    def _mind(self) -> None:
        """What time brings: the ends of mishaps, a person who looks after things, a line."""
        now = time.monotonic()
        for kind, (_, until) in list(self.lasting.items()):
            if now >= until:
                self._end(kind)
                self._require(self.watch.faults(), f"the end of {kind}")
        report = self.farm.inside(f"{STATE}/pacer.json")
        held = report.read_text(encoding="utf-8") if report.exists() else ""
        if "backoff" in held:
            # As a person would who has seen why: the plotter was killed, it is not broken.
            at = time.time() + self.farm.clock
            os.utime(self.farm.inside(SETTINGS), (at, at))
        elif "disk_refused" in held and "size refused" not in self.lasting:
            # No disk is left, for minutes.
            forget_refusals(self.farm)
        have_spares(self.farm)
        ended = len(self.farm.results())
        if ended != self._progress[0]:
            self._progress = (ended, now)
        if now - self._progress[1] > STALLED:
            self._require(["no plot has ended for too long"], "a while")
        if now - self._line_at > LINE_EVERY:
            self._line_at = now
            self.say()

    def _end(self, kind: str) -> None:
        mishap, _ = self.lasting.pop(kind)
        mishap.end()

    def _no_kept_plots(self) -> None:
        """As a person does who has read `goplot status`: what a power cut may have torn goes."""
        for path in self.farm.status()["kept_plots"]:
            self.happened["plots left to a person"] += 1
            self.farm.remove(str(Path(path).parent))

    def _mishap(self, kind: str, chance: random.Random) -> bool:
        """Begin a mishap; it ends by itself."""
        if kind in self.lasting:
            self._end(kind)
        mishap = KINDS[kind](self.farm, self.watch, chance)
        if not mishap.begin():
            return False
        self.lasting[kind] = (mishap, time.monotonic() + chance.uniform(1, LONGEST_MISHAP))
        return True

    def _kill(self, kind: str, chance: random.Random) -> bool:
        """Kill -9 one of a kind; False when there is none at this moment."""
        farm = self.farm
        match kind:
            case "power":
                farm.cut_power()
                farm.machine.start()
                self._no_kept_plots()
                return True
            case "pacer":
                return self._kill_process(farm.main_pid("goplot-pacer.service"))
            case "diskhand" | "collector":
                return self._kill_run(kind, chance)
            case "hand":
                # In the middle of `goplot plot`, which a person called.
                after = f"{chance.uniform(0.1, 0.6):.2f}"
                command = 'goplot plot >/dev/null 2>&1 & sleep "$1"; kill -9 $! && echo killed'
                return farm.run("sh", "-c", command, "sh", after, check=False) != ""
        jobs = sorted(farm.jobs())
        if not jobs:
            return False
        index = chance.choice(jobs)
        unit = f"goplot-plot@{index}.service"
        if kind == "plotter":
            return self._kill_process(farm.plotter_pid(index))
        if kind == "unit" and farm.main_pid(unit):
            # The tractor and its plotter at once.
            farm.run("systemctl", "kill", "--signal=KILL", "--kill-whom=all", unit, check=False)
            return True
        return self._kill_process(farm.main_pid(unit))

    def _kill_run(self, kind: str, chance: random.Random) -> bool:
        unit = {"collector": "goplot-plotter-collector.service"}.get(
            kind, "goplot-diskhand.service"
        )
        self.farm.run("systemctl", "reset-failed", unit)
        self.farm.run("systemctl", "start", "--no-block", unit)
        time.sleep(chance.uniform(0, 0.5))
        return self._kill_process(self.farm.main_pid(unit))

    def _kill_process(self, process: int) -> bool:
        if process == 0:
            return False
        return self.farm.run("sh", "-c", f"kill -9 {process} && echo killed", check=False) != ""

    def say(self) -> None:
        """A line of progress, with the rate and when it will be over."""
        minutes = (time.monotonic() - self._started) / 60
        made, steps = self.made(), self.happened.total()
        share = min(made / self.plots, steps / len(self.plan)) or 0.001
        failed = Counter(result["reason"] for result in self.farm.results() if not result["done"])
        print(
            f"campaign: {made}/{self.plots} plots, step {self.step}/{len(self.plan)} ({self.now}), "
            f"{self.killed()}/{self.kills} kills, {self.checks} checks, "
            f"{made / minutes if minutes else 0:.1f} plots a minute, {minutes:.0f} min, about "
            f"{minutes / share - minutes:.0f} min more; failed {dict(failed)}",
            flush=True,
        )

    def killed(self) -> int:
        """How many kills there were."""
        return sum(self.happened[kind] for kind in set(KILLS))


def plan(plots: int, kills: int, chance: random.Random) -> list[tuple[int, str]]:
    """When how many plots are done, and a moment later, what happens."""
    kinds = [KILLS[number % len(KILLS)] for number in range(kills)]
    kinds += [kind for kind in KINDS for _ in range(max(1, kills // ROUND))] if kills else []
    chance.shuffle(kinds)
    after = sorted(chance.randrange(plots) for _ in kinds)
    return list(zip(after, kinds, strict=True))


@pytest.fixture
def own_clock(farm: Farm) -> Iterator[None]:
    """Set the clock of this host alone: what goplot's services see."""
    farm.has_own_clock(True)
    yield
    farm.set_clock(0)
    farm.has_own_clock(False)


@pytest.mark.usefixtures("own_clock")
def test_nothing_is_lost_twice_or_left_whatever_happens(
    farm: Farm, pytestconfig: pytest.Config
) -> None:
    plots, kills, seed = (pytestconfig.getoption(name) for name in ("plots", "kills", "seed"))
    print(f"\ncampaign: {plots} plots, {kills} kills, --seed {seed}", flush=True)
    campaign = Campaign(farm, plots, kills, seed)
    farm.set(max_plots=MAX_PLOTS, plot_gap=0, on_toggle="run")
    try:
        campaign.run()
    finally:
        campaign.say()
        spent = {kind: round(seconds) for kind, seconds in campaign.spent.items()}
        print(f"campaign: {dict(campaign.happened)}, seconds: {spent}", flush=True)
    assert campaign.killed() == kills
    assert bad_plots(farm, farm.plots()) == []
    for path in campaign.watch.foreign:
        farm.remove(path)
    assert faults(farm) == []
