"""Disks and temp farms: the state of each at one moment."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

#: A disk file that holds this (KiB) or more takes its disk out of rotation.
OUT_OF_ROTATION_KIB = 9_999_999_999_999


class TroubleKind(StrEnum):
    """What can be wrong with a disk or a temp farm."""

    NOT_MOUNTED = "not mounted"
    READ_ONLY = "read-only"
    NAME_TWICE = "name used twice"
    FAILING = "failing"
    NO_FOLDERS = "no plots or logs folder"
    HIDDEN = "not visible to you"
    LINK = "is a link"
    NOT_UTF8 = "its name is not UTF-8"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be written to a disk or a temp farm; `detail` is the system's reason."""

    kind: TroubleKind
    detail: str = ""

    def __str__(self) -> str:
        """For people, such as `failing: Input/output error`."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind.value

    @property
    def predicate(self) -> str:
        """What is said of the disk or temp farm, such as `is not mounted`."""
        if self.kind is TroubleKind.LINK:
            return str(self)
        if self.kind is TroubleKind.NOT_UTF8:
            return f"is unusable: {self}"
        return f"is {self}"

    @classmethod
    def of(cls, text: str) -> "Trouble | None":
        """The trouble that `str` gave this text; None when it is of another thing."""
        kind, _, detail = text.partition(": ")
        return cls(TroubleKind(kind), detail) if kind in set(TroubleKind) else None


NOT_MOUNTED = Trouble(TroubleKind.NOT_MOUNTED)
READ_ONLY = Trouble(TroubleKind.READ_ONLY)
NAME_TWICE = Trouble(TroubleKind.NAME_TWICE)
NO_FOLDERS = Trouble(TroubleKind.NO_FOLDERS)
#: The person who asks may not read it; goplot's services may.
HIDDEN = Trouble(TroubleKind.HIDDEN)
LINK = Trouble(TroubleKind.LINK, "mount it here")
NOT_UTF8 = Trouble(TroubleKind.NOT_UTF8)
#: Troubles of what may not be a mount point.
_NOT_MOUNTED = frozenset((TroubleKind.NOT_MOUNTED, TroubleKind.LINK, TroubleKind.NOT_UTF8))


def failing(detail: str | None) -> Trouble:
    """A disk or temp farm that can't be read or written, with the system's reason."""
    return Trouble(TroubleKind.FAILING, detail or "unknown error")


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system: `free` is what an unprivileged user may still write."""

    used: int
    free: int

    @property
    def total(self) -> int:
        """Used and free bytes; root's reserve is not counted."""
        return self.used + self.free


@dataclass(frozen=True, slots=True)
class Disk:
    """A destination disk, `/farm/<farm>/<disk>`.

    Name and path are for people where the name is not UTF-8: such a disk is not used.
    `trouble` says why nothing can be written (None: it can). `disk_file_kib` is what the disk
    file holds (None: it does not exist). `committed` bytes are what running jobs will still write.
    """

    farm: int
    name: str
    path: Path
    space: Space | None
    trouble: Trouble | None = None
    disk_file_kib: int | None = None
    committed: int = 0
    jobs: int = 0

    @property
    def mounted(self) -> bool:
        """False when the folder is not a mount point."""
        return (
            self.space is not None or self.trouble is None or self.trouble.kind not in _NOT_MOUNTED
        )

    @property
    def taken_out(self) -> bool:
        """True when the disk file takes the disk out of rotation."""
        return self.disk_file_kib is not None and self.disk_file_kib >= OUT_OF_ROTATION_KIB

    @property
    def in_rotation(self) -> bool:
        """True when plots may be placed here if there is room."""
        return self.trouble is None and self.space is not None and not self.taken_out

    @property
    def available(self) -> int:
        """Bytes that are not reserved for a job; 0 when out of rotation."""
        if not self.in_rotation or self.space is None:
            return 0
        return max(0, self.space.free - self.committed)

    @property
    def claimed(self) -> int:
        """Used bytes with the committed ones: the order in which disks are filled."""
        return (self.space.used if self.space else 0) + self.committed


@dataclass(frozen=True, slots=True)
class TempFarm:
    """A temp farm, `/plot_temp/<farm>`; fields as in Disk.

    `phases` holds the phase of every job that runs there.
    """

    farm: int
    path: Path
    space: Space | None
    trouble: Trouble | None = None
    committed: int = 0
    phases: tuple[str, ...] = ()

    @property
    def mounted(self) -> bool:
        """False when the folder is not a mount point."""
        return self.trouble != NOT_MOUNTED

    @property
    def available(self) -> int:
        """Bytes that are not reserved for a job."""
        if self.trouble is not None or self.space is None:
            return 0
        return max(0, self.space.free - self.committed)
