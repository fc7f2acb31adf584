"""What a made plotter writes: its pacer, its plots, its disks and temp farms."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from tests.made_farm.machine import drive, success, textfile
from tests.made_farm.plots import MAX_PLOTS, PHASES, PLOT_GAP, TEMP_PEAK, Plot, jobs
from tests.made_farm.series import GIB, PLOT, Series, Value, drawn, events, still, wave

#: 18 TB, as its file system gives it.
DISK_SIZE = 16758 * GIB
_TEMP_SIZE = 1860 * GIB
_REASONS = (
    "toggle",
    "fault",
    "settings",
    "max_plots",
    "plot_gap",
    "backoff",
    "load",
    "memory",
    "no_disk",
    "disk_space",
    "disk_refused",
    "disk_limit",
    "no_temp",
    "temp_space",
    "temp_limit",
)
_TUNABLES = ("on_toggle", "plot_gap", "plot_poll", "max_plots", "load_max", "memory_min")


def disks_of(count: int) -> list[tuple[int, str]]:
    """Farm and name of a host's disks."""
    farms = max(2, count // 5)
    return [(1 + number % farms, f"disk{number + 1}") for number in range(count)]


class Plotter:
    """One plotter: two of three of its disks are full, the others are filled plot by plot."""

    def __init__(self, name: str, host: str, place: int, disks: int) -> None:
        """Let it plot on so many disks."""
        self.name, self.host, self.place = name, host, place
        self.disks = disks_of(disks)
        self.filling = self.disks[-max(2, disks // 3) :]
        self.plots = jobs(name, self.filling, fails=place % 4 == 3)
        self._known: dict[float, list[Plot]] = {}

    @cached_property
    def _starts(self) -> list[float]:
        return [plot.start for plot in self.plots]

    @cached_property
    def _ends(self) -> dict[tuple[int, str], list[float]]:
        found: dict[tuple[int, str], list[float]] = defaultdict(list)
        for plot in self.plots:
            if not plot.failed:
                found[plot.farm, plot.disk].append(plot.end)
        return {disk: sorted(ends) for disk, ends in found.items()}

    def running(self, t: float) -> list[Plot]:
        """The jobs that run at a time."""
        if t not in self._known:
            last = bisect_right(self._starts, t)
            near = self.plots[max(0, last - 3 * MAX_PLOTS) : last]
            self._known[t] = [plot for plot in near if t < plot.end]
        return self._known[t]

    def on_disk(self, disk: tuple[int, str]) -> Value:
        """How many plots lie on a disk."""
        if disk not in self.filling:
            return still(165)
        before = int(drawn(20, 75, self.name, disk))
        ends = self._ends.get(disk, [])
        return lambda t: float(before + bisect_right(ends, t))

    def reason(self, t: float) -> str:
        """Why no plot starts at a time; empty when one does."""
        if len(self.running(t)) >= MAX_PLOTS:
            return "max_plots"
        started = self._starts[bisect_right(self._starts, t) - 1]
        return "plot_gap" if t - started < PLOT_GAP else ""

    def series(self, begin: float) -> Iterator[Series]:
        """All that it writes."""
        yield from self._pacer(begin)
        yield from self._totals()
        for plot in self.plots:
            yield from self._plot(plot)
        for number, disk in enumerate(self.disks):
            yield from self._disk(disk, number)
        for farm in (1, 2):
            yield from self._temp(farm)

    def _pacer(self, begin: float) -> Iterator[Series]:
        host = self.host
        yield Series("goplot_build_info", f'{host},version="1.0.0"', still(1))
        for name, value in (
            ("goplot_on_toggle", 1),
            ("goplot_max_plots", MAX_PLOTS),
            ("goplot_load_max", 9),
            ("goplot_plot_gap_seconds", PLOT_GAP),
            ("goplot_pacer_up", 1),
            ("goplot_foreign_plots_running", 0),
            ("goplot_plots_stranded", 0),
            ("goplot_annotations_waiting", 0),
        ):
            yield Series(name, host, still(value))
        yield Series("goplot_load", host, wave(6.2, 1.2, 5, self.place))
        for name in _TUNABLES:
            yield Series("goplot_tunable_valid", f'{host},tunable="{name}"', still(1))
        yield Series("goplot_plots_running", host, lambda t: float(len(self.running(t))))
        for reason in _REASONS:
            blocked = self._blocked(reason)
            yield Series("goplot_start_blocked", f'{host},reason="{reason}"', blocked)
        for program, every in (
            ("pacer", 60),
            ("plotter-collector", 60),
            ("diskhand", 300),
            ("tractor", PLOT_GAP),
            ("annotations", PLOT_GAP // 2),
        ):
            yield success(host, program, begin, every)
        yield textfile(host, "goplot_plotter", begin)

    def _blocked(self, reason: str) -> Value:
        return lambda t: float(self.reason(t) == reason)

    def _totals(self) -> Iterator[Series]:
        done = sorted((plot for plot in self.plots if not plot.failed), key=lambda plot: plot.end)
        ends = [plot.end for plot in done]
        failed = [plot.end for plot in self.plots if plot.failed]
        yield Series("goplot_plots_started_total", self.host, events(self._starts))
        yield Series("goplot_plots_finished_total", self.host, events(ends))
        # It has failed before: a series that begins with its first event hides it.
        reason = f'{self.host},reason="plotter"'
        yield Series("goplot_plots_failed_total", reason, events([*failed, float("-inf")]))
        for place, phase in enumerate(PHASES):
            if phase == "start":
                continue
            times = [plot.spans()[place] for plot in done]
            sums = [0.0, *accumulate(last - first for _, first, last in times)]
            labels = f'{self.host},plotter="chiapos",format="k32",phase="{phase}"'

            def seconds(t: float, sums: list[float] = sums) -> float:
                return sums[bisect_right(ends, t)]

            yield Series("goplot_plot_phase_seconds_sum", labels, seconds)
            yield Series("goplot_plot_phase_seconds_count", labels, events(ends))

    def _plot(self, plot: Plot) -> Iterator[Series]:
        whole = plot.end - plot.start
        for phase, first, last in plot.spans():
            labels = (
                f'{self.host},index="{plot.index}",farm="{plot.farm}",disk="{plot.disk}",'
                f'temp_farm="{plot.temp_farm}",phase="{phase}"'
            )

            def age(t: float) -> float:
                return t - plot.start

            def progress(t: float) -> float:
                return (t - plot.start) / whole

            yield Series("goplot_plot_age_seconds", labels, age, first, last)
            yield Series("goplot_plot_progress_ratio", labels, progress, first, last)

    def _disk(self, disk: tuple[int, str], number: int) -> Iterator[Series]:
        farm, name = disk
        labels = f'{self.host},farm="{farm}",disk="{name}"'
        rotates = disk in self.filling
        plots = self.on_disk(disk)

        def committed(t: float) -> float:
            return PLOT * sum((plot.farm, plot.disk) == disk for plot in self.running(t))

        def available(t: float) -> float:
            return max(0.0, DISK_SIZE - plots(t) * PLOT - committed(t)) if rotates else 0.0

        for metric, value in {
            "goplot_disk_mounted": still(1),
            "goplot_disk_failing": still(0),
            "goplot_disk_refused": still(0),
            "goplot_disk_in_rotation": still(float(rotates)),
            "goplot_disk_size_bytes": still(DISK_SIZE),
            "goplot_disk_used_bytes": lambda t: plots(t) * PLOT,
            "goplot_disk_committed_bytes": committed if rotates else still(0),
            "goplot_disk_available_bytes": available,
            "goplot_disk_plots": plots,
        }.items():
            yield Series(metric, labels, value)
        rate = 1.4e7 if rotates else 1e3
        mount, place = f"/farm/{farm}/{name}", self.place + number
        yield from drive(self.host, device(number), mount, place, DISK_SIZE, 30 * GIB, rate)

    def _temp(self, farm: int) -> Iterator[Series]:
        labels = f'{self.host},temp_farm="{farm}"'

        def used(t: float) -> float:
            return sum(plot.temp_used(t) for plot in self.running(t) if plot.temp_farm == farm)

        def committed(t: float) -> float:
            mine = [plot for plot in self.running(t) if plot.temp_farm == farm]
            return sum(max(0.0, TEMP_PEAK - plot.temp_used(t)) for plot in mine)

        for metric, value in {
            "goplot_temp_mounted": still(1),
            "goplot_temp_size_bytes": still(_TEMP_SIZE),
            "goplot_temp_used_bytes": used,
            "goplot_temp_committed_bytes": committed,
            "goplot_temp_available_bytes": lambda t: _TEMP_SIZE - used(t) - committed(t),
            "goplot_plots_kept": still(0),
        }.items():
            yield Series(metric, labels, value)
        mount, place = f"/plot_temp/{farm}", self.place + farm
        yield from drive(self.host, f"nvme{farm}n1", mount, place, _TEMP_SIZE, 900 * GIB, 2.1e8)


def device(number: int) -> str:
    """The name of a host's drive; the first is the system's."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    place = number + 1
    return "sd" + (letters[place // 26 - 1] if place >= 26 else "") + letters[place % 26]
