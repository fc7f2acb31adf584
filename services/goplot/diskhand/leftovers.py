"""Partial copies of plots that goplot left on a disk that went away while it was copied to."""

import os
from collections.abc import Iterable
from pathlib import Path

from goplot.host.files import locked
from goplot.host.jobstore import read_jobs, read_results
from goplot.host.mounts import opened
from goplot.host.settings import Settings

SUFFIX = ".plot.tmp"


def remove_leftovers(settings: Settings, found: Iterable[tuple[Path, str]]) -> list[str]:
    """Remove those of the `.plot.tmp` files (disk, name) that belong to goplot and to no job.

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
