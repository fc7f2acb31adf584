"""When lines were written: in every time zone, through repeated hours, with a clock that is set."""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goplot.harvester_log.dating import SEEN_SECONDS, Window, clock_text
from goplot.harvester_log.service import Watch
from goplot.host.textfile import read_samples
from tests.support.farm_root import FarmRoot
from tests.support.log_samples import NOW, prefixed

#: Where the clocks change at different hours, by half an hour, to the west, in the south, never.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "UTC",
)
_ALL_ZONES = sorted(name for name in available_timezones() if "/" in name)
_YEARS = (int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()), 2**31 - 1)


@contextmanager
def local_zone(name: str) -> Iterator[None]:
    """Let the local time of this process be that of a zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def stamp(moment: float, zone: str) -> bytes:
    """A moment as Chia writes it in a zone."""
    local = datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=None)
    return local.isoformat(timespec="milliseconds").encode() + b" "


def line(moment: float, zone: str) -> bytes:
    """An eligible line that was written at a moment in a zone."""
    return prefixed(NOW, time=stamp(moment, zone))


@cache
def transitions(zone: str, year: int) -> tuple[float, ...]:
    """When the clocks of a zone change in a year, epoch seconds."""
    info = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(info).utcoffset()

    begin = datetime(year, 1, 1, tzinfo=UTC)
    days = [begin + timedelta(days=day) for day in range(366)]
    hours = [
        day + timedelta(hours=hour)
        for day in days
        if offset(day) != offset(day + timedelta(days=1))
        for hour in range(24)
    ]
    steps = [(hour, hour + timedelta(hours=1)) for hour in hours]
    return tuple(after.timestamp() for hour, after in steps if offset(hour) != offset(after))


# Of Europe/Berlin, 2026-10-25: the clocks go from 03:00 back to 02:00 at 01:00 UTC.
@pytest.mark.parametrize(
    ("text", "now", "age"),
    [
        (b"2026-10-25T02:30:00.000 ", "2026-10-25T00:30:05Z", 5),
        (b"2026-10-25T02:30:00.000 ", "2026-10-25T01:30:05Z", 5),
        (b"2026-10-25T02:00:01.000 ", "2026-10-25T01:00:03Z", 2),
        (b"2026-10-25T03:00:01.000 ", "2026-10-25T02:00:03Z", 2),
    ],
)
def test_a_line_of_the_repeated_hour_that_was_there_before(
    text: bytes, now: str, age: float
) -> None:
    latest = datetime.fromisoformat(now).timestamp()
    with local_zone("Europe/Berlin"):
        moment = Window(latest).moment(prefixed(NOW, time=text), 0)
    assert latest - moment == age


def test_the_hour_before_is_meant_when_nothing_was_written_since() -> None:
    latest = datetime.fromisoformat("2026-10-25T01:40:00Z").timestamp()
    text = prefixed(NOW, time=b"2026-10-25T02:50:00.000 ")
    with local_zone("Europe/Berlin"):
        assert latest - Window(latest).moment(text, 0) == 50 * 60


@given(
    st.sampled_from(_ALL_ZONES),
    st.integers(*_YEARS),
    st.floats(0, SEEN_SECONDS),
    st.binary(max_size=60),
)
def test_what_was_seen_to_arrive_was_written_when_it_arrived(
    zone: str, now: int, gap: float, text: bytes
) -> None:
    with local_zone(zone):
        window = Window(now, now - gap)
        assert window.moment(text, 0) == now
        assert window.moment(line(now - 9e5, "UTC"), 3600) == now


@given(
    st.sampled_from(ZONES),
    st.integers(2024, 2034),
    st.floats(-7200, 7200),
    st.floats(0, 1500),
    st.data(),
)
def test_a_text_of_its_own_zone_is_right_near_every_change_of_the_clocks(
    zone: str, year: int, after: float, age: float, data: st.DataObject
) -> None:
    changes = transitions(zone, year) or (datetime(year, 7, 1, tzinfo=UTC).timestamp(),)
    written = round(data.draw(st.sampled_from(changes)) + after, 3)
    with local_zone(zone):
        text = line(written, zone)
        now = written + age
        assert Window(now).moment(text, 0) == pytest.approx(written, abs=0.01)
        # The same where the log was looked at shortly before it was written.
        within = Window(now, written - 1)
        assert within.moment(text, 0) == pytest.approx(written if age > 9 else now, abs=0.01)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    st.integers(*_YEARS),
    st.floats(0, 30),
    st.data(),
)
def test_another_zone_is_learned_and_then_known(
    here: str, there: str, now: int, late: float, data: st.DataObject
) -> None:
    gone = data.draw(st.floats(60, 3000))

    def between(moment: float) -> float:
        zones = [ZoneInfo(zone) for zone in (here, there)]
        offsets = [datetime.fromtimestamp(moment, zone).utcoffset() for zone in zones]
        assert offsets[0] is not None
        assert offsets[1] is not None
        return (offsets[0] - offsets[1]).total_seconds()

    def quiet(moment: float) -> bool:
        # Away from a change of either clock, where a text is ambiguous.
        return len({between(moment + hours * 3600) for hours in (-30, -6, -3, 0, 3, 6, 30)}) == 1

    assume(quiet(now))
    with local_zone(here):
        behind = Window(now + late, now + late - 5).behind(line(now, there))
        assert behind == between(now)
        # It was stopped for a while; then the log holds what was written meanwhile.
        later = now + gone + 3600
        found = Window(later, now + late).moment(line(now + gone, there), behind)
        assert found == pytest.approx(now + gone, abs=0.01)


@given(
    st.one_of(st.binary(max_size=40), st.floats(-4e9, 4e9).map(lambda m: line(m % 4e9, "UTC"))),
    st.floats(0, 2**31),
    st.one_of(st.just(math.inf), st.floats(-100, 1e7)),
    st.floats(-1e6, 1e6),
)
def test_a_moment_is_never_outside_its_window(
    text: bytes, now: float, gap: float, behind: float
) -> None:
    moment = Window(now, now - gap).moment(text, behind)
    assert moment <= now
    assert moment >= min(now, now - gap)
    assert math.isfinite(moment)


def test_a_clock_that_is_off_is_named() -> None:
    now = 1_800_000_000.0
    with local_zone("Europe/Berlin"):
        window = Window(now, now - 1)
        assert window.behind(line(now - 90, "Europe/Berlin")) == 0
        assert window.behind(line(now - 420, "Europe/Berlin")) == 420
        assert window.behind(b"no date") is None
        assert Window(now).behind(line(now, "UTC")) is None
    assert clock_text(3600) == "1 h behind this host's clock"
    assert clock_text(-20700) == "5.75 h ahead of this host's clock"
    assert clock_text(420) == "7 min behind this host's clock"


class Clock:
    """The wall clock and the boot clock of a process, as a test sets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wall: float) -> None:
        self.wall, self.boot = wall, 5000.0
        monkeypatch.setattr(os, "fsync", lambda _: None)
        monkeypatch.setattr(time, "time", lambda: self.wall)
        monkeypatch.setattr(time, "monotonic", lambda: self.boot)
        monkeypatch.setattr(time, "clock_gettime", lambda _: self.boot)

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.boot += seconds


class Harvester:
    """harvester-log in this process, and a Chia that writes its log in a zone."""

    def __init__(self, root: FarmRoot, clock: Clock, zone: str) -> None:
        self.root, self.clock, self.zone = root, clock, zone
        self.log = root.path / "chia" / "log" / "debug.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        root.configure(more=f'[chia]\nroot = "{root.path / "chia"}"\nlog = "{self.log}"\n')
        self.state = root.path / "state" / "harvester_log"
        self.state.mkdir(parents=True)
        self.watch = self.start()

    def start(self) -> Watch:
        """Start it as its unit does."""
        self.watch = Watch(self.root.settings, self.state, self.clock.wall)
        return self.watch

    def write(self, ago: float = 0) -> None:
        """Write an eligible line, `ago` seconds before now."""
        with self.log.open("ab") as file:
            file.write(line(self.clock.wall - ago, self.zone) + b"\n")

    def look(self) -> tuple[str, float]:
        """Poll, and the state and the age that it writes."""
        self.watch.poll()
        self.watch.write()
        samples = read_samples(
            (self.root.path / "textfiles" / "goplot_harvester_log.prom").read_text()
        )
        (state,) = [
            labels["state"] for labels, value in samples["goplot_harvester_log_state"] if value == 1
        ]
        return state, samples["chia_harvester_eligible_age_seconds"][0][1]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", [7.0, 45.0])
def test_a_harvester_is_never_silent_while_the_clocks_change(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, zone: str, step: float
) -> None:
    for change in transitions(zone, 2026) or (1_800_000_000.0,):
        with local_zone(zone):
            clock = Clock(monkeypatch, change - 5000)
            harvester = Harvester(root, clock, zone)
            harvester.write()
            for begin in range(-3600, 3601, 1200):
                clock.pass_by(change + begin - clock.wall)
                for _ in range(3):
                    clock.pass_by(step)
                    harvester.write(ago=2)
                    state, age = harvester.look()
                    assert state == "ok"
                    assert age <= 2
            harvester.watch.close()
        (harvester.state / "harvester_log.json").unlink()
        harvester.state.rmdir()
        harvester.log.unlink()


@pytest.mark.parametrize("here", ["Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu"])
def test_a_log_in_utc_is_followed_and_dated_through_a_stop(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    with local_zone(here):
        clock = Clock(monkeypatch, 1_795_366_893.0)
        harvester = Harvester(root, clock, "UTC")
        harvester.write(ago=20)
        harvester.look()
        for _ in range(5):
            clock.pass_by(9)
            harvester.write()
            assert harvester.look() == ("ok", 0)
        harvester.watch.close()
        clock.pass_by(1800)
        harvester.write(ago=1500)
        harvester.start()
        assert harvester.look() == ("silent", 1500)


@pytest.mark.parametrize("step", [-86400, 400 * 86400])
def test_a_clock_that_is_set_makes_no_silence_and_hides_none(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    clock = Clock(monkeypatch, 1_795_366_893.0)
    harvester = Harvester(root, clock, "UTC")
    harvester.write()
    harvester.look()
    clock.pass_by(5)
    harvester.write()
    assert harvester.look() == ("ok", 0)
    clock.wall += step
    clock.pass_by(60)
    assert harvester.look() == ("ok", 60)
    clock.pass_by(300)
    state, age = harvester.look()
    assert (state, age) == ("silent", 360)


def test_a_state_from_the_future_hides_no_silence(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, 1_795_366_893.0)
    harvester = Harvester(root, clock, "UTC")
    harvester.write()
    harvester.look()
    harvester.watch.close()
    clock.wall -= 400 * 86400
    harvester.start()
    assert harvester.look() == ("ok", 0)
    clock.pass_by(301)
    assert harvester.look() == ("silent", 301)
