"""Gathers the facts for placement and status: disks, temp farms, jobs and their files."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from goplot.farm.disks import (
    LINK,
    NAME_TWICE,
    NO_FOLDERS,
    NO_INODES,
    NOT_MOUNTED,
    NOT_UTF8,
    OUT_OF_ROTATION_KIB,
    READ_ONLY,
    Disk,
    Refused,
    Space,
    TempFarm,
    Trouble,
    failing,
)
from goplot.farm.jobs import Claim, Job, Ledger, Start, Written, claim_of, ledger
from goplot.farm.names import is_utf8, shown
from goplot.farm.refusals import Refusal, refused
from goplot.host import clock
from goplot.host.diskstate import read_temp_faults
from goplot.host.jobstore import read_jobs
from goplot.host.mounts import Mount, read_mounts, read_space
from goplot.host.processes import foreign_plots
from goplot.host.refusals import read_refusals
from goplot.host.settings import Settings
from goplot.plotters.base import ForeignPlot

_FARM = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Observation:
    """The farm at one `moment`. `broken` holds what is wrong with job files, by index."""

    disks: tuple[Disk, ...]
    temps: tuple[TempFarm, ...]
    jobs: tuple[Job, ...]
    broken: Mapping[int, str]
    foreign: int
    moment: Start

    @property
    def running(self) -> int:
        """Plots that run on this host, including those started by hand outside goplot."""
        return len(self.jobs) + len(self.broken) + self.foreign


def observe(settings: Settings) -> Observation:
    """Read mounts, disks, disk files, jobs and processes. Raises OSError."""
    roots = settings.roots
    moment = clock.now()
    mounts = read_mounts(settings.host.mountinfo)
    jobs, broken = read_jobs(roots.jobs)
    foreign = foreign_plots(settings.host.proc, (roots.plot_temp,))
    claims = [claim_of(job, written_by(job)) for job in jobs]
    claims += _foreign_claims(foreign, mounts)
    book = ledger(claims, {mount.path: mount.volume for mount in mounts.values()})
    faults = read_temp_faults(roots.state)
    return Observation(
        disks=_disks(settings, mounts, book, moment),
        temps=tuple(
            _temp(farm, path, mounts, book, faults.get(str(path)))
            for farm, path in _farms(roots.plot_temp)
        ),
        jobs=tuple(jobs),
        broken=broken,
        foreign=len(foreign),
        moment=moment,
    )


def written_by(job: Job) -> Written:
    """Bytes on disk of a job's temporary files, and of its plot at the destination."""
    temp = _allocated_in(job.folder)
    temp2 = 0 if job.temp2_folder is None else _allocated_in(job.temp2_folder)
    dest = 0
    if job.plot_file is not None and job.partial_file is not None:
        for name in (job.plot_file, job.partial_file):
            try:
                dest += (job.disk_path / "plots" / name).lstat().st_blocks * 512
            except OSError:
                continue
    return Written(temp, dest, temp2)


def list_disks(farm_root: Path) -> list[tuple[int, str, Path]]:
    """Every disk folder: farm, name as it is shown, path; by farm, then name in natural order.

    A link is listed too: whoever made it takes it for a disk.
    """
    found = []
    for farm, path in _farms(farm_root):
        with os.scandir(path) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) or entry.is_symlink()
            ]
        names = sorted((name for name in names if name != "lost+found"), key=_natural)
        found += [(farm, shown(name), path / name) for name in names]
    return found


def read_disk_file(path: Path) -> int | None:
    """KiB in a disk file; None if it is missing or empty.

    A text that is not a number counts as taken out, since somebody wrote it on purpose. So does a
    file that can't be read.
    """
    try:
        text = path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError:
        return OUT_OF_ROTATION_KIB
    if not text:
        return None
    last = text.splitlines()[-1].strip()
    return int(last) if re.fullmatch(r"[0-9]{1,30}", last) else OUT_OF_ROTATION_KIB


def look_at(path: Path, mounts: Mapping[str, Mount]) -> tuple[Space | None, Trouble | None]:
    """Space of a folder that must be a mount point, and its trouble if it has any."""
    mount = mounts.get(str(path))
    if mount is None:
        return None, NOT_MOUNTED
    try:
        space = read_space(path)
    except OSError as error:
        return None, failing(error.strerror)
    if mount.read_only:
        return space, READ_ONLY
    return space, None if space.inodes else NO_INODES


def folder_trouble(disk: Path) -> Trouble | None:
    """Why a mounted disk's folders for plots and their logs can't be used (None: they can)."""
    try:
        modes = [(disk / name).stat().st_mode for name in ("plots", "logs")]
    except FileNotFoundError:
        return NO_FOLDERS
    except OSError as error:
        return failing(error.strerror)
    return None if all(stat.S_ISDIR(mode) for mode in modes) else NO_FOLDERS


def _disks(
    settings: Settings, mounts: Mapping[str, Mount], book: Ledger, moment: Start
) -> tuple[Disk, ...]:
    disks = []
    refusals = read_refusals(settings.roots.state)
    listed = list_disks(settings.roots.farm)
    names = [name for _, name, _ in listed]
    twice = (
        {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    )
    for farm, name, path in listed:
        space, trouble = (None, LINK) if _is_link(path) else look_at(path, mounts)
        trouble = trouble or folder_trouble(path)
        volume = _volume_of(path, mounts)
        entry = book.of_disk(path, volume)
        disk = Disk(
            farm=farm,
            name=name,
            path=Path(shown(str(path))),
            space=space,
            trouble=trouble if is_utf8(path.name) else NOT_UTF8,
            disk_file_kib=read_disk_file(settings.roots.disks / f"{name}.goplot"),
            committed=entry.bytes,
            jobs=len(entry.phases),
            elsewhere=entry.elsewhere,
            volume=volume,
            refused=_refused(refusals.get(str(path)), space, moment),
        )
        disks.append(replace(disk, trouble=disk.trouble or NAME_TWICE) if name in twice else disk)
    return tuple(disks)


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:
        # A file system whose device is gone may not even say what its folder is: XFS does not.
        return False


def _refused(refusal: Refusal | None, space: Space | None, moment: Start) -> Refused | None:
    if refusal is None or space is None:
        return None
    return refused(refusal, space, clock.seconds_between(refusal.moment, moment))


def _temp(
    farm: int,
    path: Path,
    mounts: Mapping[str, Mount],
    book: Ledger,
    fault: str | None,
) -> TempFarm:
    """A temp farm; `fault` is why it rejected the last write by diskhand."""
    space, trouble = look_at(path, mounts)
    if trouble is None and fault is not None:
        trouble = failing(fault)
    if trouble is None:
        try:
            # A file system whose device is gone may still report its size.
            with os.scandir(path) as entries:
                next(entries, None)
        except OSError as error:
            trouble = failing(error.strerror)
    volume = _volume_of(path, mounts)
    entry = book.of_temp(path, volume)
    return TempFarm(farm, path, space, trouble, entry.bytes, entry.phases, entry.elsewhere, volume)


def _farms(root: Path) -> list[tuple[int, Path]]:
    try:
        names = [entry.name for entry in os.scandir(root) if entry.is_dir()]
    except FileNotFoundError:
        return []
    return [
        (int(name), root / name) for name in sorted(names, key=_natural) if _FARM.fullmatch(name)
    ]


def _foreign_claims(
    plots: list[tuple[ForeignPlot, int]], mounts: Mapping[str, Mount]
) -> list[Claim]:
    """What plots that were started by hand will still write.

    Plotters share temp folders, so what is written there is set off against all of them.
    """
    written: dict[Path, int] = {}
    claims = []
    for plot, temp_bytes in plots:
        temp = dest = None
        spent = 0
        if plot.temp_paths:
            folder = plot.temp_paths[0]
            temp = _mount_of(folder, mounts)
            there = written.setdefault(folder, _temporary_bytes(folder))
            spent = min(there, temp_bytes)
            written[folder] -= spent
        if plot.dest_path:
            dest = _mount_of(plot.dest_path, mounts)
        claims.append(Claim(temp, temp_bytes - spent, dest, plot.format.plot_bytes, "start"))
    return claims


def _temporary_bytes(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(_allocated(entry) for entry in entries if entry.name.endswith(".tmp"))
    except OSError:
        return 0


def _mount_of(path: Path, mounts: Mapping[str, Mount]) -> Path | None:
    """The mount point that holds a path."""
    for candidate in (path, *path.parents):
        if str(candidate) in mounts:
            return candidate
    return None


def _volume_of(path: Path, mounts: Mapping[str, Mount]) -> str | None:
    mount = mounts.get(str(path))
    return None if mount is None else mount.volume


def _allocated_in(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(_allocated(entry) for entry in entries)
    except OSError:
        return 0


def _allocated(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except OSError:
        return 0


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sort key that puts disk2 before disk10."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name)
    return [(not digits, int(digits or 0), digits or text) for digits, text in parts]
