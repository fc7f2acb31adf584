"""What was counted in the Chia log so far. Pure: the clock is given.

A block is bytes of whole lines, each with its newline. Most lines show nothing but their service
and level, so lines are counted by what stands at the same place in all of them, and only those
that may hold more are parsed one by one: that is ten times as fast as parsing each.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter

from goplot.harvester_log.dating import Window
from goplot.harvester_log.grammar import (
    DATED,
    OF_LOOKUPS,
    UNKNOWN,
    Kind,
    Prefix,
    kind_by_head,
    of_lookups,
    parse,
    parse_rest,
)

#: Upper bounds of the histogram of lookup times, in seconds. Chia warns above 8 (5 before 2.0);
#: a proof is lost after about 28.
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 8.0, 15.0, 28.0)

#: Unmatched INFO lines of the harvester, without one that matched, that are not chance.
STRANGE_LINES = 5

# The prefix from behind the time, and some bytes of the message: enough to distinguish most kinds,
# and few enough that most lines share them.
_key = itemgetter(slice(DATED, DATED + 67))
_CACHED = 4096
_BY_SERVICE = (Kind.PEER_LOST, Kind.NOT_CONNECTED, Kind.PROTOCOL_MISMATCH)
_UNMATCHED = (Kind.OTHER, Kind.LOOK_ALIKE, Kind.DAMAGED, Kind.UTF16)
_DAMAGE = (Kind.DAMAGED, Kind.UTF16)
#: Whose lines of trouble are counted also when no pattern matches them, and at which levels.
TROUBLE_SERVICES = ("harvester", "farmer", "solver")
TROUBLE_LEVELS = ("WARNING", "ERROR", "CRITICAL")
_ORIGINS = 500
# So many lines of a block are looked at for one with a date: a traceback has none.
_DATES_TRIED = 100


@dataclass(slots=True)
class Tally:
    """Counters and last values. Times are epoch seconds, None before the first.

    `origins` counts lines by `version or form/service/level`, `kinds` by Kind, `forms` eligible
    lines by form, `connections` those on lost, missing and mismatched connections by
    `kind/service`.
    `buckets` counts lookups up to each of BUCKETS, and beyond the last. `strange` counts INFO
    lines of the harvester's own module that no pattern matched, and damaged ones, `alike`
    look-alikes, both since the last eligible line. `unmatched` counts lines of TROUBLE_LEVELS
    that no pattern matched by `service/level`, of TROUBLE_SERVICES. `clock_behind` is how many
    seconds the log's clock was behind this host's.
    """

    lines: int = 0
    origins: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    forms: dict[str, int] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)
    eligible_plots: int = 0
    proofs_v1: int = 0
    proofs_v2: int = 0
    lookup_seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    last_eligible_plots: int | None = None
    total_plots: int | None = None
    last_line: float | None = None
    last_info: float | None = None
    last_match: float | None = None
    last_eligible: float | None = None
    strange: int = 0
    alike: int = 0
    clock_behind: float | None = None
    unmatched: dict[str, int] = field(default_factory=dict)

    def shift(self, seconds: float, latest: float) -> None:
        """Move all times, for a clock that was set by so much; none is after `latest`."""
        for name in ("last_line", "last_info", "last_match", "last_eligible"):
            moment = getattr(self, name)
            if moment is not None:
                setattr(self, name, min(latest, moment + seconds))

    def count(self, kind: Kind) -> int:
        """Lines of a kind."""
        return self.kinds.get(kind.value, 0)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a key says about all lines with it; without a kind, each of them is parsed."""

    prefix: Prefix | None
    origin: str
    kind: Kind | None


_ANY = _Known(None, "", None)


class Counting:
    """Adds blocks to a tally; keeps the look-alikes of the last block for whoever shows them."""

    def __init__(self, tally: Tally) -> None:
        """`tally` is changed in place."""
        self.tally = tally
        self.look_alikes: list[bytes] = []
        self._known: dict[bytes, _Known] = {}
        # The place of the last line of each kind in a block: times are needed only for these.
        self._last: dict[str, int] = {}

    def add(self, block: bytes, window: Window, moments: Sequence[float] | None = None) -> None:
        """Count the lines of a block that were written within a window.

        `moments` are their exact times where those are known; then the window's begin is not used.
        """
        lines = block.split(b"\n")
        lines.pop()
        if not lines:
            return
        self.look_alikes.clear()
        self.tally.lines += len(lines)
        end = len(lines) - 1
        self._last = {"line": end}
        keys = list(map(_key, lines))
        counts = Counter(keys)
        torn = self._torn(block, lines, keys, counts)
        for place in torn:
            counts[keys[place]] -= 1
        varied: dict[bytes, _Known] = {}
        for key, count in counts.items():
            known = self._known.get(key) or self._learn(key)
            if known.prefix is None or known.kind is None:
                varied[key] = known
            elif count:
                # When in the block they were written is not looked at.
                self._count(known.prefix, known.origin, known.kind, count, end)
        if varied or torn:
            places = compress(range(len(lines)), map(varied.__contains__, keys))
            for place in sorted({*places, *torn}) if torn else places:
                self._add_line(lines[place], place, varied.get(keys[place], _ANY))
        self._take_times(lines, window, moments)

    @staticmethod
    def _torn(
        block: bytes, lines: Sequence[bytes], keys: Sequence[bytes], counts: Counter[bytes]
    ) -> list[int]:
        """The places of lines with a whole line of a lookup behind the begin of a torn one."""
        own = sum(count for key, count in counts.items() if OF_LOOKUPS in key)
        if block.count(OF_LOOKUPS) <= own:
            return []
        return [
            place
            for place, (line, key) in enumerate(zip(lines, keys, strict=True))
            if line.count(OF_LOOKUPS) > (OF_LOOKUPS in key)
        ]

    def _add_line(self, line: bytes, place: int, known: _Known) -> None:
        tally = self.tally
        prefix, kind, eligible = parse(line, known.prefix)
        # Of a torn line it is another prefix than the one that the line begins with.
        same = prefix is known.prefix
        self._count(prefix, known.origin if same else self._origin(prefix), kind, 1, place)
        if eligible is not None:
            self._last["eligible"] = place
            form, plots, proofs_v1, proofs_v2, seconds, total_plots = eligible
            tally.forms[form] = tally.forms.get(form, 0) + 1
            tally.eligible_plots += plots
            tally.proofs_v1 += proofs_v1
            tally.proofs_v2 += proofs_v2
            if seconds is not None:
                tally.lookup_seconds += seconds
                tally.buckets[bisect_left(BUCKETS, seconds)] += 1
            tally.last_eligible_plots = plots
            tally.total_plots = total_plots
            tally.strange = tally.alike = 0
        elif kind is Kind.LOOK_ALIKE:
            tally.alike += 1
            self.look_alikes.append(line)
        elif kind in _DAMAGE:
            # A new form may look like what is left of a known one: many are not chance.
            tally.strange += 1
        elif kind is Kind.OTHER and prefix.level == "INFO" and of_lookups(prefix):
            tally.strange += 1

    def _count(self, prefix: Prefix, origin: str, kind: Kind, count: int, place: int) -> None:
        """Count lines of a kind; the line at `place` shows when the last of them was written."""
        tally = self.tally
        tally.origins[origin] = tally.origins.get(origin, 0) + count
        tally.kinds[kind] = tally.kinds.get(kind, 0) + count
        if (
            kind is Kind.OTHER
            and prefix.level in TROUBLE_LEVELS
            and prefix.service in TROUBLE_SERVICES
        ):
            name = f"{prefix.service}/{prefix.level}"
            tally.unmatched[name] = tally.unmatched.get(name, 0) + count
        if kind in _BY_SERVICE:
            name = f"{kind}/{prefix.service}"
            tally.connections[name] = tally.connections.get(name, 0) + count
        if kind is Kind.ELIGIBLE:
            return
        if prefix.level == "INFO":
            self._last["info"] = place
        if kind not in _UNMATCHED:
            self._last["match"] = place

    def _take_times(
        self, lines: Sequence[bytes], window: Window, given: Sequence[float] | None
    ) -> None:
        tally = self.tally
        if given is None:
            recent = reversed(lines[-_DATES_TRIED:])
            behind = next((b for b in map(window.behind, recent) if b is not None), None)
            tally.clock_behind = tally.clock_behind if behind is None else behind
        moments = {
            name: window.moment(lines[place], tally.clock_behind or 0)
            if given is None
            else min(window.latest, given[place])
            for name, place in self._last.items()
        }
        tally.last_line = moments["line"]
        tally.last_eligible = moments.get("eligible", tally.last_eligible)
        for name in ("info", "eligible"):
            if name in moments:
                tally.last_info = max(moments[name], tally.last_info or 0)
        for name in ("match", "eligible"):
            if name in moments:
                tally.last_match = max(moments[name], tally.last_match or 0)

    def _learn(self, key: bytes) -> _Known:
        if len(self._known) >= _CACHED:
            self._known.clear()
        prefix = parse_rest(key, "dated", DATED)
        if prefix is not None and key[prefix.start - DATED :][:1] in (b"", b"\x1b"):
            # It may go on behind the key: each such line is parsed whole.
            prefix = None
        kind = None if prefix is None else kind_by_head(prefix, key[prefix.start - DATED :])
        origin = "" if prefix is None else self._origin(prefix)
        self._known[key] = known = _Known(prefix, origin, kind)
        return known

    def _origin(self, prefix: Prefix) -> str:
        origin = f"{prefix.version or prefix.form}/{prefix.service}/{prefix.level}"
        origins = self.tally.origins
        if origin not in origins and len(origins) >= _ORIGINS:
            # A log that is not Chia's must not fill the memory.
            return f"{prefix.form}/{UNKNOWN}/{prefix.level}"
        return origin
