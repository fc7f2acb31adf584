"""goplot-harvester-collector: what the harvester farms, compared with the files on the disks."""

import logging
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.chia.common import add_services, peers
from goplot.chia.questions import COMMON, Answers, ask_all, number, text
from goplot.chia.rpc import Certificates, certificates_of
from goplot.host import program
from goplot.host.drives import add_places
from goplot.host.mounts import Mount, opened_on, read_mounts
from goplot.host.observe import list_disks
from goplot.host.plotfiles import PLOT_FOLDERS, is_plot
from goplot.host.processes import states_of
from goplot.host.settings import HarvesterSettings, Settings, SettingsError
from goplot.host.success import add_success
from goplot.host.textfile import Metrics

_logger = logging.getLogger(__name__)
#: A disk that does not answer within this many seconds gets no values.
_PATIENCE = 20.0
# By psutil's states; a process in none of these has ended.
_STATES = {
    "running": "running",
    "sleeping": "running",
    "idle": "running",
    "disk-sleep": "waiting_for_disk",
    "stopped": "stopped",
}
_PROCESS = "chia_harvester"


@dataclass(frozen=True, slots=True)
class Files:
    """The finished plots of one disk. `mounted` is None where the disk did not answer."""

    mounted: bool | None
    plots: int = 0
    size: int = 0


def collect(
    settings: Settings, harvester: HarvesterSettings, certificates: Certificates
) -> Metrics:
    """Query the harvester, inspect the disks. Raises OSError when mounts can't be read."""
    questions = {"harvester": (harvester.harvester, ("get_plots", *COMMON))}
    answers = ask_all(questions, certificates, harvester.timeout_seconds)
    disks = list_disks(settings.roots.farm)
    mounts = read_mounts(settings.host.mountinfo)
    files = scan((path for _, _, path in disks), mounts)
    metrics = Metrics()
    add_services(metrics, answers)
    answer = answers["harvester"]
    for reason in sorted(set(answer.refused.values())):
        _logger.warning("%s", reason)
    _add_process(metrics, settings.host.proc)
    _add_plots(metrics, answer, [(str(farm), name, path) for farm, name, path in disks])
    _add_disks(metrics, [(str(farm), name, files[path]) for farm, name, path in disks])
    places = [
        (mounts[str(path)], {"farm": str(farm), "disk": name})
        for farm, name, path in disks
        if str(path) in mounts
    ]
    add_places(metrics, places)
    add_success(metrics, {"harvester-collector": time.time()})
    return metrics


def scan(
    disks: Iterable[Path], mounts: Mapping[str, Mount], patience: float = _PATIENCE
) -> dict[Path, Files]:
    """The plots on each disk; one that hangs does not block the others."""
    found = {disk: Files(None) for disk in disks}

    def look(disk: Path) -> None:
        found[disk] = _files(disk, mounts)

    threads = [threading.Thread(target=look, args=(disk,), daemon=True) for disk in list(found)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(found)


def _files(disk: Path, mounts: Mapping[str, Mount]) -> Files:
    if str(disk) not in mounts:
        return Files(False)
    plots = size = 0
    try:
        with opened_on(disk, mounts) as mount:
            for name in PLOT_FOLDERS:
                try:
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
                    folder = os.open(name, flags, dir_fd=mount)
                except FileNotFoundError:
                    # A disk without a plots folder.
                    continue
                try:
                    with os.scandir(folder) as entries:
                        for entry in entries:
                            if is_plot(entry):
                                size += entry.stat().st_size
                                plots += 1
                finally:
                    os.close(folder)
    except FileNotFoundError:
        # A plot that was moved meanwhile.
        return Files(True, plots, size)
    except OSError:
        return Files(None)
    return Files(True, plots, size)


def _add_process(metrics: Metrics, proc: Path) -> None:
    states = Counter(_STATES.get(state, "ended") for state in states_of(_PROCESS, proc))
    for state in sorted({*_STATES.values(), "ended"}):
        metrics.add("chia_harvester_processes", states[state], state=state)


def _add_plots(metrics: Metrics, answer: Answers, disks: list[tuple[str, str, Path]]) -> None:
    if "get_connections" in answer.given:
        metrics.add("chia_harvester_farmer_connections", peers(answer)["farmer"])
    if "get_plots" not in answer.given:
        return
    formats: Counter[tuple[str, str, str]] = Counter()
    format_bytes: Counter[tuple[str, str, str]] = Counter()
    # A disk without plots is reported as 0, not left out.
    by_disk: Counter[tuple[str, str]] = Counter({(farm, name): 0 for farm, name, _ in disks})
    disk_bytes: Counter[tuple[str, str]] = Counter()
    places = {
        str(path / folder): (farm, name) for farm, name, path in disks for folder in PLOT_FOLDERS
    }
    for plot in answer.entries("get_plots", "plots"):
        size = int(number(plot, "file_size") or 0)
        kind = format_of(plot)
        formats[kind] += 1
        format_bytes[kind] += size
        place = places.get(str(Path(text(plot, "filename")).parent), ("", "other"))
        by_disk[place] += 1
        disk_bytes[place] += size
    for (version, k, compression), count in sorted(formats.items()):
        labels = {"version": version, "k": k, "compression": compression}
        size = format_bytes[version, k, compression]
        metrics.add("chia_harvester_plots", count, **labels)
        metrics.add("chia_harvester_plot_bytes", size, **labels)
    for (farm, disk), count in sorted(by_disk.items()):
        metrics.add("chia_harvester_disk_plots", count, farm=farm, disk=disk)
        metrics.add("chia_harvester_disk_plot_bytes", disk_bytes[farm, disk], farm=farm, disk=disk)
    for name, key in (
        ("chia_harvester_failed_plots", "failed_to_open_filenames"),
        ("chia_harvester_missing_keys", "not_found_filenames"),
    ):
        found = answer.given["get_plots"].get(key)
        if isinstance(found, list):
            metrics.add(name, len(found))


def format_of(plot: Mapping[str, Any]) -> tuple[str, str, str]:
    """A plot's version, k and compression; of a v2 plot the k is in its file's name.

    The `size` of a v2 plot is 0x80 with its strength in the lower bits.
    """
    size = int(number(plot, "size") or 0)
    level = str(int(number(plot, "compression_level") or 0))
    if size < 0x80:
        return "v1", str(size), level
    match = re.search(r"plot-k(\d{1,2})-", text(plot, "filename"))
    return "v2", match[1] if match else "", level


def _add_disks(metrics: Metrics, disks: list[tuple[str, str, Files]]) -> None:
    for farm, disk, files in disks:
        place = {"farm": farm, "disk": disk}
        metrics.add("goplot_harvester_disk_mounted", int(files.mounted is not False), **place)
        metrics.add("goplot_harvester_disk_up", int(bool(files.mounted)), **place)
        if files.mounted is not None:
            metrics.add("goplot_harvester_disk_plot_files", files.plots, **place)
            metrics.add("goplot_harvester_disk_plot_files_bytes", files.size, **place)


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-harvester-collector", __doc__).parse_args()
    tables = ("roots", "host", "chia", "harvester_collector")
    return program.run("goplot-harvester-collector", options.settings, _once, tables)


def _once(settings: Settings) -> int:
    harvester = settings.harvester_collector
    if harvester is None:
        raise SettingsError(f"{settings.path}: [harvester_collector] is missing; add that table")
    certificates = certificates_of(settings.chia.root, "harvester")
    metrics = collect(settings, harvester, certificates)
    metrics.write(settings.roots.textfiles, "goplot_harvester")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
