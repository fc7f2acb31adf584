"""Copies a finished plot to its disk and checks it there."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from goplot.farm.names import shown
from goplot.host.mounts import opened
from goplot.host.plotfiles import read_header
from goplot.tractor.state import StoppedError

_CHUNK = 16 << 20
_SETTLE = 1 << 30
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 20


class SourceError(OSError):
    """The plot can't be read: the fault is not the disk's."""


def copy_plot(
    source: Path,
    partial: str,
    disk: Path,
    mountinfo: Path,
    progress: Callable[[float], None],
    interrupted: Callable[[], bool],
) -> None:
    """Copy a plot into a disk's `plots` folder; it appears there under its name only when complete.

    Until then it has the name `partial`. A plot that is there already is only compared.
    `progress` gets the share that is copied, 0 to 1. Raises OSError when the disk fails or
    refuses the plot, or if what is read back differs from what was written, FileExistsError if
    the disk has another file of the plot's name, SourceError when the plot can't be read, and
    StoppedError.
    """
    with _opened_source(source) as reader, opened(disk, mountinfo) as mount:
        plots = os.open("plots", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mount)
        try:
            if _is_there(source.name, reader.fileno(), plots):
                return
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            writer = os.open(partial, flags, 0o640, dir_fd=plots)
            try:
                _copy(reader.fileno(), writer, progress, interrupted)
                os.fsync(writer)
                difference = _difference(reader.fileno(), writer)
            finally:
                os.close(writer)
            if difference is not None:
                raise OSError(f"the copy {difference}")
            # Somebody may have put a file there while this one was copied.
            if not _is_there(source.name, reader.fileno(), plots):
                os.rename(partial, source.name, src_dir_fd=plots, dst_dir_fd=plots)
            os.fsync(plots)
        finally:
            os.close(plots)
    # The disk may have been unmounted lazily while its descriptor kept it alive.
    with opened(disk, mountinfo) as mount:
        os.stat(f"plots/{source.name}", dir_fd=mount)


def _opened_source(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise SourceError(error.errno, error.strerror) from error


def remove_partial(disk: Path, partial: str, mountinfo: Path) -> bool:
    """Remove what an earlier attempt left on a disk. False when the disk can't be reached."""
    try:
        with opened(disk, mountinfo) as mount:
            os.unlink(f"plots/{partial}", dir_fd=mount)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def has_plot(disk: Path, name: str, plot_id: str | None, mountinfo: Path) -> bool:
    """True when a disk has a plot: a copy gets the plot's name only when it is complete.

    Another plot of the same name is recognised by the id in its header.
    """
    try:
        with opened(disk, mountinfo) as mount:
            descriptor = os.open(f"plots/{name}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=mount)
            try:
                header = read_header(descriptor)
            finally:
                os.close(descriptor)
    except OSError:
        return False
    return plot_id is None or (header is not None and header.plot_id == plot_id)


def _is_there(name: str, reader: int, plots: int) -> bool:
    """True when a folder has this plot under its name. Raises OSError if it is another file."""
    try:
        there = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=plots)
    except FileNotFoundError:
        return False
    try:
        if _difference(reader, there) is not None:
            raise FileExistsError(errno.EEXIST, f"it has another file named {shown(name)}")
    finally:
        os.close(there)
    return True


def _copy(
    reader: int, writer: int, progress: Callable[[float], None], interrupted: Callable[[], bool]
) -> None:
    size = os.fstat(reader).st_size
    offset = 0
    while offset < size:
        if interrupted():
            raise StoppedError
        try:
            sent = os.sendfile(writer, reader, offset, min(_CHUNK, size - offset))
        except OSError:
            # Whose fault it was shows when the source alone is read.
            _read(reader, min(_CHUNK, size - offset), offset)
            raise
        if not sent:
            raise SourceError(
                f"the plot became shorter while it was copied: {offset} of {size} bytes"
            )
        offset += sent
        if offset // _SETTLE != (offset - sent) // _SETTLE:
            _settle(reader, writer, offset)
        progress(offset / size)


def _read(reader: int, count: int, offset: int) -> bytes:
    try:
        return os.pread(reader, count, offset)
    except OSError as error:
        raise SourceError(error.errno, error.strerror) from error


def _settle(reader: int, writer: int, offset: int) -> None:
    """Sync what is copied so far, so that a failing disk shows early, and free its page cache.

    The page cache is needed for the plots that are being made.
    """
    os.fdatasync(writer)
    for descriptor in (reader, writer):
        os.posix_fadvise(descriptor, 0, offset, os.POSIX_FADV_DONTNEED)


def _difference(reader: int, other: int) -> str | None:
    """How a file differs from the plot (None: it does not), by its size and by samples.

    The samples, first and last bytes among them, come from the disk itself.
    """
    size = os.fstat(reader).st_size
    if os.fstat(other).st_size != size:
        return "has another size than the plot"
    os.posix_fadvise(other, 0, 0, os.POSIX_FADV_DONTNEED)
    last = max(0, size - _SAMPLE_BYTES)
    for number in range(_SAMPLES):
        offset = last * number // (_SAMPLES - 1)
        if os.pread(other, _SAMPLE_BYTES, offset) != _read(reader, _SAMPLE_BYTES, offset):
            return f"differs from the plot near byte {offset}"
    return None
