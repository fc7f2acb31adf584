"""The Chia log if it is in journald (`log_systemd`, or `log_stdout` in a unit)."""

import json
import math
import os
import subprocess
from collections.abc import Iterator
from typing import Any

# Of Chia's own handler `chia.harvester`; of a unit's output the program, `chia_harvester`.
_SERVICES = ("daemon", "full_node", "farmer", "harvester", "solver", "wallet")
_IDENTIFIERS = tuple(f"chia{sign}{service}" for service in _SERVICES for sign in "._")
_LEVELS = {"2": "CRITICAL", "3": "ERROR", "4": "WARNING", "6": "INFO", "7": "DEBUG"}
# In place of a date: journald's own time of an entry is given beside its text.
_UNDATED = "0000-00-00T00:00:00.000"
_READ = 128 * 1024
_MOST = 1024 * 1024


class Journal:
    """Follows journald from a cursor on, in blocks of lines as in debug.log.

    `cut` counts entries that were too long, `cursor` is the last one that was given out.
    """

    def __init__(self, cursor: str, program: str = "journalctl") -> None:
        """`cursor` empty: from an hour ago on."""
        self.cursor = cursor
        self.cut = 0
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._half = b""

    def close(self) -> None:
        """End journalctl."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def poll(self) -> Iterator[tuple[bytes, list[float]]]:
        """Everything available now: blocks of lines, and when each line was written.

        Raises OSError when journald can't be read.
        """
        process = self._process or self._start()
        if process.stdout is None:
            return
        while True:
            try:
                data = os.read(process.stdout.fileno(), _READ)
            except BlockingIOError:
                return
            if not data:
                self._fail()
            whole, _, self._half = (self._half + data).rpartition(b"\n")
            if len(self._half) > _MOST:
                self._half, self.cut = b"", self.cut + 1
            entries = [entry for entry in map(_entry, whole.split(b"\n")) if entry]
            if entries:
                self.cursor = entries[-1].get("__CURSOR", self.cursor)
                texts = list(map(_lines, entries))
                yield (
                    b"".join(texts),
                    [
                        moment
                        for text, entry in zip(texts, entries, strict=True)
                        for moment in [_moment(entry)] * text.count(b"\n")
                    ],
                )

    def _start(self) -> subprocess.Popen[bytes]:
        start = f"--after-cursor={self.cursor}" if self.cursor else "--since=-1h"
        self._half = b""
        self._process = subprocess.Popen(
            [
                self._program,
                "--quiet",
                "--follow",
                "--no-tail",
                # Unmerged, it follows this boot alone; a sandbox within a container sees another
                # boot id than journald, and would get nothing.
                "--merge",
                "--output=json",
                "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,LOGGER",
                start,
                *(f"--identifier={name}" for name in _IDENTIFIERS),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self._process.stdout is not None:
            os.set_blocking(self._process.stdout.fileno(), False)
        return self._process

    def _fail(self) -> None:
        process, self._process = self._process, None
        text = b"" if process is None else process.communicate()[1]
        raise OSError(f"journalctl ended: {text.decode(errors='replace').strip() or 'no error'}")


def last_lines(count: int, program: str = "journalctl") -> list[bytes]:
    """The last lines of Chia's services in journald, as in debug.log. Raises OSError."""
    output = "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,LOGGER"
    names = [f"--identifier={name}" for name in _IDENTIFIERS]
    command = [program, "--quiet", "--merge", f"--lines={count}", "--output=json", output, *names]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        raise OSError(done.stderr.decode(errors="replace").strip() or "journalctl failed")
    entries = [entry for entry in map(_entry, done.stdout.split(b"\n")) if entry]
    return b"".join(map(_lines, entries)).splitlines()[-count:]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _lines(entry: dict[str, Any]) -> bytes:
    """An entry as in debug.log, each of its lines with a newline."""
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        # Text that is not UTF-8 comes as a list of numbers.
        text = bytes(byte & 255 for byte in message if isinstance(byte, int))
    else:
        text = str(message or "").encode()
    if text[:4].isdigit() and text[4:5] == b"-":
        return text + b"\n"
    identifier = str(entry.get("SYSLOG_IDENTIFIER", ""))
    service = identifier.removeprefix("chia").lstrip("._") or "daemon"
    logger = str(entry.get("LOGGER") or f"chia.{service}")
    level = _LEVELS.get(str(entry.get("PRIORITY")), "INFO")
    return f"{_UNDATED} {service} {logger}: {level:<8} ".encode() + text + b"\n"


def _moment(entry: dict[str, Any]) -> float:
    """When journald received an entry, by this host's clock; infinity when it does not say."""
    stamp = str(entry.get("__REALTIME_TIMESTAMP"))
    return int(stamp) / 1e6 if stamp.isdecimal() else math.inf
