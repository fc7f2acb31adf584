"""goplot-diskhand: checks every disk once, and takes full ones out of rotation."""

import errno
import json
import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from goplot.diskhand.leftovers import clean_temps, remove_leftovers
from goplot.diskhand.probe import ON_DISK, ON_TEMP, probe_all
from goplot.diskhand.verdict import DiskFile, Verdict, judge
from goplot.farm.codec import encode
from goplot.farm.disks import NO_INODES, READ_ONLY, Disk, TempFarm, failing
from goplot.host import program
from goplot.host.diskstate import (
    Own,
    own_path,
    plots_path,
    read_own,
    read_temp_faults,
    temp_faults_path,
)
from goplot.host.files import locked, write_whole
from goplot.host.log import timestamp
from goplot.host.observe import observe, read_disk_file
from goplot.host.plotfiles import TEMPORARY, is_plot, is_plot_name
from goplot.host.settings import Settings
from goplot.host.success import record_success

_logger = logging.getLogger(__name__)


def run(settings: Settings) -> list[str]:
    """Check every disk and write its file. Returns the lines of diskhand.log. Raises OSError."""
    roots = settings.roots
    observation = observe(settings)
    disks = _probed(observation.disks, settings.host.mountinfo)
    plot_bytes = settings.plot.format.plot_bytes
    earlier = read_own(roots.state)
    farms = sorted({disk.farm for disk in disks})
    lines = ["start goplot-diskhand", f"farms found: {' '.join(map(str, farms))}"]
    verdicts: list[tuple[Disk, Verdict]] = []
    for disk in disks:
        file = _look_at_file(roots.disks / f"{disk.name}.goplot")
        verdict = judge(disk, file, earlier.get(disk.name), plot_bytes)
        verdicts.append((disk, verdict))
        _report(disk, verdict, earlier.get(disk.name))
        lines += _lines(disk, verdict, roots.disks)
    _write_files(settings, verdicts, earlier)
    partial = _count_plots(settings, disks)
    lines += remove_leftovers(settings, partial)
    lines += clean_temps(settings, observation)
    lines += _probe_temps(settings, observation.temps)
    lines.append("finished goplot-diskhand")
    return lines


def _report(disk: Disk, verdict: Verdict, earlier: Own | None) -> None:
    """Log changes since the last run: diskhand.log contains everything, every time."""
    before = "" if earlier is None else earlier.reason
    if verdict.kib is None or verdict.reason == before:
        return
    if disk.trouble is not None:
        _logger.warning("%s %s: out of rotation", disk.path, disk.trouble.predicate)
    else:
        _logger.info("%s is %s", disk.path, verdict.reason or "in rotation again")


def _probed(disks: tuple[Disk, ...], mountinfo: Path) -> list[Disk]:
    """The disks, with trouble set for those that reject writes."""
    faults = probe_all([disk.path for disk in disks if disk.trouble is None], ON_DISK, mountinfo)
    return [
        replace(disk, trouble=failing(faults[disk.path])) if disk.path in faults else disk
        for disk in disks
    ]


def _probe_temps(settings: Settings, temps: tuple[TempFarm, ...]) -> list[str]:
    """Save for placement which temp farms reject writes. Returns a line for each of them."""
    # One that failed the last time is checked again: its space can be read.
    asked = [temp.path for temp in temps if temp.space is not None and temp.trouble != READ_ONLY]
    faults = probe_all(asked, ON_TEMP, settings.host.mountinfo)
    known = read_temp_faults(settings.roots.state)
    for path, fault in faults.items():
        if known.get(str(path)) != fault:
            _logger.warning("%s is %s", path, failing(fault))
    document = {str(path): fault for path, fault in faults.items()}
    write_whole(temp_faults_path(settings.roots.state), json.dumps(document) + "\n", durable=False)
    return [f"{path} is {failing(fault)}" for path, fault in faults.items()]


def _lines(disk: Disk, verdict: Verdict, disks: Path) -> list[str]:
    if verdict.kib is None:
        return [f"{disks / disk.name}.goplot {verdict.text}"]
    lines = [f"checking space available on {disk.path}"]
    if disk.space is not None:
        used, total, free = (n >> 10 for n in (disk.space.used, disk.space.total, disk.space.free))
        lines.append(f"{disk.path} {used}/{total}/{free} used/total/available")
        lines.append(f"{disk.path} has {disk.committed >> 10} space committed")
        lines.append(f"{disk.path} has {disk.left >> 10} space available for plotting")
    if disk.refused is not None:
        lines.append(f"{disk.path} refused {disk.refused.size >> 10}: {disk.refused.detail}")
    return [*lines, f"{disk.path} {verdict.text}"]


def _look_at_file(path: Path) -> DiskFile:
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return DiskFile(None, 0)
    return DiskFile(read_disk_file(path), stamp)


def _write_files(
    settings: Settings, verdicts: list[tuple[Disk, Verdict]], earlier: dict[str, Own]
) -> None:
    """Write the disk files that have changed.

    What is about to be written is noted first: after a crash in between, a value that diskhand
    wrote is never taken for a person's.
    """
    roots = settings.roots
    stamp = time.time_ns()
    own: dict[str, Own] = {}
    changes: list[tuple[Path, int]] = []
    for disk, verdict in verdicts:
        known = earlier.get(disk.name)
        if verdict.kib is None:
            continue
        path = roots.disks / f"{disk.name}.goplot"
        if known is not None and _look_at_file(path) == DiskFile(verdict.kib, known.stamp):
            own[disk.name] = replace(known, reason=verdict.reason)
            continue
        own[disk.name] = Own(verdict.kib, stamp, verdict.reason)
        changes.append((path, verdict.kib))
    if own != earlier:
        document = {name: encode(entry) for name, entry in own.items()}
        write_whole(own_path(roots.state), json.dumps(document) + "\n")
    for path, kib in changes:
        temporary = path.with_name(f".{path.name}.new")
        try:
            temporary.write_text(f"{kib}\n")
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                # A file that can't be is one that can't be read: the disk is out.
                continue
            raise
        temporary.chmod(0o644)
        os.utime(temporary, ns=(stamp, stamp))
        temporary.rename(path)


def _count_plots(settings: Settings, disks: list[Disk]) -> list[tuple[Path, str]]:
    """Count the plots of every disk and save the numbers. Returns the partial copies on them."""
    partial: list[tuple[Path, str]] = []
    document: dict[str, int] = {}
    for disk in disks:
        if disk.trouble not in (None, READ_ONLY, NO_INODES):
            continue
        document[str(disk.path)], names = look_into(disk.path / "plots")
        # Partial copies beside `plots` are not goplot's.
        document[str(disk.path)] += look_into(disk.path)[0]
        if disk.trouble != READ_ONLY:
            partial += [(disk.path, name) for name in names]
    write_whole(plots_path(settings.roots.state), json.dumps(document) + "\n", durable=False)
    return partial


def look_into(folder: Path) -> tuple[int, list[str]]:
    """The number of plots in a folder, and the names of partial copies; none if it can't be read.

    Only the folder is read: opening each file would be expensive on a disk with many plots.
    """
    count = 0
    partial: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_plot(entry):
                    count += 1
                elif is_plot_name(entry.name.removesuffix(TEMPORARY)):
                    partial.append(entry.name)
    except OSError:
        return count, partial
    return count, partial


def main() -> int:
    """Run once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-diskhand", __doc__).parse_args()
    return program.run("goplot-diskhand", options.settings, _once, ("roots", "host"))


def check(settings: Settings) -> list[str]:
    """Run once, with the log and the record of success. Returns the log's lines. Raises OSError."""
    settings.roots.state.mkdir(parents=True, exist_ok=True)
    with locked(settings.roots.state / "diskhand.lock"):
        lines = run(settings)
        text = "".join(f"{timestamp()} - diskhand : {line}\n" for line in lines)
        write_whole(settings.roots.logs / "diskhand.log", text, durable=False)
    record_success(settings.roots.state, "diskhand")
    return lines


def _once(settings: Settings) -> int:
    check(settings)
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
