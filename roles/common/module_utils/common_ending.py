"""Ending what a person's programs do on a host: processes, and lines of crontabs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARK = "# ended by goplot: "
_STOP_SECONDS = 300
_LOOK_SECONDS = 0.2
_SPOOL = "var/spool/cron/crontabs"


@dataclass(frozen=True)
class CronLine:
    """A line of a crontab."""

    file: str
    user: str
    line: str


def cron_lines(host: Path, pattern: re.Pattern[str]) -> Iterator[CronLine]:
    """The active lines of all crontabs that match, on the host whose root directory is `host`."""
    spool = host / _SPOOL
    for file in (*_files(spool), host / "etc/crontab", *_files(host / "etc/cron.d")):
        own = file.name if file.parent == spool else ""
        try:
            lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        except OSError:
            continue
        for line in lines:
            if not line.lstrip().startswith("#") and pattern.search(line):
                yield CronLine(f"/{file.relative_to(host)}", own or _sixth(line), line)


def comment_out(line: CronLine) -> None:
    """Marks a line as a comment."""
    file = Path(line.file)
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    lines = [f"{MARK}{one}" if one == line.line else one for one in text.split("\n")]
    stat = file.stat()
    new = file.with_name(f".{file.name}.new")
    new.write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    os.chown(new, stat.st_uid, stat.st_gid)
    new.chmod(stat.st_mode & 0o7777)
    # cron rereads a file whose folder has changed.
    new.replace(file)


def end(pid: int, name: str) -> None:
    """Asks a process to end and waits for it. RuntimeError if it does not end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    late = time.monotonic() + _STOP_SECONDS
    while _lives(pid):
        if time.monotonic() > late:
            raise RuntimeError(f"{name} (process {pid}) does not end: stop it")
        time.sleep(_LOOK_SECONDS)


def _sixth(line: str) -> str:
    """The user of a line in a system's crontab."""
    fields = line.split()
    index = 1 if fields[0].startswith("@") else 5
    return fields[index] if len(fields) > index else ""


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())
