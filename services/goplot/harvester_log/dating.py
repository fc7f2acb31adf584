"""When a line of the Chia log was written. Pure: the clock is given.

A line that was seen to arrive was written when it arrived, by this host's clock, whatever time is
in its text: a local time is ambiguous for one hour a year, and Chia may run in another time zone.
The text's time is used only for lines that were there before the log was looked at.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

#: Time between two looks at the log within which lines count as seen to arrive.
SEEN_SECONDS = 10.0
#: A log's clock that differs by less is not reported: lines may come late.
NOTABLE_SECONDS = 120.0

_DATE = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3}) ")
# Time zones differ by multiples of this; a line comes at most so much before or after its time.
_ZONE_STEP = 900.0
_EARLY, _LATE = 5.0, 60.0
_ROUNDING = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of the time of lines without their text, in epoch seconds.

    They were read at `latest`, and were not there yet at `earliest`.
    """

    latest: float
    earliest: float = -math.inf

    @property
    def seen(self) -> bool:
        """True when the lines were seen to arrive."""
        return self.latest - self.earliest <= SEEN_SECONDS

    def limited(self, moment: float) -> float:
        """The moment within the window that is nearest to the given one."""
        return max(min(self.earliest, self.latest), min(self.latest, moment))

    def moment(self, line: bytes, behind: float) -> float:
        """When a line was written; its log's clock was last seen to be `behind` seconds behind.

        Of several times that its text may mean, the latest that fits; without any, `latest`.
        """
        if self.seen:
            return self.latest
        written = _written(line)
        possible = [*(moment + behind for moment in written), *written]
        if not possible:
            return self.latest
        nearest = min(possible, key=self._distance)
        return self.limited(next(filter(self._fits, possible), nearest))

    def behind(self, line: bytes) -> float | None:
        """How far a line's time was behind the clock when the line was seen to arrive.

        0 for less than NOTABLE_SECONDS, None when the line has no date or was not seen to arrive.
        """
        written = _written(line) if self.seen else []
        if not written:
            return None
        seconds = min((self.latest - moment for moment in written), key=abs)
        if abs(seconds) < NOTABLE_SECONDS:
            return 0.0
        zones = round((seconds - (_LATE - _EARLY) / 2) / _ZONE_STEP) * _ZONE_STEP
        return zones if -_EARLY <= seconds - zones <= _LATE else round(seconds, 3)

    def _fits(self, moment: float) -> bool:
        return self._distance(moment) <= _ROUNDING

    def _distance(self, moment: float) -> float:
        return abs(moment - self.limited(moment))


def clock_text(behind: float) -> str:
    """How a log's clock differs from this host's, for people."""
    if not behind:
        return "as this host's clock"
    size = abs(behind)
    shown = f"{size / 3600:g} h" if size % _ZONE_STEP == 0 else f"{size / 60:.0f} min"
    return f"{shown} {'behind' if behind > 0 else 'ahead of'} this host's clock"


def _written(line: bytes) -> list[float]:
    """What the date of a line may mean as local time, the latest first; empty without a date."""
    match = _DATE.match(line)
    if match is None:
        return []
    year, month, day, hour, minute, second, millisecond = map(int, match.groups())
    try:
        local = datetime(year, month, day, hour, minute, second, millisecond * 1000)
        moments = {local.replace(fold=fold).timestamp() for fold in (0, 1)}
    except (OverflowError, ValueError, OSError):
        return []
    return sorted(moments, reverse=True)
