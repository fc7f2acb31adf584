"""What a disk's file should hold. Pure."""

from dataclasses import dataclass

from goplot.farm.disks import NOT_MOUNTED, OUT_OF_ROTATION_KIB, Disk
from goplot.host.diskstate import Own

FULL = "full"
BY_HAND = "taken out by hand"


@dataclass(frozen=True, slots=True)
class DiskFile:
    """What a disk file holds now (None: there is none), and its time stamp in nanoseconds."""

    kib: int | None
    stamp: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a disk. `kib` is for its file (None: leave the file as it is).

    `reason` says why the disk is out of rotation; it is empty when it is in.
    """

    kib: int | None
    reason: str
    text: str


def judge(disk: Disk, file: DiskFile, own: Own | None, plot_bytes: int) -> Verdict:
    """Whether a disk is in rotation, and what its file should hold.

    A person's value that takes the disk out is left alone until the file is deleted. It is a
    person's when diskhand did not write it, or when the file was written again since.
    """
    if file.kib is not None and file.kib >= OUT_OF_ROTATION_KIB and not _is_own(file, own):
        return Verdict(None, BY_HAND, f"is set to {file.kib}; not using {disk.name}")
    if disk.trouble is not None or disk.space is None:
        trouble = disk.trouble or NOT_MOUNTED
        return Verdict(
            OUT_OF_ROTATION_KIB,
            str(trouble),
            f"{trouble.predicate}, setting size to {OUT_OF_ROTATION_KIB}",
        )
    if disk.left < plot_bytes:
        return Verdict(
            OUT_OF_ROTATION_KIB,
            FULL,
            f"does not have room for plotting, setting size to {OUT_OF_ROTATION_KIB}",
        )
    used = disk.claimed >> 10
    return Verdict(used, "", f"has room for plotting, setting size to {used}")


def _is_own(file: DiskFile, own: Own | None) -> bool:
    return own is not None and (file.kib, file.stamp) == (own.kib, own.stamp)
