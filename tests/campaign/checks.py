"""What must be true of a farm on which no plot runs, whatever was done to it before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Set
from pathlib import Path

from tests.campaign.farm import STATE, TEXTFILE, Farm, Json
from tests.tools.plots_check import proofs_found

CHALLENGES = 30
_ID = re.compile(r"[0-9a-f]{64}")
_LINKS = "/opt/plots-to-check"
_STARTED = re.compile(r"plot-([0-9]+) starts: ")
_KEPT = re.compile(r"; left in (\S+): (?:[^/]+\.(?:plot|plot2|gplot)(?:, )?)+$")
_METRIC = re.compile(r'^(goplot_plots_\w+_total)(?:\{reason="(\w+)"\})? (\S+)$', re.M)


def faults(farm: Farm, foreign: Set[str] = frozenset()) -> list[str]:
    """Everything that is wrong with a quiet farm; nothing when it is as it must be.

    `foreign`: plots of others, by path.
    """
    return [
        *_indexes(farm),
        *_files(farm, foreign),
        *_reservations(farm),
        *_counters(farm),
    ]


def _indexes(farm: Farm) -> Iterable[str]:
    """No index is used twice, and each that was used has one result."""
    ended = [result["index"] for result in farm.results()]
    started = [int(index) for index in _STARTED.findall(farm.goplot_log())]
    logs = [int(Path(log).name.split(".")[1]) for log in farm.logs()]
    for what, indexes in (("result", ended), ("start", started), ("log file", logs)):
        for index, times in Counter(indexes).items():
            if times > 1:
                yield f"index {index} has {times} of: {what}"
    for what, indexes in (("start", started), ("log file", logs)):
        for index in set(indexes) - set(ended):
            yield f"index {index} has a {what} and no result"


def _files(farm: Farm, foreign: Set[str]) -> Iterable[str]:
    """Each plot that is done is one file; nothing lies where it should not."""
    there = Counter(Path(path).name for path in farm.plots() - foreign)
    done = Counter(result["plot_file"] for result in farm.results() if result["done"])
    for name in there.keys() | done.keys():
        if (there[name], done[name]) != (1, 1):
            yield f"{name!r}: {done[name]} results, {there[name]} files"
    disks = {Path(path).name: Path(path).parts[3] for path in farm.plots()}
    for result in farm.results():
        if result["done"] and disks.get(result["plot_file"]) != result["disk"]:
            yield f"plot {result['index']} is not on {result['disk']} as its result says"
    kept = kept_folders(farm.results())
    yield from (f"left on temp: {path!r}" for path in farm.left_on_temp() if path not in kept)
    yield from (f"left beside plots: {path!r}" for path in farm.partial_plots())
    yield from (f"outside a mount: {path}" for path in farm.beneath())


def _reservations(farm: Farm) -> Iterable[str]:
    """No job, no lock, no half-written record, no committed space."""
    for path in farm.inside(f"{STATE}/jobs").iterdir():
        yield f"left in jobs: {path.name}"
    for path in farm.inside(STATE).iterdir():
        if path.name.startswith("."):
            yield f"left in state: {path.name}"
    status = farm.status()
    for place in [*status["disks"], *status["temps"]]:
        if place["committed"] != 0:
            yield f"{place['path']} has {place['committed']} bytes committed"
    kept = kept_folders(farm.results())
    for problem in status["problems"]:
        if str(Path(problem.split(" is ")[0]).parent) not in kept:
            yield f"problem: {problem}"


def kept_folders(results: Iterable[Json]) -> set[str]:
    """Folders of plots that a power cut hit before they were synced: a person decides."""
    crashed = [result["detail"] for result in results if result["reason"] == "crash"]
    return {match[1] for detail in crashed if (match := _KEPT.search(detail))}


def _counters(farm: Farm) -> Iterable[str]:
    """The metrics count what the results say."""
    farm.run("systemctl", "reset-failed", "goplot-plotter-collector.service")
    farm.run("systemctl", "start", "goplot-plotter-collector.service")
    text = farm.inside(TEXTFILE).read_text(encoding="utf-8")
    said = {(name, reason): float(value) for name, reason, value in _METRIC.findall(text)}
    results = farm.results()
    failed = Counter(result["reason"] for result in results if not result["done"])
    expected: dict[tuple[str, str], float] = {
        ("goplot_plots_started_total", ""): len(results),
        ("goplot_plots_finished_total", ""): farm.done(),
    }
    expected |= {("goplot_plots_failed_total", reason): n for reason, n in failed.items()}
    if said != expected:
        yield f"counters are {said}, results say {expected}"


def over_full(farm: Farm) -> list[str]:
    """Disks and temp farms on which more is committed than free, in three looks running.

    One look alone proves nothing: a plot grows between the moments at which its own size and the
    disk's free space are read.
    """
    found: set[str] = set()
    for look in range(3):
        status = farm.status()
        over = {
            place["path"]
            for place in [*status["disks"], *status["temps"]]
            if place["size"] is not None and place["committed"] > place["size"] - place["used"]
        }
        found = over if look == 0 else found & over
        if not found:
            break
    return sorted(found)


def bad_plots(farm: Farm, paths: Collection[str]) -> list[str]:
    """Those of the plots that `chia plots check` does not accept, whatever their names."""
    links = farm.inside(_LINKS)
    links.mkdir()
    ids = {path: _ID.findall(path)[-1] for path in paths}
    for path, plot_id in ids.items():
        (links / f"{plot_id}.plot").symlink_to(path)
    found = proofs_found(farm.machine, [Path(_LINKS)], CHALLENGES)
    farm.remove(_LINKS)
    proofs = {path: found.get(f"{plot_id}.plot", (0, 0)) for path, plot_id in ids.items()}
    # A plot has a proof for a challenge on average; none in thirty is one chance in 10^13.
    return [f"{path!r}: {known}" for path, known in proofs.items() if known[0] == 0]
