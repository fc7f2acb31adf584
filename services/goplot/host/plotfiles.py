"""Plot files: which files are plots, whether one is complete, and the files in a job's folder."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.formats import PlotFormat
from goplot.farm.names import shown
from goplot.host.files import sync_folder

#: What Chia farms: files of these endings, except those that macOS adds.
SUFFIXES = (".plot", ".plot2", ".gplot")
_NO_PLOT = "._"
#: Where the plots of a disk are: goplot's are in `plots`, earlier ones may be beside it.
PLOT_FOLDERS = ("plots", ".")
#: What plotters append to the name of a file that is not finished.
TEMPORARY = ".tmp"
# chiapos and bladebit without compression: magic, id, k.
_MAGIC = b"Proof of Space Plot"
# bladebit with compression: magic, 4 bytes of version, id, k.
_MAGIC_V2 = b"PLOT"
# The next proof of space, one plot (`.plot2`) and a group (`.gplot`): magic, 1 byte of version, id
# of the plot or of the group, k. So chia_rs 0.48.0 writes the one, and 0.53.0 the other.
_MAGICS_POS2 = (b"pos2", b"PoS2")
_HEADER = 64
_ID = re.compile(r"[0-9a-f]{64}")
# The compression level that a name declares: `-c05-`, and `-c5-` of other plotters.
_LEVEL = re.compile(r"-c([0-9]{1,2})-")
_FOLDER = re.compile(r"goplot-([0-9]+)")


class NotWholeError(Exception):
    """A file can't be verified as a complete plot; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a plot's header says."""

    plot_id: str
    k: int


def is_plot_name(name: str) -> bool:
    """True when Chia would farm a file of this name."""
    return name.endswith(SUFFIXES) and not name.startswith(_NO_PLOT)


def is_plot(entry: os.DirEntry[str]) -> bool:
    """True when Chia would farm this entry of a folder, or what it links to."""
    return is_plot_name(entry.name) and _is_file(entry)


def find_plots(folder: Path) -> list[Path]:
    """The plots in a job's folder and in its subfolders, by path. Raises OSError."""
    return [path for path in _files(folder) if is_plot_name(path.name)]


def find_unnamed(folder: Path) -> list[Path]:
    """Files in a job's folder that would be plots without `.tmp`, by path. Raises OSError."""
    found = (path for path in _files(folder) if path.name.endswith(TEMPORARY))
    return [path for path in found if is_plot_name(path.name.removesuffix(TEMPORARY))]


def read_header(descriptor: int) -> Header | None:
    """The header of an open file; None when it is not of a known kind. Raises OSError."""
    header = os.pread(descriptor, _HEADER, 0)
    if header.startswith(_MAGIC):
        position = len(_MAGIC)
    elif header.startswith(_MAGIC_V2):
        position = len(_MAGIC_V2) + 4
    elif header.startswith(_MAGICS_POS2):
        position = len(_MAGICS_POS2[0]) + 1
    else:
        return None
    end = position + 32
    return Header(header[position:end].hex(), header[end]) if len(header) > end else None


def verify(path: Path, plot_format: PlotFormat) -> str:
    """Check a plot's header and size, whatever its name. Returns its plot id.

    Raises NotWholeError if it can't be verified as a complete plot of the format, OSError if it
    can't be read.
    """
    name = shown(path.name)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = read_header(file.fileno())
    if header is None:
        raise NotWholeError(f"{name} has no known plot header")
    if header.k != plot_format.k:
        raise NotWholeError(f"{name} is k{header.k} by its header, not k{plot_format.k}")
    named = _ID.search(path.name)
    if named is not None and named[0] != header.plot_id:
        raise NotWholeError(f"{name} has another id in its header")
    least = _least_bytes(path.name, plot_format)
    if not least <= size <= plot_format.plot_bytes:
        raise NotWholeError(
            f"{name} has {size} bytes; a {plot_format.name} plot has "
            f"{least} to {plot_format.plot_bytes}"
        )
    return header.plot_id


def clean(folder: Path, delivered: str | None = None) -> list[str]:
    """Remove a job's temporary files and its folders; everything else is kept, every plot too.

    Only the job's own folder is touched, and there only files that end in `.tmp`, which is all
    that plotters write, and the plot of the name `delivered`, of which there is a verified copy.
    Returns the names that were left. Raises OSError.
    """
    copied = None if delivered is None else folder / delivered
    for path in _files(folder):
        if path == copied or path.name.endswith(TEMPORARY):
            # A plotter may give it its final name at this moment: then it stays.
            path.unlink(missing_ok=True)
    for top in (Path(top) for top, _, _ in os.walk(folder, topdown=False)):
        if top != folder:
            with contextlib.suppress(OSError):
                top.rmdir()
    left = [shown(str(path.relative_to(folder))) for path in _entries(folder)]
    if not left:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return left
        # Otherwise the files could be back after a power cut, with no job to remove them.
        sync_folder(folder.parent)
    return left


def job_folders(temp: Path) -> list[tuple[int, Path]]:
    """The folders of jobs in a temp farm, each with its job's index. Raises OSError."""
    with os.scandir(temp) as entries:
        return [
            (int(match[1]), Path(entry.path))
            for entry in entries
            if (match := _FOLDER.fullmatch(entry.name)) and entry.is_dir(follow_symlinks=False)
        ]


def _least_bytes(name: str, plot_format: PlotFormat) -> int:
    """A smaller file of this name is not complete; 0 where the size is not known.

    A program of the user's own may compress as it likes, and says so in the name.
    """
    match = _LEVEL.search(name)
    if match is None:
        return plot_format.least_bytes
    try:
        return PlotFormat(plot_format.k, int(match[1])).least_bytes
    except ValueError:
        return 0


def _files(folder: Path) -> list[Path]:
    """Every file, or link to a file, in a folder and its subfolders, by path. Raises OSError."""
    return [path for path in _entries(folder) if path.is_file()]


def _entries(folder: Path) -> list[Path]:
    """Everything in a folder and its subfolders, except folders that hold something."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder, onerror=_raise):
        top = Path(name)
        yield from (top / entry for entry in files)
        # Links to folders: os.walk does not follow them.
        yield from (top / entry for entry in folders if (top / entry).is_symlink())
        if not folders and not files and top != folder:
            yield top


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False
