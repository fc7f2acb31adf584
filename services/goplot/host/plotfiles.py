"""A plot's file: its name and header, whether it is complete; and removing a job's files."""

import os
import re
from pathlib import Path

from goplot.farm.formats import PlotFormat
from goplot.host.files import sync_folder

#: `plot-k32-c05-2026-11-22-17-53-<id>.plot`; the compression level is left out at 0.
PLOT_NAME = re.compile(
    r"plot-k(?P<k>[0-9]{2})(-c(?P<c>[0-9]{2}))?-[0-9]{4}(-[0-9]{2}){4}-(?P<id>[0-9a-f]{64})\.plot"
)
# chiapos and bladebit without compression: magic, id, k.
_MAGIC = b"Proof of Space Plot"
# bladebit with compression: magic, 4 bytes of version, id, k.
_MAGIC_V2 = b"PLOT"
_ID = re.compile(r"[0-9a-f]{64}")


class NotWholeError(Exception):
    """A file is not a complete plot; the text says why."""


def finished_plot(folder: Path) -> Path | None:
    """The finished plot in a job's folder, or None. Raises OSError."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return None
    return next((folder / name for name in names if PLOT_NAME.fullmatch(name)), None)


def verify(path: Path, plot_format: PlotFormat) -> str:
    """Check a finished plot's name, size and header. Returns its plot id.

    Raises NotWholeError if it is not a complete plot of the format, OSError if it can't be read.
    """
    match = PLOT_NAME.fullmatch(path.name)
    if match is None:
        raise NotWholeError(f"{path.name} is not the name of a plot")
    k, compression = int(match["k"]), int(match["c"] or 0)
    if (k, compression) != (plot_format.k, plot_format.compression):
        raise NotWholeError(f"{path.name} is not {plot_format.name}")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = file.read(64)
    if not plot_format.least_bytes <= size <= plot_format.plot_bytes:
        raise NotWholeError(
            f"{path.name} has {size} bytes; a {plot_format.name} plot has "
            f"{plot_format.least_bytes} to {plot_format.plot_bytes}"
        )
    if header.startswith(_MAGIC):
        position = len(_MAGIC)
    elif header.startswith(_MAGIC_V2):
        position = len(_MAGIC_V2) + 4
    else:
        raise NotWholeError(f"{path.name} has no plot header")
    if header[position : position + 32].hex() != match["id"]:
        raise NotWholeError(f"{path.name} has another id in its header")
    if header[position + 32] != k:
        raise NotWholeError(f"{path.name} has k{header[position + 32]} in its header")
    return match["id"]


def clean(folder: Path) -> list[str]:
    """Remove a job's temporary files and its folder; files with other names are kept.

    Only the job's own folder is touched, and there only files that carry a plot id or end in
    `.tmp`, which is all that plotters write. Returns the names that were left. Raises OSError.
    """
    left: list[str] = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return left
    for entry in entries:
        ours = entry.name.endswith(".tmp") or _ID.search(entry.name) is not None
        if entry.is_file(follow_symlinks=False) and ours:
            Path(entry.path).unlink()
        else:
            left.append(entry.name)
    if not left:
        folder.rmdir()
        # Otherwise the files could be back after a power cut, with no job to remove them.
        sync_folder(folder.parent)
    return left
