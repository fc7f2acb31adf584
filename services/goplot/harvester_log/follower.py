"""Follows a log that grows and rotates: every line once, whatever happens to the file.

The position is the start of the first line that was not given out, in a file that is known by its
first bytes. A caller that keeps the position together with what it made of the lines loses and
doubles nothing, wherever it is killed.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.harvester_log.files import (
    DAMAGED,
    HEAD,
    TAIL,
    LogFile,
    Mark,
    head_of,
    mark,
    rotated,
    snapshot,
)

#: Bytes that are read at once; also the most of a line that is kept.
BLOCK = 128 * 1024

# Marks of finished files: so many are kept, and of files that are gone only the newest.
_REMEMBERED = 64
_NEWEST = 16


@dataclass(frozen=True, slots=True)
class Position:
    """Where reading continues.

    `current` identifies the file (None: none is started), `offset` is the first byte that was not
    returned, `tail` the bytes before it. `finished` are the files of the log that were read to
    their end and still exist.
    """

    current: Mark | None = None
    offset: int = 0
    tail: str = ""
    finished: tuple[Mark, ...] = ()

    def document(self) -> dict[str, Any]:
        """All of it, for JSON."""
        current = self.current
        return {
            "current": None if current is None else [current.size, current.digest],
            "offset": self.offset,
            "tail": self.tail,
            "finished": [[entry.size, entry.digest] for entry in self.finished],
        }

    @classmethod
    def restored(cls, document: Mapping[str, Any]) -> "Position":
        """As `document()` of any release gave it; else raises TypeError or ValueError."""
        current = document.get("current")
        return cls(
            None if current is None else Mark(*current),
            int(document.get("offset", 0)),
            str(document.get("tail", "")),
            tuple(Mark(*entry) for entry in document.get("finished", ())),
        )


class Follower:
    """Reads a log from a position on.

    `lost` counts files whose rest was gone or damaged before it was read, `cut` lines that were
    too long.
    """

    def __init__(self, path: Path, position: Position | None) -> None:
        """`position` None: from the start of the current file, without rotated ones."""
        self._path = path
        self._file: LogFile | None = None
        self._head = b""
        self._offset = 0
        self._tail = b""
        # The part of a line whose end is not written yet, where reading continues, and the
        # bytes before that.
        self._half = b""
        self._read = 0
        self._recent = b""
        self._rotation_seen = False
        self._pending: Position | None = None
        self._chosen = b""
        self.lost = 0
        self.cut = 0
        if position is None:
            self._finished = [mark(head) for head in map(head_of, rotated(path)) if head]
        else:
            self._finished = list(position.finished)
            self._resume(position)

    @property
    def position(self) -> Position:
        """Where to continue after the returned blocks."""
        finished = tuple(self._finished)
        if self._pending is not None:
            return self._pending
        if not self._head:
            return Position(finished=finished)
        return Position(mark(self._head), self._offset, self._tail.decode("latin-1"), finished)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def poll(self) -> Iterator[bytes]:
        """All complete lines that are available now, in blocks. Raises OSError.

        A line longer than BLOCK is given out by its first bytes. What has no newline is given
        out as a line when the log goes on in another file.
        """
        if self._pending is not None:
            self._resume(self._pending)
        while self._pending is None:
            if self._file is None and not self._open_next():
                return
            yield from self._drain()
            if not self._is_over():
                return
            yield from self._leave()

    def _drain(self) -> Iterator[bytes]:
        """Complete lines up to the end of the current file."""
        while self._file is not None:
            try:
                data = self._file.read_at(self._read, BLOCK)
            except DAMAGED:
                # What can't be read must be finished by what is known of it, or it comes again.
                self._head = self._head or self._chosen
                self.lost += 1
                return
            # Checked after reading: what was read before a truncation is valid.
            if not data or not self._still_there(self._file):
                return
            if not self._head and self._overtook(self._file, data):
                self.close()
                return
            if self._read <= len(self._head) < HEAD:
                self._head += data[len(self._head) - self._read : HEAD - self._read]
            self._read += len(data)
            recent, self._recent = self._recent, (self._recent + data)[-TAIL:]
            end = data.rfind(b"\n") + 1
            if not end:
                self._half = (self._half + data)[:BLOCK]
                continue
            if self._half:
                block = self._join(data, end)
            else:
                block = data if end == len(data) else data[:end]
            self._half = data[end:]
            self._offset = self._read - len(self._half)
            self._tail = (recent + data[:end])[-TAIL:] if end < TAIL else block[-TAIL:]
            yield block

    def _join(self, data: bytes, end: int) -> bytes:
        """The half line with what completes it, and the lines after it."""
        first = data.find(b"\n") + 1
        if len(self._half) + first <= BLOCK:
            return self._half + data[:end]
        self.cut += 1
        return (self._half + data[:first])[: BLOCK - 1] + b"\n" + data[first:end]

    def _overtook(self, file: LogFile, data: bytes) -> bool:
        """True when the first text of the log has older text before it, that was not read.

        Between choosing and reading it, the log may have been written, copied and truncated.
        """
        return file.path == self._path and self._unread_rotated(mark(data))

    def _still_there(self, file: LogFile) -> bool:
        """False when a file was truncated, even if it has grown again since."""
        size = file.size()
        if size is None:
            return True
        if size < self._read or file.read_at(0, len(self._head)) != self._head:
            return False
        return file.read_at(self._offset - len(self._tail), len(self._tail)) == self._tail

    def _is_over(self) -> bool:
        """True when the log continues in another file than the current one."""
        file = self._file
        if file is None or not self._still_there(file):
            return True
        if file.is_at(self._path):
            self._rotation_seen = False
            # Nothing was read here: it may have been written, copied and truncated meanwhile.
            return not self._head and self._unread_rotated(mark(self._head))
        if file.path != self._path:
            return True
        if not self._path.exists() and not self._unread_rotated(mark(self._head)):
            # Removed, and not created again: a process that has it open may still write.
            return False
        # Renamed while it was open: one more look, for a line that was being written meanwhile.
        seen, self._rotation_seen = self._rotation_seen, True
        return seen

    def _leave(self) -> Iterator[bytes]:
        """Go from the current file to where its text lies now, or be ready for the next one."""
        file = self._file
        self._rotation_seen = False
        if file is None:
            return
        if not self._still_there(file):
            position = self.position
            self.close()
            self._forget()
            self._resume(position)
            return
        if self._half:
            line = self._half + b"\n"
            self._half, self._offset, self._tail = b"", self._read, self._recent
            yield line
        if self._head:
            self._finished.append(mark(self._head))
        self.close()
        self._forget()

    def _forget(self) -> None:
        self._head, self._offset, self._tail = b"", 0, b""
        self._half, self._read, self._recent = b"", 0, b""

    def _resume(self, position: Position) -> None:
        """Find the file that a position is in, whatever its name is now."""
        self._forget()
        self._pending = None
        current = position.current
        if current is None:
            return
        before, found = None, snapshot(self._path)
        while before != found:
            before = found
            if self._find(position, current):
                return
            found = snapshot(self._path)
        if not os.access(self._path, os.R_OK):
            # Unreadable files can't be identified, such as those on a mount that comes later.
            self._pending = position
            return
        # Its rest is lost; what was read of it must not be read again.
        self.lost += 1
        self._finished.append(current)

    def _find(self, position: Position, current: Mark) -> bool:
        tail = position.tail.encode("latin-1")
        for path in [self._path, *rotated(self._path)]:
            with contextlib.suppress(OSError, *DAMAGED):
                file = LogFile(path)
                head = file.head()
                start = position.offset - len(tail)
                if current.fits(head) and file.read_at(start, len(tail)) == tail:
                    self._file, self._head = file, head[: current.size]
                    self._offset = self._read = position.offset
                    self._tail = self._recent = tail
                    return True
                file.close()
        return False

    def _open_next(self) -> bool:
        """Open the oldest file that was not read yet. False when there is none."""
        before, found = None, snapshot(self._path)
        while before != found:
            self.close()
            before = found
            self._choose()
            found = snapshot(self._path)
        self._forget()
        return self._file is not None

    def _choose(self) -> None:
        found: list[tuple[LogFile, bytes]] = []
        for path in [*rotated(self._path), self._path]:
            with contextlib.suppress(OSError, *DAMAGED):
                file = LogFile(path)
                found.append((file, file.head()))
        heads = [head for _, head in found]
        current = heads[-1] if found and found[-1][0].path == self._path else b""
        for file, head in found:
            # A file that begins as the log itself is a copy of it that may not be complete yet.
            copied = file.path != self._path and (not head or mark(head).fits(current))
            if self._file is None and not copied and not self._is_finished(head):
                self._file, self._chosen = file, head
            else:
                file.close()
        if len(self._finished) > _REMEMBERED:
            # Marks of files that are gone; the newest may just be being renamed.
            old, new = self._finished[:-_NEWEST], self._finished[-_NEWEST:]
            self._finished = [entry for entry in old if any(map(entry.fits, heads))] + new

    def _unread_rotated(self, current: Mark) -> bool:
        """True when there is a rotated file that was not read, other than the current one."""
        heads = map(head_of, rotated(self._path))
        return any(
            head and not current.fits(head) and not self._is_finished(head) for head in heads
        )

    def _is_finished(self, head: bytes) -> bool:
        return any(entry.fits(head) for entry in self._finished)
