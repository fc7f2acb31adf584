"""What a made harvester writes, and what its log holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tests.made_farm.machine import drive, success, textfile
from tests.made_farm.plotter import DISK_SIZE, device
from tests.made_farm.series import (
    GIB,
    PLOT,
    WEEK,
    Series,
    Value,
    between,
    counted,
    drawn,
    events,
    still,
)

#: Time between two signage points.
POINT = 9.375
_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 8.0, 15.0, 28.0)
_STATES = ("unreadable", "unknown_format", "level_too_low", "silent", "quiet")
_ERRORS = (
    "no_decompressor",
    "dropped_compression",
    "dropped_phase_out",
    "qualities_failed",
    "full_proof_failed",
    "prover_failed",
    "plot_gone",
    "plot_unknown",
    "v2_lookup_failed",
    "unknown_error",
)
Disk = tuple[int, str]


class Harvester:
    """One harvester; `plots` is how many lie on each of its disks."""

    def __init__(self, host: str, place: int, plots: Mapping[Disk, Value]) -> None:
        """Let it farm these disks."""
        self.host, self.place, self.plots_on = host, place, dict(plots)
        # What does not go well, on some hosts.
        self.gone = list(self.plots_on)[-1] if place % 25 == 2 else None
        self.gone_since = WEEK - 3 * 3600
        hour = WEEK - 2.5 * 3600
        self.quiet = [(hour, hour + 1500)] if place % 25 == 4 else []
        self.too_low = [(hour - 9000, hour - 6600)] if place % 25 == 3 else []

    def plots(self, t: float) -> float:
        """How many it farms."""
        return sum(value(t) for disk, value in self.plots_on.items() if self._there(disk, t))

    def _there(self, disk: Disk, t: float) -> bool:
        return disk != self.gone or t < self.gone_since

    def series(self, begin: float) -> Iterator[Series]:
        """All that it writes."""
        host = self.host
        for name in ("chia_harvester_up", "chia_harvester_farmer_connections"):
            yield Series(name, host, still(1))
        compressed = 0.3 if self.place % 3 == 2 else 0.0
        yield from self._format("0", 1 - compressed, PLOT)
        if compressed:
            yield from self._format("5", compressed, int(PLOT * 0.79))
        failed = float(self.place % 25 == 5)
        for name, value in (
            ("chia_harvester_failed_plots", failed),
            ("chia_harvester_missing_keys", 0),
        ):
            yield Series(name, host, still(value))
        version = f'{host},service="harvester",version="2.7.5"'
        yield Series("chia_version_info", version, still(1))
        yield Series("chia_protocol_info", f'{version},protocol="0.0.38"', still(1))
        yield from self._disks()
        yield from self._log()
        yield from self._lookups()
        for name in ("harvester", "harvester_log"):
            yield textfile(host, f"goplot_{name}", begin)
        yield success(host, "harvester-collector", begin)
        yield success(host, "harvester-log", begin, 15)

    def drives(self) -> Iterator[Series]:
        """The drives of a host that does not plot."""
        for number, (farm, name) in enumerate(self.plots_on):
            mount, place = f"/farm/{farm}/{name}", self.place + number
            free = (20 + 40 * (number % 3)) * GIB
            yield from drive(self.host, device(number), mount, place, DISK_SIZE, free, 1e4)

    def _format(self, compression: str, share: float, size: int) -> Iterator[Series]:
        labels = f'{self.host},version="v1",k="32",compression="{compression}"'

        def plots(t: float) -> float:
            return math.floor(self.plots(t) * share)

        yield Series("chia_harvester_plots", labels, plots)
        yield Series("chia_harvester_plot_bytes", labels, lambda t: plots(t) * size)

    def _disks(self) -> Iterator[Series]:
        for disk, plots in self.plots_on.items():
            labels = f'{self.host},farm="{disk[0]}",disk="{disk[1]}"'
            last = self.gone_since if disk == self.gone else math.inf
            there = between([(-math.inf, last)])
            yield Series("goplot_harvester_disk_mounted", labels, there)
            yield Series("goplot_harvester_disk_up", labels, there)
            yield Series("goplot_harvester_disk_plot_files", labels, plots, last=last)
            yield Series("chia_harvester_disk_plots", labels, _later(plots, 300), last=last)

    def _log(self) -> Iterator[Series]:
        host = self.host
        spans = {"quiet": self.quiet, "level_too_low": self.too_low}
        for state in _STATES:
            value = between(spans.get(state, []))
            yield Series("goplot_harvester_log_state", f'{host},state="{state}"', value)
        wrong = between([*self.quiet, *self.too_low])
        labels = f'{host},state="ok"'
        yield Series("goplot_harvester_log_state", labels, lambda t: 1 - wrong(t))
        yield Series("goplot_harvester_log_up", host, still(1))

        def age(t: float) -> float:
            since = next((begin - 300 for begin, end in self.quiet if begin <= t < end), None)
            return t % POINT if since is None else t - since

        yield Series("chia_harvester_eligible_age_seconds", host, age)

    def _lookups(self) -> Iterator[Series]:
        host, place = self.host, self.place
        plots = self.plots(0)
        eligible = counted(plots / 512 / POINT, 0.25, 1.7 + place % 3, place)
        name = "chia_harvester_eligible_plots_total"
        yield Series(name, host, lambda t: math.floor(eligible(t)))
        every = 36000 / plots * 1000
        found = events([every * (n + drawn(0, 0.9, place, n)) for n in range(int(8e5 / every))])
        yield Series("chia_harvester_proofs_found_total", f'{host},version="v1"', found)
        yield Series("chia_harvester_proofs_found_total", f'{host},version="v2"', still(0))
        for reason in _ERRORS:
            failed = place % 4 == 1 and reason in ("qualities_failed", "prover_failed")
            moments = [WEEK - drawn(0, 30000, place, reason, n) for n in range(5 * failed)]
            labels = f'{host},reason="{reason}"'
            yield Series("chia_harvester_lookup_errors_total", labels, events(moments, 2))
        for level in ("WARNING", "ERROR", "CRITICAL"):
            lines = 20 * (place % 3 == 0 and level != "CRITICAL")
            moments = [WEEK - drawn(0, 80000, place, level, n) for n in range(lines)]
            labels = f'{host},service="harvester",level="{level}"'
            yield Series("chia_log_unmatched_total", labels, events(moments, 5))
        # Slow for some hours, when something else reads its disks.
        slow = counted(0.05 + 0.35 * (place % 9 == 1), 0.9, 5, place)
        median = 0.22 + 0.06 * (place % 5)
        for bound in (*_BOUNDS, math.inf):
            fast, late = _below(bound, median), _below(bound, 6 * median)
            le = "+Inf" if bound == math.inf else str(bound)
            value = _mixed(fast, late, slow)
            yield Series("chia_harvester_lookup_seconds_bucket", f'{host},le="{le}"', value)
        yield Series("chia_harvester_lookup_seconds_count", host, _mixed(1, 1, slow))
        yield Series("chia_harvester_lookup_seconds_sum", host, counted(0.5 / POINT))


def _below(bound: float, median: float) -> float:
    """The share of lookups below a bound: their times' logarithms are normally spread."""
    if bound == math.inf:
        return 1.0
    return 0.5 + 0.5 * math.erf(math.log(bound / median) / 0.9 / math.sqrt(2))


def _mixed(fast: float, late: float, slow: Value) -> Value:
    return lambda t: math.floor((fast * (t - slow(t)) + late * slow(t)) / POINT)


def _later(value: Value, seconds: float) -> Value:
    return lambda t: value(t - seconds)
