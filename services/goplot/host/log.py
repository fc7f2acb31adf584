"""goplot.log, in the form of the original: time, program, text."""

import contextlib
import os
import sys
import time
from pathlib import Path


class Log:
    """Appends to goplot.log and to standard error (the journal).

    The file is opened anew for every line, so it may be rotated at any time; a line is one write,
    so programs may share it. A log that can't be written never ends what is logged.
    """

    def __init__(self, path: Path, program: str) -> None:
        """`program` is named in each line: `goplot`, `prejob`, `strtplot`, `endplot`..."""
        self._path = path
        self._program = program

    def __call__(self, text: str, program: str | None = None) -> None:
        """Log one line."""
        text = "; ".join(text.splitlines())
        _say(text)
        line = f"{timestamp()} - {program or self._program:<9}: {text}\n"
        try:
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            _say(f"cannot write {self._path}: {error.strerror}")


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def timestamp() -> str:
    """Local time with its offset, such as 2026-11-22 17:53:24 +0000."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
