"""Files that goplot left on a disk or temp farm that disappeared while a job was using it."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from goplot.host.files import locked
from goplot.host.jobstore import read_jobs, read_results
from goplot.host.mounts import opened
from goplot.host.observe import Observation
from goplot.host.plotfiles import clean, finished_plot
from goplot.host.settings import Settings

SUFFIX = ".plot.tmp"
_FOLDER = re.compile(r"goplot-([0-9]+)")


def remove_leftovers(settings: Settings, found: Iterable[tuple[Path, str]]) -> list[str]:
    """Remove those of the `.plot.tmp` files (disk, name) that belong to goplot but to no job.

    A file is goplot's when the plot of that very name is or was one of its jobs; whatever
    somebody else copies stays. Returns a line for each that was removed. Raises OSError.
    """
    files = list(found)
    if not files:
        return []
    removed: list[str] = []
    # No job can choose its destination meanwhile.
    with locked(settings.roots.state / "start.lock"):
        jobs, broken = read_jobs(settings.roots.jobs)
        if broken:
            return []
        ours = {result.plot_file for result in read_results(settings.roots.state)}
        ours |= {job.plot_file for job in jobs}
        busy = {(job.disk_path, job.plot_file) for job in jobs}
        for disk, name in files:
            plot = name.removesuffix(".tmp")
            if plot in ours and (disk, plot) not in busy:
                with opened(disk, settings.host.mountinfo) as mount:
                    os.unlink(f"plots/{name}", dir_fd=mount)
                removed.append(f"{disk} removed {name}, left by a copy that was cut off")
    return removed


def clean_temps(settings: Settings, observation: Observation) -> list[str]:
    """Remove the temporary files of ended jobs from writable temp farms.

    A job that ended while its temp farm was away could not do it. A finished plot of a job that
    failed is kept, with its folder. Returns a line for each folder. Raises
    OSError when the state can't be read.
    """
    lines: list[str] = []
    found: list[tuple[int, Path]] = []
    for temp in observation.temps:
        if temp.trouble is None:
            try:
                found += _job_folders(temp.path)
            except OSError as error:
                lines.append(f"{temp.path} can't be read: {error.strerror}")
    if not found:
        return lines
    # In this order: a job that has a result and no job file never comes back.
    done = {result.index: result.done for result in read_results(settings.roots.state)}
    jobs, broken = read_jobs(settings.roots.jobs)
    busy = {job.index for job in jobs} | set(broken)
    for index, folder in found:
        if index not in done or index in busy:
            continue
        try:
            lines.append(_clear(folder, done=done[index]))
        except OSError as error:
            lines.append(f"{folder} can't be removed: {error.strerror}")
    return lines


def _clear(folder: Path, *, done: bool) -> str:
    """Remove the files that an ended job left, and report it. Raises OSError."""
    if not done and finished_plot(folder) is not None:
        return f"{folder} holds a finished plot of a job that failed; it is kept"
    left = clean(folder)
    rest = f", but not {', '.join(left)}" if left else ""
    return f"{folder} was left by a job that is over; its files are removed{rest}"


def _job_folders(temp: Path) -> list[tuple[int, Path]]:
    """The folders of jobs in a temp farm, each with its job's index. Raises OSError."""
    with os.scandir(temp) as entries:
        return [
            (int(match[1]), Path(entry.path))
            for entry in entries
            if (match := _FOLDER.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)
        ]
