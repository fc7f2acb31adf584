"""Plot jobs and the space that they will still write."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from goplot.farm.formats import PlotFormat

# Bytes of a file's name on Linux.
_LONGEST_NAME = 255


class Stage(StrEnum):
    """How far a job has come; it decides what is done with the job when its tractor is gone."""

    PLACED = "placed"
    PLOTTING = "plotting"
    DELIVERING = "delivering"
    STRANDED = "stranded"


@dataclass(frozen=True, slots=True)
class Start:
    """A moment, such as a job's start: epoch seconds, and seconds since the boot of that id."""

    time: float
    boot_time: float
    boot_id: str


@dataclass(frozen=True, slots=True)
class Job:
    """One plot job, as stored in the state folder. Bytes are what was reserved.

    `phase` is what status and metrics show: `start`, the plotter's phase number, then `verify`,
    `copy` or `stranded`. `phase_seconds` holds the phases that are over. `process` is the
    plotter's process id and start time, `note` what a person should know.
    """

    index: int
    plotter: str
    format: PlotFormat
    temp_farm: int
    temp_path: Path
    dest_farm: int
    disk: str
    disk_path: Path
    plot_bytes: int
    temp_bytes: int
    start: Start
    origin: str
    stage: Stage = Stage.PLACED
    phase: str = "start"
    progress: float = 0.0
    phase_seconds: Mapping[str, float] = field(default_factory=dict)
    plot_id: str | None = None
    plot_file: str | None = None
    process: str | None = None
    note: str | None = None
    temp2_path: Path | None = None
    temp2_bytes: int = 0

    @property
    def temp2_folder(self) -> Path | None:
        """The job's own folder in its second temp farm (None: it has none)."""
        return None if self.temp2_path is None else self.temp2_path / self.folder.name

    @property
    def temp_paths(self) -> tuple[Path, ...]:
        """Its temp farms."""
        return (self.temp_path,) if self.temp2_path is None else (self.temp_path, self.temp2_path)

    @property
    def folder(self) -> Path:
        """The job's own folder in its temp farm; nothing but this job writes there."""
        return self.temp_path / f"goplot-{self.index}"

    @property
    def log_name(self) -> str:
        """Name of the plotter's log in the `logs` folder of the destination disk."""
        return f"plot.{self.index}.log"

    @property
    def partial_file(self) -> str | None:
        """Name of the copy at the destination while it is not complete."""
        return None if self.plot_file is None else partial_name(self.plot_file, self.plot_id)

    @property
    def id_apart(self) -> str | None:
        """The plot's id, where the names of the plot and its copy do not follow without it."""
        if self.plot_file is None or self.partial_file == partial_name(self.plot_file, None):
            return None
        return self.plot_id


def partial_name(plot_file: str, plot_id: str | None) -> str:
    """Name of a copy that is not complete. No other plot has it, whatever plots are named."""
    name = plot_file + ".tmp"
    if plot_id is None or (plot_id in plot_file and len(os.fsencode(name)) <= _LONGEST_NAME):
        return name
    return f"{plot_id}.plot.tmp"


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes that a job has on its temp farm and on its destination now."""

    temp: int = 0
    dest: int = 0
    temp2: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What one job, of goplot or started by hand, will still write, and where (None: nowhere)."""

    temp_path: Path | None
    temp_bytes: int
    disk_path: Path | None
    dest_bytes: int
    phase: str
    temp2_path: Path | None = None
    temp2_bytes: int = 0


def claim_of(job: Job, written: Written) -> Claim:
    """What a job of goplot will still write."""
    done_plotting = job.stage in (Stage.DELIVERING, Stage.STRANDED)
    return Claim(
        temp_path=job.temp_path,
        temp_bytes=0 if done_plotting else max(0, job.temp_bytes - written.temp),
        # A stranded plot has lost its destination and holds no claim on it.
        disk_path=None if job.stage is Stage.STRANDED else job.disk_path,
        dest_bytes=max(0, job.plot_bytes - written.dest),
        phase=job.phase,
        temp2_path=None if done_plotting else job.temp2_path,
        temp2_bytes=max(0, job.temp2_bytes - written.temp2),
    )


@dataclass(slots=True)
class Committed:
    """What jobs will still write to one disk or temp farm.

    `elsewhere` is what they will still write to the same file system under other names.
    """

    bytes: int = 0
    phases: tuple[str, ...] = ()
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The committed space, by disk and temp farm, and by the file system that they are on.

    Several disks and temp farms can be on one file system: binds, subvolumes, folders.
    """

    disks: Mapping[Path, Committed]
    temps: Mapping[Path, Committed]
    volumes: Mapping[str, int]

    def of_disk(self, path: Path, volume: str | None) -> Committed:
        """What is committed to a disk, and to the rest of its file system."""
        return self._of(self.disks.get(path), volume)

    def of_temp(self, path: Path, volume: str | None) -> Committed:
        """What is committed to a temp farm, and to the rest of its file system."""
        return self._of(self.temps.get(path), volume)

    def _of(self, entry: Committed | None, volume: str | None) -> Committed:
        own = entry or Committed()
        if volume is None:
            return own
        elsewhere = self.volumes.get(volume, 0) - own.bytes
        return Committed(own.bytes, own.phases, max(0, elsewhere))


def ledger(claims: Iterable[Claim], volumes: Mapping[Path, str]) -> Ledger:
    """The committed space; `volumes` has the file system of every path that is mounted."""
    disks: dict[Path, Committed] = {}
    temps: dict[Path, Committed] = {}
    sums: dict[str, int] = {}
    for claim in claims:
        for book, path, size in (
            (disks, claim.disk_path, claim.dest_bytes),
            (temps, claim.temp_path, claim.temp_bytes),
            (temps, claim.temp2_path, claim.temp2_bytes),
        ):
            if path is not None:
                entry = book.setdefault(path, Committed())
                entry.bytes += size
                entry.phases += (claim.phase,)
                if (volume := volumes.get(path)) is not None:
                    sums[volume] = sums.get(volume, 0) + size
    return Ledger(disks, temps, sums)
