"""The files of a log: the current one, and the rotated ones, compressed or not."""

import bz2
import contextlib
import gzip
import hashlib
import lzma
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: Bytes at the start of a file that identify it: every line begins with its time.
HEAD = 256
#: Bytes before a position that must still be the same.
TAIL = 64

COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
#: What reading a damaged or unfinished compressed file raises.
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class Mark:
    """What identifies a file: the first `size` bytes of its text (at most HEAD) and their digest.

    Names and inode numbers do not: files are renamed, copied and compressed, and a new file may
    get a removed one's inode.
    """

    size: int
    digest: str

    def fits(self, head: bytes) -> bool:
        """True when a file that begins with `head` is the marked one."""
        return 0 < self.size <= len(head) and mark(head[: self.size]) == self


def mark(head: bytes) -> Mark:
    """The mark of a file that begins so."""
    head = head[:HEAD]
    return Mark(len(head), hashlib.blake2b(head, digest_size=16).hexdigest())


class LogFile:
    """One open file of a log, read as if it were not compressed."""

    def __init__(self, path: Path) -> None:
        """Open a file. Raises OSError."""
        self.path = path
        opener = COMPRESSED.get(path.suffix)
        self._raw: IO[bytes] = path.open("rb", buffering=0)
        self._text: Any = self._raw if opener is None else opener(self._raw, "rb")
        self.compressed = opener is not None
        self._at = 0

    def close(self) -> None:
        """Close it."""
        if self._text is not self._raw:
            self._text.close()
        self._raw.close()

    def head(self) -> bytes:
        """The first bytes, HEAD at most. Raises OSError, and DAMAGED where compressed."""
        return self.read_at(0, HEAD)

    def read_at(self, position: int, count: int) -> bytes:
        """Up to `count` bytes from a position of the text. Raises as `head` does."""
        if not self.compressed:
            return os.pread(self._raw.fileno(), count, position)
        if self._at != position:
            self._at = self._text.seek(position)
            if self._at != position:
                return b""
        # For a damaged file this returns everything before the damage.
        data: bytes = self._text.read1(count)
        self._at += len(data)
        return data

    def size(self) -> int | None:
        """Bytes of the text; None where that takes decompressing all of it."""
        return None if self.compressed else os.fstat(self._raw.fileno()).st_size

    def is_at(self, path: Path) -> bool:
        """True when this very file has that name now."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self._raw.fileno()))
        except OSError:
            return False


def snapshot(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Which files have which names now: two alike mean that nothing was rotated between them."""
    found = []
    for entry in [*rotated(path), path]:
        with contextlib.suppress(OSError):
            status = entry.stat()
            # A copy that is being made grows; that the log itself grows means nothing.
            size = 0 if entry == path else status.st_size
            found.append((entry.name, status.st_dev, status.st_ino, size))
    return tuple(found)


def head_of(path: Path) -> bytes:
    """The first bytes of a file; none when it can't be read."""
    with contextlib.suppress(OSError, *DAMAGED):
        file = LogFile(path)
        try:
            return file.head()
        finally:
            file.close()
    return b""


def rotated(path: Path) -> list[Path]:
    """The files that a log was rotated to, oldest first.

    `debug.log.2.gz` is older than `debug.log.1`; of `debug.log-20261122` and the like, the names
    sort by age. A file that exists both ways comes uncompressed first.
    """
    found = []
    pattern = re.compile(re.escape(path.name) + r"[.-](\d[\w-]*)(\.gz|\.bz2|\.xz)?")
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []
    for name in names:
        match = pattern.fullmatch(name)
        if match is None:
            continue
        number = match[1]
        order = (1, -int(number), "") if number.isdigit() and len(number) < 6 else (0, 0, number)
        found.append((order, match[2] or "", name))
    return [path.with_name(name) for _, _, name in sorted(found)]
