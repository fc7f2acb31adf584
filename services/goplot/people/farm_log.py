"""The last lines of the Chia log, for `goplot farm --log`."""

import os
from pathlib import Path

from goplot.harvester_log.journal import last_lines as last_in_journal
from goplot.host.settings import ChiaSettings

_BLOCK = 64 * 1024
#: So much of the end of a log is read at most, and so much of one line is shown.
_MOST = 16 * 1024 * 1024
_WIDTH = 1000


def last_lines(chia: ChiaSettings, count: int) -> list[str]:
    """The last lines of the Chia log of this host, oldest first. Raises OSError."""
    lines = last_in_journal(count) if chia.log is None else _last_of_file(chia.log, count)
    return [_text(line) for line in lines]


def _last_of_file(path: Path, count: int) -> list[bytes]:
    with path.open("rb") as file:
        start = end = file.seek(0, os.SEEK_END)
        data = b""
        while start > 0 and data.count(b"\n") <= count and end - start < _MOST:
            step = min(_BLOCK, start)
            start -= step
            file.seek(start)
            data = file.read(step) + data
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    return lines[-count:]


def _text(line: bytes) -> str:
    return line[:_WIDTH].removesuffix(b"\r").decode(errors="surrogateescape")
