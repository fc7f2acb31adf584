"""The plot jobs of a made plotter, as its pacer would have started them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from tests.made_farm.series import GIB, PLOT, WEEK, drawn

MAX_PLOTS = 7
PLOT_GAP = 4800
#: Shares of a plot's time.
PHASES = {
    "start": 0.002,
    "1": 0.43,
    "2": 0.19,
    "3": 0.27,
    "4": 0.07,
    "copy": 0.028,
    "verify": 0.01,
}
#: Temporary space of a job of k32 in each phase.
_TEMP = {"1": 190 * GIB, "2": 230 * GIB, "3": 210 * GIB, "4": 140 * GIB, "copy": PLOT}
#: The most that a job needs there.
TEMP_PEAK = 239 * GIB


@dataclass(frozen=True, slots=True)
class Plot:
    """One job: where it goes, and when each of its phases begins; `end` is when it is over."""

    index: int
    farm: int
    disk: str
    temp_farm: int
    begins: tuple[float, ...]
    end: float
    failed: bool

    @property
    def start(self) -> float:
        """When it started."""
        return self.begins[0]

    def phase(self, t: float) -> str:
        """The phase at a time while it runs."""
        return tuple(PHASES)[bisect_right(self.begins, t) - 1]

    def temp_used(self, t: float) -> float:
        """What it holds in its temp farm while it runs."""
        place = bisect_right(self.begins, t) - 1
        most = _TEMP.get(tuple(PHASES)[place], 0)
        if place != 1:
            return most
        return most * (t - self.begins[1]) / (self.begins[2] - self.begins[1])

    def spans(self) -> list[tuple[str, float, float]]:
        """Each phase with its begin and its end; what failed ends in its second phase."""
        ends = (*self.begins[1:], self.end)
        found = zip(PHASES, self.begins, ends, strict=True)
        return [(name, begin, min(end, self.end)) for name, begin, end in found if begin < self.end]


def jobs(host: str, disks: list[tuple[int, str]], fails: bool) -> list[Plot]:
    """All jobs of the week and a day: those that lie ahead start while the farm is looked at.

    `disks` are those in rotation, by farm and name. One job of a host that `fails` does.
    """
    found: list[Plot] = []
    last = -float(drawn(40000, 50000, host))
    while last < WEEK + 86400:
        running = sorted(job.end for job in found if job.end > last + PLOT_GAP)
        start = last + PLOT_GAP + drawn(0, 90, host, last)
        if len(running) >= MAX_PLOTS:
            start = max(start, running[-MAX_PLOTS] + 60)
        index = len(found) + 1
        seconds = drawn(29500, 34500, host) * drawn(0.95, 1.06, host, index)
        begins, begin = [], start
        for phase, share in PHASES.items():
            begins.append(begin)
            begin += seconds * share * drawn(0.96, 1.04, host, index, phase)
        failed = fails and begins[2] < WEEK - 9000 <= begins[2] + PLOT_GAP
        farm, disk = disks[index % len(disks)]
        end = begins[2] + 600 if failed else begin
        found.append(Plot(index, farm, disk, 1 + index % 2, tuple(begins), end, failed))
        last = start
    return found
