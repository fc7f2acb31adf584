"""Files that are written atomically."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from goplot.farm.names import shown


def write_whole(path: Path, text: str, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace a file atomically: a reader sees the old text or the new one.

    `durable`: the new text also survives a power cut from here on. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.new")
    descriptor = _claim(temporary, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        try:
            os.ftruncate(descriptor, 0)
            os.fchmod(descriptor, mode)
            file.write(shown(text))
            file.flush()
            if durable:
                os.fsync(descriptor)
            temporary.rename(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    if durable:
        sync_folder(path.parent)


def _claim(temporary: Path, mode: int) -> int:
    """Open a file to be renamed, for this process alone.

    Its name is always the same, so that the next process reuses what a killed one leaves.
    """
    while True:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(descriptor), temporary.stat()):
                return descriptor
        except FileNotFoundError:
            # Another process has put it in place meanwhile.
            os.close(descriptor)
            continue
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a world-readable folder, whatever the umask; an existing one is left unchanged.

    Raises OSError.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return
    folder.chmod(0o755)
    sync_folder(folder.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove partial files that a killed process left. Raises OSError."""
    for path in folder.glob(".*.new"):
        remove_unlocked(path)


def remove_unlocked(path: Path) -> None:
    """Remove a file unless a process holds a lock on it. Raises OSError."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except (BlockingIOError, FileNotFoundError):
        return


def remove(path: Path) -> None:
    """Remove a file durably; a missing file is not an error."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make changes of a folder's entries survive a power cut."""
    _sync(folder, os.O_DIRECTORY)


def sync_file(path: Path) -> None:
    """Make a file's content and its name survive a power cut. Raises OSError."""
    _sync(path)
    sync_folder(path.parent)


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file; wait until it is free. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
