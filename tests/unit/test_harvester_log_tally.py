"""Counting in blocks counts as line by line does; what is reported of a log."""

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.farm.codec import decode, encode
from goplot.harvester_log.dating import Window
from goplot.harvester_log.grammar import Kind, of_lookups, parse
from goplot.harvester_log.metrics import Sight, State, metrics_of, state_of
from goplot.harvester_log.tally import STRANGE_LINES, Counting, Tally
from goplot.host.textfile import read_samples
from tests.support.log_samples import NEXT, NOW, OLD, PREFIXES, UNSEEN, coloured, prefixed

WRITTEN = time.mktime((2026, 11, 22, 17, 1, 33, 0, 0, -1)) + 0.29
SIGHT = Sight(readable=True, since=WRITTEN - 1000, quiet_seconds=300, lost=0, cut=0)

_NODE = {"service": b"full_node", "logger": b"chia.full_node.full_node_store"}
_LINES = st.one_of(
    st.sampled_from(
        [
            *PREFIXES.values(),
            *(prefixed(message) for message in (OLD, NOW, NEXT, UNSEEN, b"hello", b"")),
            prefixed(b"Plot a.plot has a farmer public key that is not in", level=b"WARNING"),
            prefixed(b"Failed to open file a.plot", level=b"ERROR"),
            prefixed("⏲️  Finished signage point 7/16: CC".encode(), **_NODE),
            prefixed("🍀 ️Farmed unfinished_block ab".encode(), **_NODE),
            prefixed(b"Don't have rc hash ab. caching signage point 7.", **_NODE),
            prefixed(b"eligible", **_NODE),
            coloured(b"_plot_refresh_callback: event done"),
            b"Traceback (most recent call last):",
            b"",
        ]
    ),
    st.binary(max_size=90).map(lambda data: data.replace(b"\n", b" ")),
    st.binary(max_size=60).map(lambda data: prefixed(data.replace(b"\n", b" "))),
    st.binary(max_size=60).map(lambda data: prefixed(data.replace(b"\n", b" "), **_NODE)),
)


@given(st.lists(st.lists(_LINES, max_size=8), max_size=4))
def test_blocks_count_what_their_lines_are(blocks: list[list[bytes]]) -> None:
    counting = Counting(Tally())
    for block in blocks:
        counting.add(b"".join(line + b"\n" for line in block), Window(time.time()))
    parsed = [parse(line) for block in blocks for line in block]
    tally = counting.tally
    assert tally.lines == len(parsed)
    assert tally.kinds == Counter(line.kind.value for line in parsed)
    eligible = [line.eligible for line in parsed if line.eligible]
    assert tally.eligible_plots == sum(entry.plots for entry in eligible)
    assert tally.proofs_v1 == sum(entry.proofs_v1 for entry in eligible)
    assert sum(tally.buckets) == sum(entry.seconds is not None for entry in eligible)
    assert tally.origins == Counter(
        f"{line.prefix.version or line.prefix.form}/{line.prefix.service}/{line.prefix.level}"
        for line in parsed
    )
    last = max((n for n, line in enumerate(parsed) if line.eligible), default=-1)
    strange = [
        line
        for line in parsed[last + 1 :]
        if line.kind is Kind.OTHER and line.prefix.level == "INFO" and of_lookups(line.prefix)
    ]
    assert tally.strange == len(strange)


def tally_of(*lines: bytes, now: float = WRITTEN) -> Tally:
    """What lines count as."""
    counting = Counting(Tally())
    counting.add(b"".join(line + b"\n" for line in lines), Window(now))
    return counting.tally


def test_times_are_those_of_the_lines_and_never_ahead_of_the_clock() -> None:
    assert tally_of(prefixed(NOW), now=WRITTEN + 5000).last_eligible == pytest.approx(WRITTEN)
    assert tally_of(prefixed(NOW), now=WRITTEN - 50).last_eligible == WRITTEN - 50
    assert tally_of(NOW, now=WRITTEN + 7).last_eligible == WRITTEN + 7
    odd = prefixed(NOW, time=b"2026-99-99T99:99:99.999 ")
    assert tally_of(odd).last_eligible is not None


def test_a_tally_outlives_its_process() -> None:
    tally = tally_of(prefixed(NOW), prefixed(UNSEEN), b"x")
    assert decode(Tally, encode(tally)) == tally


@pytest.mark.parametrize(
    ("lines", "age", "state"),
    [
        ([prefixed(NOW)], 299, State.OK),
        ([prefixed(NOW)], 301, State.SILENT),
        ([prefixed(NOW), prefixed(UNSEEN)], 301, State.UNKNOWN_FORMAT),
        ([prefixed(b"looked up 4: 0")] * STRANGE_LINES, 10, State.UNKNOWN_FORMAT),
        ([prefixed(b"hello")], 10, State.QUIET),
        ([prefixed(b"Failed to connect to PeerInfo", logger=b"harvester")] * 99, 10, State.QUIET),
        ([prefixed(b"Cannot connect to host", logger=b"harvester_server")] * 99, 10, State.QUIET),
        ([prefixed(b"slow", level=b"WARNING")], 10, State.LEVEL_TOO_LOW),
        ([prefixed(b"slow", level=b"WARNING")], 5000, State.LEVEL_TOO_LOW),
        ([prefixed(b"New peak", **_NODE)], 10, State.QUIET),
        ([], 10, State.SILENT),
    ],
)
def test_states(lines: list[bytes], age: float, state: State) -> None:
    assert state_of(tally_of(*lines), SIGHT, WRITTEN + age) is state


def test_a_log_that_can_not_be_read_is_not_silence() -> None:
    sight = replace(SIGHT, readable=False)
    assert state_of(tally_of(prefixed(NOW)), sight, WRITTEN) is State.UNREADABLE


def test_metrics() -> None:
    slow = prefixed(b"Looking up qualities on x took: 9.1", level=b"WARNING")
    alone = prefixed(b"Failed to connect to PeerInfo(_port=8447)", logger=b"harvester")
    tally = tally_of(alone, prefixed(NOW), prefixed(NEXT), slow, prefixed(UNSEEN))
    text = metrics_of(tally, SIGHT, WRITTEN + 301).render()
    samples = read_samples(text)

    def value(name: str, **labels: str) -> float:
        (found,) = [value for had, value in samples[name] if had == labels]
        return found

    assert value("goplot_harvester_log_state", state="unknown_format") == 1
    assert sum(value for _, value in samples["goplot_harvester_log_state"]) == 1
    assert value("goplot_harvester_log_look_alikes_total") == 1
    assert value("goplot_harvester_log_lines_total") == 5
    assert value("chia_harvester_eligible_plots_total") == 8
    assert value("chia_harvester_proofs_found_total", version="v1") == 12
    assert value("chia_harvester_proofs_found_total", version="v2") == 11
    assert value("chia_harvester_lookup_seconds_bucket", le="0.1") == 1
    assert value("chia_harvester_lookup_seconds_bucket", le="8.0") == 1
    assert value("chia_harvester_lookup_seconds_bucket", le="+Inf") == 2
    assert value("chia_harvester_lookup_seconds_count") == 2
    assert value("chia_harvester_lookup_seconds_sum") == pytest.approx(8.54333)
    assert value("chia_harvester_slow_lookups_total", version="v1") == 1
    assert value("chia_harvester_quiet") == 1
    assert value("chia_harvester_eligible_age_seconds") == pytest.approx(301, abs=0.1)
    assert value("chia_log_lines_total", service="harvester", level="INFO") == 4
    assert value("chia_log_connect_failures_total", service="harvester") == 1
    assert value("chia_log_peers_lost_total", service="farmer") == 0
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_mismatches_of_protocols_are_counted_by_the_service_that_sees_them() -> None:
    line = prefixed(
        b"protocol version mismatch: remote_type=2 incoming=0.0.37 our=0.0.38",
        service=b"farmer",
        logger=b"farmer_server",
        level=b"WARNING",
    )
    samples = read_samples(metrics_of(tally_of(line, line), SIGHT, WRITTEN).render())
    counts = {had["service"]: count for had, count in samples["chia_log_protocol_mismatches_total"]}
    assert counts.pop("farmer") == 2
    assert set(counts.values()) == {0}


def samples_of(tally: Tally) -> Counter[str]:
    """Every counter of trouble by its name and labels, without lines and their histogram."""
    samples = read_samples(metrics_of(tally, SIGHT, WRITTEN).render())
    return Counter(
        {
            f"{name}{sorted(labels.items())}": int(value)
            for name, entries in samples.items()
            for labels, value in entries
            if name.endswith("_total") and not name.endswith("log_lines_total")
        }
    )


def test_failed_lookups_of_every_wording_have_a_reason() -> None:
    text = (Path(__file__).parent / "chia_logs" / "lookup_errors.txt").read_bytes()
    tally = tally_of(*text.splitlines())
    found = samples_of(tally)
    reasons = ("plot_gone", "v2_lookup_failed", "unknown_error", "plot_unknown", "qualities_failed")
    counts = [
        found[f"chia_harvester_lookup_errors_total[('reason', '{reason}')]"] for reason in reasons
    ]
    assert counts == [2, 1, 1, 1, 1]
    for problem in ("folder_missing", "failed_to_open"):
        assert found[f"chia_harvester_plot_problems_total[('problem', '{problem}')]"] == 1
    assert tally.unmatched == {}


_WORDS = st.sampled_from([b"Error ", b"plot ", b"Failed ", b"proof ", b"found ", b"x", b"\xc3"])


@given(
    st.sampled_from([b"harvester", b"farmer", b"solver"]),
    st.sampled_from([b"WARNING", b"ERROR", b"CRITICAL"]),
    st.one_of(
        st.lists(_WORDS, max_size=5).map(b"".join),
        st.binary(max_size=40).map(lambda data: data.replace(b"\n", b" ")),
    ),
    st.integers(1, 3),
)
def test_no_line_of_trouble_goes_uncounted(
    service: bytes, level: bytes, message: bytes, count: int
) -> None:
    line = prefixed(message, service=service, logger=b"chia.x", level=level)
    before, after = samples_of(Tally()), samples_of(tally_of(*[line] * count))
    assert sum((after - before).values()) == count


def test_every_kind_of_line_has_a_metric() -> None:
    for kind in Kind:
        tally = Tally(kinds={kind.value: 1}, connections={f"{kind}/farmer": 1})
        counted = sum((samples_of(tally) - samples_of(Tally())).values())
        # An eligible line has its own counters; `other` and `detail` are not trouble of their own.
        assert counted == (kind not in (Kind.ELIGIBLE, Kind.OTHER, Kind.DETAIL))


def test_a_log_of_something_else_does_not_fill_the_memory() -> None:
    counting = Counting(Tally())
    block = b"".join(
        prefixed(b"x", version=b"%d.0 " % n, service=b"full_node", logger=b"a") + b"\n"
        for n in range(5000)
    )
    counting.add(block, Window(WRITTEN))
    assert len(counting.tally.origins) < 600
    assert sum(counting.tally.origins.values()) == 5000


@pytest.mark.parametrize("length", range(37))
def test_a_version_of_any_length_hides_no_eligible_line(length: int) -> None:
    tally = Tally()
    line = prefixed(NOW, version=b"2.7.6" + b"x" * length + b" ")
    in_colour = coloured(NOW).replace(b"2.7.5", b"2.7.6" + b"x" * length)
    Counting(tally).add(line + b"\n" + in_colour + b"\n", Window(WRITTEN))
    assert tally.kinds == {"eligible": 2}
