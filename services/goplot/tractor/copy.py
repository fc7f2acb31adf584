"""Copies a finished plot to its disk and checks it there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from goplot.host.mounts import opened
from goplot.tractor.state import StoppedError

_CHUNK = 16 << 20
_SETTLE = 1 << 30
_SAMPLES = 16
_SAMPLE_BYTES = 1 << 20


class SourceError(OSError):
    """The plot can't be read: the fault is not the disk's."""


def copy_plot(
    source: Path,
    disk: Path,
    mountinfo: Path,
    progress: Callable[[float], None],
    interrupted: Callable[[], bool],
) -> None:
    """Copy a plot into a disk's `plots` folder; it appears there under its name only when complete.

    `progress` gets the share that is copied, 0 to 1. Raises OSError when the disk fails or
    refuses the plot, or if what is read back differs from what was written, SourceError when the
    plot can't be read, and StoppedError.
    """
    with _opened_source(source) as reader, opened(disk, mountinfo) as mount:
        plots = os.open("plots", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mount)
        try:
            temporary = source.name + ".tmp"
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            writer = os.open(temporary, flags, 0o640, dir_fd=plots)
            try:
                _copy(reader.fileno(), writer, progress, interrupted)
                os.fsync(writer)
                _compare(reader.fileno(), writer)
            finally:
                os.close(writer)
            os.rename(temporary, source.name, src_dir_fd=plots, dst_dir_fd=plots)
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


def remove_partial(disk: Path, name: str, mountinfo: Path) -> bool:
    """Remove what an earlier attempt left on a disk. False when the disk can't be reached."""
    try:
        with opened(disk, mountinfo) as mount:
            os.unlink(f"plots/{name}.tmp", dir_fd=mount)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def has_plot(disk: Path, name: str, mountinfo: Path) -> bool:
    """True when a disk has a plot: a copy gets the plot's name only when it is complete."""
    try:
        with opened(disk, mountinfo) as mount:
            os.stat(f"plots/{name}", dir_fd=mount)
    except OSError:
        return False
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


def _compare(reader: int, writer: int) -> None:
    """Read samples, first and last bytes among them, back from the disk itself."""
    size = os.fstat(reader).st_size
    if os.fstat(writer).st_size != size:
        raise OSError("the copy has another size than the plot")
    os.posix_fadvise(writer, 0, 0, os.POSIX_FADV_DONTNEED)
    last = max(0, size - _SAMPLE_BYTES)
    for number in range(_SAMPLES):
        offset = last * number // (_SAMPLES - 1)
        if os.pread(writer, _SAMPLE_BYTES, offset) != _read(reader, _SAMPLE_BYTES, offset):
            raise OSError(f"the copy differs from the plot near byte {offset}")
