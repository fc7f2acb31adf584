"""goplot-harvester-log: follows the Chia log and turns it into metrics."""

import contextlib
import json
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from goplot.farm.codec import decode, encode
from goplot.harvester_log.dating import Window, clock_text
from goplot.harvester_log.follower import Follower, Position
from goplot.harvester_log.journal import Journal
from goplot.harvester_log.metrics import Sight, State, metrics_of, state_of
from goplot.harvester_log.tally import Counting, Tally
from goplot.host import program
from goplot.host.files import write_whole
from goplot.host.notify import notify
from goplot.host.settings import Settings

_logger = logging.getLogger(__name__)
_POLL_SECONDS = 1.0
#: After a kill at most this time is read again; the counts stay correct.
_SAVE_SECONDS = 3.0
_WRITE_SECONDS = 5.0
# Two clocks that differ by so much since the last poll: the wall clock was set.
_STEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Record:
    """What survives a restart: the counters, when following began, and where reading continues.

    `since` is in epoch seconds, and `looked`, when the log was last read to its end; `position` is
    Position's document where the log is a file, `cursor` that of journald where it is there.
    """

    tally: Tally
    since: float
    lost: int = 0
    cut: int = 0
    position: dict[str, Any] | None = None
    cursor: str = ""
    looked: float | None = None


class Watch:
    """The log with what was counted in it, kept together."""

    def __init__(self, settings: Settings, folder: Path, now: float) -> None:
        """Continue where the state in `folder` says. Raises OSError."""
        self._settings = settings
        self._path = folder / "harvester_log.json"
        record = _read(self._path) or Record(Tally(), now)
        self._tally = record.tally
        # A date in the future is a damaged date.
        self._tally.shift(0, now)
        self._since = min(record.since, now)
        self._looked = -math.inf if record.looked is None else min(record.looked, now)
        self._clocks = _clocks()
        self._lost = record.lost
        self._cut = record.cut
        self._counting = Counting(self._tally)
        self._source = self._open(record)
        self._readable = False
        self._fault = ""
        self._said = ""
        self._behind = 0.0
        self._saved = 0.0
        self._written = 0.0
        self._fresh = True
        self.save()

    def poll(self) -> None:
        """Read what is available, save and write what is due."""
        self._follow_clock()
        begin = time.time()
        fault = self._settings.chia.fault()
        try:
            for block, moments in self._blocks():
                self._counting.add(block, Window(time.time(), self._looked), moments)
                self._fresh = True
                notify("WATCHDOG=1")
                self._save_when_due()
            if not fault:
                self._looked = begin
        except OSError as error:
            fault = str(error)
        self._readable = not fault
        if fault != self._fault:
            level = logging.WARNING if fault else logging.INFO
            _logger.log(level, "the Chia log %s", fault or "can be read again")
            self._fault = fault
        self._save_when_due()
        if time.monotonic() - self._written >= _WRITE_SECONDS:
            self.write()

    def save(self) -> None:
        """Save position and counts, in one step. Raises OSError."""
        source = self._source
        lost, cut = self._losses()
        record = Record(self._tally, self._since, lost, cut)
        if self._looked > 0:
            record = replace(record, looked=self._looked)
        if isinstance(source, Follower):
            record = replace(record, position=source.position.document())
        else:
            record = replace(record, cursor=source.cursor)
        # A release before position had a default treats an empty one as damage.
        document = {key: value for key, value in encode(record).items() if value is not None}
        write_whole(self._path, json.dumps(document) + "\n", mode=0o640)
        self._saved = time.monotonic()
        self._fresh = False

    def write(self) -> None:
        """Write the metrics."""
        now = time.time()
        lost, cut = self._losses()
        sight = Sight(self._readable, self._since, self._settings.chia.quiet_seconds, lost, cut)
        state = state_of(self._tally, sight, now)
        if state.value != self._said:
            level = logging.INFO if state is State.OK else logging.WARNING
            _logger.log(level, "the Chia log is %s", state.value)
            self._said = state.value
        behind = self._tally.clock_behind or 0
        if behind != self._behind:
            _logger.warning("the clock of the Chia log is %s", clock_text(behind))
            self._behind = behind
        try:
            metrics_of(self._tally, sight, now).write(
                self._settings.roots.textfiles, "goplot_harvester_log"
            )
        except OSError as error:
            _logger.error("the metrics can't be written: %s", error)
        notify(f"STATUS={state.value}, {self._tally.lines} lines read")
        self._written = time.monotonic()

    def close(self) -> None:
        """Save for the next start."""
        self.save()
        self.write()
        self._source.close()

    def _open(self, record: Record) -> Follower | Journal:
        chia = self._settings.chia
        if chia.log is None:
            return Journal(record.cursor)
        position = None if record.position is None else Position.restored(record.position)
        return Follower(chia.log, position)

    def _blocks(self) -> Iterator[tuple[bytes, Sequence[float] | None]]:
        source = self._source
        if isinstance(source, Follower):
            return ((block, None) for block in source.poll())
        return iter(source.poll())

    def _follow_clock(self) -> None:
        """Move all times with a wall clock that was set: ages are not differences of two."""
        before, self._clocks = self._clocks, _clocks()
        step = self._clocks[0] - before[0] - (self._clocks[1] - before[1])
        if abs(step) > _STEP_SECONDS:
            self._tally.shift(step, self._clocks[0])
            self._since += step
            self._looked += step

    def _losses(self) -> tuple[int, int]:
        lost = self._source.lost if isinstance(self._source, Follower) else 0
        return self._lost + lost, self._cut + self._source.cut

    def _save_when_due(self) -> None:
        if self._fresh and time.monotonic() - self._saved >= _SAVE_SECONDS:
            try:
                self.save()
            except OSError as error:
                # What was read is counted again after a restart: nothing is wrong yet.
                _logger.error("the position can't be written: %s", error)
                self._saved = time.monotonic()


def _clocks() -> tuple[float, float]:
    """The wall clock, and one that nobody sets and that goes on in sleep."""
    return time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)


def state_folder(settings: Settings) -> Path:
    """Where the state is: the unit's StateDirectory=, or a folder in that of goplot."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else settings.roots.state / "harvester_log"


def _read(path: Path) -> Record | None:
    """The state, or None. A damaged one is set aside: the counters start at zero."""
    try:
        record = decode(Record, json.loads(path.read_text()))
        if record.position is not None:
            Position.restored(record.position)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError) as error:
        _logger.error("%s is damaged (%s), counters start anew", path, error)
        with contextlib.suppress(OSError):
            path.rename(path.with_suffix(".damaged"))
        return None
    return record


def main() -> int:
    """Run until SIGTERM. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-harvester-log", __doc__).parse_args()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return program.run(
        "goplot-harvester-log",
        options.settings,
        lambda settings: _follow(settings, stopping),
        ("roots", "chia"),
    )


def _follow(settings: Settings, stopping: threading.Event) -> int:
    folder = state_folder(settings)
    folder.mkdir(exist_ok=True)
    watch = Watch(settings, folder, time.time())
    notify("READY=1")
    while not stopping.is_set():
        notify("WATCHDOG=1")
        watch.poll()
        stopping.wait(_POLL_SECONDS)
    notify("STOPPING=1")
    watch.close()
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
