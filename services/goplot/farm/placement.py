"""Where the next plot goes. Pure: the same answer for the same facts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from goplot.farm.disks import Disk, TempFarm


class NoRoom(StrEnum):
    """Why a plot can't be placed."""

    NO_DISK = "no_disk"
    DISK_SPACE = "disk_space"
    DISK_REFUSED = "disk_refused"
    DISK_LIMIT = "disk_limit"
    NO_TEMP = "no_temp"
    TEMP_SPACE = "temp_space"
    TEMP_LIMIT = "temp_limit"


@dataclass(frozen=True, slots=True)
class Limits:
    """Further limits on placement; 0 turns one off.

    At most `temp_jobs` jobs in a temp farm, at most `early_jobs` of them before phase
    `early_phase`, at most `dest_jobs` jobs that write to one destination farm.
    """

    temp_jobs: int = 0
    early_jobs: int = 0
    early_phase: int = 0
    dest_jobs: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that one plot needs: at its destination and in its temp farm.

    `temp2_bytes` are those of its second temporary files, in the temp farm of that number (None: it
    has none), which takes no others.
    """

    plot_bytes: int
    temp_bytes: int
    temp2_farm: int | None = None
    temp2_bytes: int = 0

    def temp_bytes_on(self, farm: int) -> int:
        """Bytes that it needs in a temp farm if it is placed there."""
        return self.temp2_bytes if farm == self.temp2_farm else self.temp_bytes


@dataclass(frozen=True, slots=True)
class Placement:
    """A place for one plot."""

    disk: Disk
    temp: TempFarm
    temp2: TempFarm | None = None


def rotate(farms: Iterable[int], last: int) -> list[int]:
    """Farm numbers in the order in which they are tried: the first one after `last` comes first."""
    numbers = sorted(set(farms))
    return [n for n in numbers if n > last] + [n for n in numbers if n <= last]


def place_disk(disks: Sequence[Disk], plot_bytes: int, last_farm: int) -> Disk | NoRoom:
    """The destination disk: rotate over farms with room, then least claimed space first."""
    found = _disks_in_order(disks, plot_bytes, last_farm, 0)
    return found if isinstance(found, NoRoom) else found[0]


def _disks_in_order(
    disks: Sequence[Disk], plot_bytes: int, last_farm: int, farm_jobs_limit: int
) -> list[Disk] | NoRoom:
    """Every disk that fits, the best one first."""
    usable = [disk for disk in disks if disk.in_rotation]
    if not usable:
        return NoRoom.NO_DISK
    with_room = [disk for disk in usable if disk.available >= plot_bytes]
    if not with_room:
        return NoRoom.DISK_SPACE
    fitting: dict[int, list[Disk]] = {}
    for disk in with_room:
        if disk.takes(plot_bytes):
            fitting.setdefault(disk.farm, []).append(disk)
    if not fitting:
        return NoRoom.DISK_REFUSED
    if farm_jobs_limit:
        jobs: dict[int, int] = {}
        for disk in disks:
            jobs[disk.farm] = jobs.get(disk.farm, 0) + disk.jobs
        fitting = {f: d for f, d in fitting.items() if jobs[f] < farm_jobs_limit}
        if not fitting:
            return NoRoom.DISK_LIMIT
    return [
        disk
        for farm in rotate(fitting, last_farm)
        for disk in sorted(fitting[farm], key=lambda disk: (disk.claimed, disk.name))
    ]


def place_temp(
    temps: Sequence[TempFarm], temp_bytes: int, last_farm: int, limits: Limits
) -> TempFarm | NoRoom:
    """The temp farm: rotate over those with room that no limit excludes."""
    usable = [temp for temp in temps if temp.trouble is None and temp.space is not None]
    if not usable:
        return NoRoom.NO_TEMP
    fitting = [temp for temp in usable if temp.available >= temp_bytes]
    if not fitting:
        return NoRoom.TEMP_SPACE
    allowed = {temp.farm: temp for temp in fitting if _within(temp, limits)}
    if not allowed:
        return NoRoom.TEMP_LIMIT
    return allowed[rotate(allowed, last_farm)[0]]


def place(
    disks: Sequence[Disk],
    temps: Sequence[TempFarm],
    need: Need,
    last_dest: int,
    last_temp: int,
    limits: Limits,
) -> Placement | NoRoom:
    """A place for one plot at both its destination and a temp farm, or why there is none.

    A temp farm on the file system of the destination must have room for both.
    """
    fitting = _disks_in_order(disks, need.plot_bytes, last_dest, limits.dest_jobs)
    if isinstance(fitting, NoRoom):
        return fitting
    shared = {temp.volume for temp in temps} - {None}
    failed: dict[str | None, NoRoom] = {}
    for disk in fitting:
        # Disks that share no file system with a temp farm are alike for the temp farms.
        volume = disk.volume if disk.volume in shared else None
        if volume in failed:
            continue
        beside = [
            replace(temp, elsewhere=temp.elsewhere + need.plot_bytes)
            if volume is not None and temp.volume == volume
            else temp
            for temp in temps
        ]
        found = _place_temps(beside, need, last_temp, limits)
        if not isinstance(found, NoRoom):
            by_farm = {temp.farm: temp for temp in temps}
            return Placement(disk, by_farm[found.farm], by_farm.get(need.temp2_farm or 0))
        failed[volume] = found
    return next(iter(failed.values()))


def _place_temps(
    temps: Sequence[TempFarm], need: Need, last_temp: int, limits: Limits
) -> TempFarm | NoRoom:
    """The temp farm, if the second one has room as well."""
    if need.temp2_farm is None:
        return place_temp(temps, need.temp_bytes, last_temp, limits)
    second = [temp for temp in temps if temp.farm == need.temp2_farm]
    found = place_temp(second, need.temp2_bytes, 0, Limits())
    if isinstance(found, NoRoom):
        return found
    firsts = [
        replace(temp, elsewhere=temp.elsewhere + need.temp2_bytes)
        if found.volume is not None and temp.volume == found.volume
        else temp
        for temp in temps
        if temp.farm != found.farm
    ]
    return place_temp(firsts, need.temp_bytes, last_temp, limits)


def _within(temp: TempFarm, limits: Limits) -> bool:
    if limits.temp_jobs and len(temp.phases) >= limits.temp_jobs:
        return False
    if limits.early_jobs and limits.early_phase:
        early = sum(1 for phase in temp.phases if _is_before(phase, limits.early_phase))
        return early < limits.early_jobs
    return True


def _is_before(phase: str, limit: int) -> bool:
    """True when a job is before the given phase; a phase without a number is after plotting."""
    if phase == "start":
        return True
    return phase.isdigit() and int(phase) < limit
