"""What goplot understands in a Chia log."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goplot.harvester_log.dating import Window
from goplot.harvester_log.files import DAMAGED, LogFile
from goplot.harvester_log.follower import BLOCK
from goplot.harvester_log.grammar import Kind
from goplot.harvester_log.tally import Counting, Tally

#: So many look-alikes are kept for display; all are counted.
_SHOWN = 1000
_WIDTH = 400


@dataclass(frozen=True, slots=True)
class Check:
    """What was found: counts of all files together, and look-alikes with their file.

    `utf16` names the files with text of two bytes a character, which Chia does not write.
    """

    tally: Tally
    look_alikes: tuple[tuple[str, str], ...]
    utf16: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """False when lines look like an eligible line but match no known form, or are UTF-16."""
        return not self.tally.count(Kind.LOOK_ALIKE) and not self.utf16


def check(paths: Sequence[Path]) -> Check:
    """Read logs, compressed or not, in the order given. Raises OSError."""
    tally = Tally()
    counting = Counting(tally)
    found: list[tuple[str, str]] = []
    window = Window(time.time())
    utf16: list[str] = []
    for path in paths:
        before = tally.count(Kind.UTF16)
        for block in _blocks(path):
            counting.add(block, window)
            found += [
                (str(path), line[:_WIDTH].decode(errors="backslashreplace"))
                for line in counting.look_alikes[: _SHOWN - len(found)]
            ]
        if tally.count(Kind.UTF16) > before:
            utf16.append(str(path))
    return Check(tally, tuple(found), tuple(utf16))


def _blocks(path: Path) -> Iterator[bytes]:
    file = LogFile(path)
    try:
        position, half = 0, b""
        while True:
            try:
                data = file.read_at(position, BLOCK)
            except DAMAGED as error:
                raise OSError(f"{path} is damaged: {error}") from error
            if not data:
                break
            position += len(data)
            whole, newline, rest = data.rpartition(b"\n")
            if newline:
                yield half + whole + newline
                half = rest
            else:
                half = (half + data)[:BLOCK]
        if half:
            yield half + b"\n"
    finally:
        file.close()
