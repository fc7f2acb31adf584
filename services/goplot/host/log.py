"""The journal with its priorities, and goplot.log in the original's format."""

import contextlib
import logging
import os
import sys
import time
from pathlib import Path

from goplot.farm.names import shown

#: sd-daemon(3): systemd takes a line's priority from what it begins with.
_PRIORITIES = (
    (logging.CRITICAL, "<2>"),
    (logging.ERROR, "<3>"),
    (logging.WARNING, "<4>"),
    (logging.INFO, "<6>"),
)
_logger = logging.getLogger(__name__)


class JournalHandler(logging.Handler):
    """Writes to standard error; each line with its priority where that is the journal.

    A failed write never ends the program.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        prefix = _priority(record.levelno) if _is_journal() else ""
        lines = shown(record.getMessage()).splitlines()
        with contextlib.suppress(OSError):
            print("\n".join(prefix + line for line in lines), file=sys.stderr, flush=True)


def start_logging() -> None:
    """Log everything of goplot to standard error."""
    logger = logging.getLogger("goplot")
    if not logger.handlers:
        logger.addHandler(JournalHandler())
    logger.setLevel(logging.INFO)


def _priority(level: int) -> str:
    return next((prefix for least, prefix in _PRIORITIES if level >= least), "<7>")


def _is_journal() -> bool:
    """True when standard error is the journal, systemd.exec(5), JOURNAL_STREAM."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class Log:
    """Appends to goplot.log, and logs the same to the journal.

    The file is opened anew for every line, so it may be rotated at any time; a line is one write,
    so programs may share it. A failed write never ends the program.
    """

    def __init__(self, path: Path, program: str) -> None:
        """`program` is named in each line: `goplot`, `prejob`, `strtplot`, `endplot`..."""
        self._path = path
        self._program = program

    def __call__(self, text: str, program: str | None = None, level: int = logging.INFO) -> None:
        """Log one line; `level` is one of logging's."""
        text = "; ".join(shown(text).splitlines())
        _logger.log(level, "%s", text)
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
            _logger.error("cannot write %s: %s", self._path, error.strerror)

    def warn(self, text: str, program: str | None = None) -> None:
        """Log one line that needs a person's attention."""
        self(text, program, logging.WARNING)


def timestamp() -> str:
    """Local time with its offset, such as 2026-11-22 17:53:24 +0000."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")
