"""Files that goplot left on a disk or temp farm that disappeared while a job was using it."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from goplot.farm.jobs import partial_name
from goplot.farm.names import shown
from goplot.host.files import locked
from goplot.host.jobstore import Result, read_jobs, read_results
from goplot.host.mounts import opened
from goplot.host.observe import Observation
from goplot.host.plotfiles import clean, find_plots, job_folders, read_header
from goplot.host.settings import Settings


def remove_leftovers(settings: Settings, found: Iterable[tuple[Path, str]]) -> list[str]:
    """Remove those of the partial copies (disk, name) that belong to goplot but to no job.

    A file is goplot's when a copy by one of its jobs has or had that very name; whatever
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
        ours = {
            partial_name(result.plot_file, result.plot_id)
            for result in read_results(settings.roots.state)
            if result.plot_file is not None
        }
        ours |= {job.partial_file for job in jobs if job.partial_file is not None}
        busy = {(job.disk_path, job.partial_file) for job in jobs}
        for disk, name in files:
            if name in ours and (disk, name) not in busy:
                with opened(disk, settings.host.mountinfo) as mount:
                    os.unlink(f"plots/{name}", dir_fd=mount)
                removed.append(f"{disk} removed {name}, left by a copy that was cut off")
    return removed


def kept_plots(observation: Observation) -> dict[int, list[Path]]:
    """By temp farm, the plots that no job delivers; those that the caller may not see are missing.

    They wait for a person, who moves them to a disk or deletes them.
    """
    busy = {job.index for job in observation.jobs} | set(observation.broken)
    kept: dict[int, list[Path]] = {}
    for temp in observation.temps:
        found = kept.setdefault(temp.farm, [])
        with contextlib.suppress(OSError):
            for index, folder in job_folders(temp.path):
                if index not in busy:
                    with contextlib.suppress(OSError):
                        found += find_plots(folder)
    return kept


def clean_temps(settings: Settings, observation: Observation) -> list[str]:
    """Remove the temporary files of ended jobs from writable temp farms.

    A job that ended while its temp farm was away could not do it. Plots are kept, unless there is
    a verified copy. Returns a line for each folder. Raises OSError when the state can't be read.
    """
    lines: list[str] = []
    found: list[tuple[int, Path]] = []
    for temp in observation.temps:
        if temp.trouble is None:
            try:
                found += job_folders(temp.path)
            except OSError as error:
                lines.append(f"{temp.path} can't be read: {error.strerror}")
    if not found:
        return lines
    # In this order: a job that has a result and no job file never comes back.
    ended = {result.index: result for result in read_results(settings.roots.state)}
    jobs, broken = read_jobs(settings.roots.jobs)
    busy = {job.index for job in jobs} | set(broken)
    for index, folder in found:
        if index not in ended or index in busy:
            continue
        try:
            lines.append(_clear(folder, ended[index]))
        except OSError as error:
            lines.append(f"{folder} can't be removed: {error.strerror}")
    return lines


def _clear(folder: Path, result: Result) -> str:
    """Remove the files that an ended job left, and report it. Raises OSError."""
    left = clean(folder, _delivered(folder, result))
    plots = [shown(str(path.relative_to(folder))) for path in find_plots(folder)]
    if plots:
        return (
            f"{folder} holds a finished plot that no job delivers; it is kept: {', '.join(plots)}"
        )
    rest = f", but not {', '.join(left)}" if left else ""
    return f"{folder} was left by a job that is over; its files are removed{rest}"


def _delivered(folder: Path, result: Result) -> str | None:
    """Name of the plot that a job delivered, if it is still in the job's folder. Raises OSError."""
    if not result.done or result.plot_file is None:
        return None
    try:
        with (folder / result.plot_file).open("rb") as file:
            header = read_header(file.fileno())
    except FileNotFoundError:
        return None
    # Most results have the id in the plot's name alone.
    known = result.plot_id or result.plot_file
    return result.plot_file if header is not None and header.plot_id in known else None
