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
    NO_INODES = "out of inodes"
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
        """What is reported of the disk or temp farm, such as `is not mounted`."""
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
NO_INODES = Trouble(TroubleKind.NO_INODES)
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
    """Bytes of a file system: `free` is what an unprivileged user may still write.

    `inodes` is False when it can't hold one more file; `identity` is the file system's id, 0
    where it has none.
    """

    used: int
    free: int
    inodes: bool = True
    identity: int = 0

    @property
    def total(self) -> int:
        """Used and free bytes; root's reserve is not counted."""
        return self.used + self.free


@dataclass(frozen=True, slots=True)
class Refused:
    """A disk takes no plot of `size` bytes or more for `seconds`, because it refused one."""

    size: int
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Disk:
    """A destination disk, `/farm/<farm>/<disk>`.

    Name and path are for people where the name is not UTF-8: such a disk is not used.
    `trouble` says why nothing can be written (None: it can). `disk_file_kib` is what the disk
    file holds (None: it does not exist). `committed` bytes are what running jobs will still write
    here, `elsewhere` what they will still write to the same file system under other names.
    `volume` is that file system (None: unknown).
    """

    farm: int
    name: str
    path: Path
    space: Space | None
    trouble: Trouble | None = None
    disk_file_kib: int | None = None
    committed: int = 0
    jobs: int = 0
    elsewhere: int = 0
    volume: str | None = None
    refused: Refused | None = None

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
    def left(self) -> int:
        """Bytes that are not reserved for a job, whether in rotation or not."""
        return _left(self.space, self.committed + self.elsewhere)

    def takes(self, plot_bytes: int) -> bool:
        """False for a plot of a size that the disk refused not long ago."""
        return self.refused is None or plot_bytes < self.refused.size

    def room(self, plot_bytes: int) -> int:
        """How many more plots of a size fit."""
        return self.available // plot_bytes if self.takes(plot_bytes) else 0

    @property
    def available(self) -> int:
        """Bytes that are not reserved for a job; 0 when out of rotation."""
        return self.left if self.in_rotation else 0

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
    elsewhere: int = 0
    volume: str | None = None

    @property
    def mounted(self) -> bool:
        """False when the folder is not a mount point."""
        return self.trouble != NOT_MOUNTED

    @property
    def available(self) -> int:
        """Bytes that are not reserved for a job."""
        if self.trouble is not None:
            return 0
        return _left(self.space, self.committed + self.elsewhere)


def _left(space: Space | None, promised: int) -> int:
    return 0 if space is None else max(0, space.free - promised)
