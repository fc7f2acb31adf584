"""What must be true of a farm at every moment, while plots run and whatever was done to it before.

Nothing here believes goplot: names, sizes and promises are read from its files and from the disks.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.campaign.checks import kept_folders
from tests.campaign.farm import DISKS, STATE, TEMPS, TEXTFILE, Farm, Json

_COUNTER = re.compile(r"^(goplot_plots_\w+_total(?:\{[^}]*\})?) (\S+)$", re.M)
_LOOKS = 3
ROOT = 0


class Watch:
    """The farm between two looks: what was there once must not be gone later."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        #: Paths of what others have put beside plots and on temp farms.
        self.foreign: set[str] = set()
        #: What plots that others make will still write, by disk, in bytes.
        self.by_hand: dict[str, int] = {}
        self._settled: dict[int, Json] = {}
        self._counters: dict[str, float] = {}

    def faults(self) -> list[str]:
        """Everything that is wrong.

        One look alone proves nothing, because the farm moves while it is looked at. What diskhand
        removes is not a fault.
        """
        found = set(self._look())
        if found:
            self.farm.diskhand()
        for _ in range(1, _LOOKS):
            if found:
                found &= set(self._look())
        return sorted(found)

    def _look(self) -> Iterable[str]:
        farm = self.farm
        # What is free first: what is written meanwhile is promised no longer.
        volumes = _volumes(farm)
        before, results_before = farm.jobs(), farm.results()
        yield from _over_promised(farm, volumes, before)
        on_temp, plots, partial = farm.left_on_temp(), farm.plots(), farm.partial_plots()
        jobs, results = farm.jobs(), farm.results()
        live = {**before, **jobs}
        yield from self._results(results_before, before, results)
        yield from self._plots(plots, live, results)
        yield from self._under_way(plots, before, jobs)
        yield from self._left(on_temp, partial, live, results)
        yield from (f"outside a mount: {path}" for path in farm.beneath())
        yield from self._counted(results, jobs)
        yield from _roots_own(farm)

    def _results(
        self, before: list[Json], jobs_before: dict[int, Json], now: list[Json]
    ) -> Iterable[str]:
        """No index has two results, and none loses the one that it had."""
        # A result whose job is gone is on the disk.
        self._settled |= {
            result["index"]: result for result in before if result["index"] not in jobs_before
        }
        times = Counter(result["index"] for result in now)
        yield from (f"index {index} has {n} results" for index, n in times.items() if n > 1)
        yield from (f"the result of plot {index} is gone" for index in self._settled.keys() - times)

    def _plots(
        self, plots: Iterable[str], live: dict[int, Json], results: list[Json]
    ) -> Iterable[str]:
        """Each plot that is done is there once, and there is no other."""
        where: dict[str, list[str]] = {}
        for path in set(plots) - self.foreign:
            disk, name = Path(path).parts[3], Path(path).name
            where.setdefault(name, []).append(disk)
        for result in self._settled.values():
            if result["done"] and result["disk"] not in where.get(result["plot_file"], ()):
                yield f"plot {result['index']} is lost: {result['plot_file']!r}"
        known = {result["plot_file"] for result in results if result["done"]}
        known |= {job["plot_file"] for job in live.values()}
        for name, disks in where.items():
            if len(disks) > 1:
                yield f"there twice: {name!r} on {sorted(disks)}"
            if name not in known:
                yield f"a plot that nobody made: {name!r} on {disks}"

    def _under_way(
        self, plots: Iterable[str], before: dict[int, Json], jobs: dict[int, Json]
    ) -> Iterable[str]:
        """A finished plot whose job is not over is on its temp farm or on a disk."""
        names = {Path(path).name for path in plots}
        for index in before.keys() & jobs.keys():
            job = before[index]
            if job["stage"] in ("delivering", "stranded"):
                on_temp = f"{job['temp_path']}/goplot-{index}/{job['plot_file']}"
                there = os.path.lexists(self.farm.inside(on_temp)) or job["plot_file"] in names
                # It may have been delivered, and be over, since.
                if not there and index in self.farm.jobs():
                    yield f"the finished plot {index} is lost"

    def _left(
        self,
        on_temp: Iterable[str],
        partial: Iterable[str],
        live: dict[int, Json],
        results: list[Json],
    ) -> Iterable[str]:
        """Nothing lies about but what jobs are at, what others have put there, and kept plots."""
        kept = kept_folders(results)
        mine = {f"{job['temp_path']}/goplot-{index}" for index, job in live.items()}
        yield from (f"left on temp: {path!r}" for path in set(on_temp) - mine - self.foreign - kept)
        for path in set(partial) - self.foreign:
            name, disk = Path(path).name, str(Path(path).parents[1])
            if not any(job["disk_path"] == disk and job["plot_file"] for job in live.values()):
                yield f"left beside plots: {name!r} on {disk}"

    def _counted(self, results: list[Json], jobs: dict[int, Json]) -> Iterable[str]:
        """No counter goes back, or counts what was not."""
        try:
            text = self.farm.inside(TEXTFILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        now = {name: float(value) for name, value in _COUNTER.findall(text)}
        for name, value in self._counters.items():
            if now.get(name, 0.0) < value:
                yield f"{name} went back from {value} to {now.get(name)}"
        self._counters |= {name: max(now[name], self._counters.get(name, 0.0)) for name in now}
        done = sum(1 for result in results if result["done"])
        most = {
            "goplot_plots_finished_total": done,
            "goplot_plots_started_total": len({r["index"] for r in results} | jobs.keys()),
        }
        for name, value in most.items():
            if now.get(name, 0.0) > value:
                yield f"{name} counts more than there were"


def _volumes(farm: Farm) -> dict[str, tuple[str, int]]:
    """By mount point its device, and the bytes that an unprivileged user may still write there."""
    lines = farm.inside("/proc/1/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    device = {line.split()[1]: line.split()[0] for line in lines}
    found = {}
    for place in (*TEMPS.values(), *DISKS.values()):
        if place in device:
            status = os.statvfs(farm.inside(place))
            found[place] = device[place], status.f_bavail * status.f_frsize
    return found


def _over_promised(
    farm: Farm, volumes: dict[str, tuple[str, int]], jobs: dict[int, Json]
) -> Iterable[str]:
    """No device has less free than jobs will still write to it, under whatever names."""
    free = dict(volumes.values())
    for device, promised in _promised(farm, volumes, jobs).items():
        if promised > free[device]:
            places = [place for place in volumes if volumes[place][0] == device]
            yield f"more is promised than {', '.join(places)} have"


def unpromised(farm: Farm, place: str) -> int:
    """Bytes of a disk that no job will write."""
    volumes = _volumes(farm)
    device, free = volumes[place]
    return free - _promised(farm, volumes, farm.jobs())[device]


def _promised(
    farm: Farm, volumes: dict[str, tuple[str, int]], jobs: dict[int, Json]
) -> Counter[str]:
    """By device, what jobs will still write."""
    promised: Counter[str] = Counter()
    for index, job in jobs.items():
        temp, disk = job["temp_path"], job["disk_path"]
        if job["stage"] in ("placed", "plotting") and temp in volumes:
            written = _allocated(farm, f"{temp}/goplot-{index}")
            promised[volumes[temp][0]] += max(0, job["temp_bytes"] - written)
        if job["stage"] != "stranded" and disk in volumes:
            name = job["plot_file"]
            copies = (f"{disk}/plots/{name}", f"{disk}/plots/{name}.tmp") if name else ()
            written = sum(_allocated(farm, copy) for copy in copies)
            promised[volumes[disk][0]] += max(0, job["plot_bytes"] - written)
    return promised


def _allocated(farm: Farm, path: str) -> int:
    """Bytes of a file, or of the files in a folder, on their disk; 0 when it is not there."""
    try:
        top = farm.inside(path)
        paths = list(top.iterdir()) if top.is_dir() else [top]
    except OSError:
        return 0
    total = 0
    for one in paths:
        with contextlib.suppress(OSError):
            total += one.lstat().st_blocks * 512
    return total


def _roots_own(farm: Farm) -> Iterable[str]:
    """Nothing that a service of goplot has to replace is root's."""
    places = [farm.inside(folder) for folder in (STATE, f"{STATE}/jobs")]
    paths = [path for place in places for path in place.iterdir()]
    paths += [farm.inside(TEXTFILE)]
    paths += [farm.inside(f"{disk}/logs/.goplot-probe") for disk in DISKS.values()]
    paths += [farm.inside(f"{temp}/.goplot-probe") for temp in TEMPS.values()]
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            if path.name != "lost+found" and path.lstat().st_uid == ROOT:
                yield f"root owns {path.name}"
