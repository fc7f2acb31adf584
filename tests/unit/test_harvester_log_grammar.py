"""The grammar of the Chia log: every released form, and what it is blind to."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.harvester_log.grammar import Eligible, Kind, kind_by_head, parse, parse_eligible
from goplot.harvester_log.grammar import parse_prefix as prefix_of
from tests.support import log_samples
from tests.support.log_samples import DATE, NEXT, NOW, OLD, PREFIXES, UNSEEN, coloured, prefixed


@pytest.mark.parametrize("line", PREFIXES.values(), ids=PREFIXES.keys())
def test_an_eligible_line_after_every_prefix(line: bytes) -> None:
    found = parse(line)
    assert found.kind is Kind.ELIGIBLE
    assert found.eligible is not None
    assert found.eligible.total_plots == (10 if OLD in line else 4)


@pytest.mark.parametrize(
    ("message", "eligible"),
    [
        (OLD, Eligible("1.0", 1, 0, 0, 0.12345, 10)),
        (NOW, Eligible("2.5.7", 4, 0, 0, 0.04333, 4)),
        (NEXT, Eligible("next", 4, 12, 11, 8.5, 4)),
        (OLD.replace(b"Found 0", b"Found 10"), Eligible("1.0", 1, 10, 0, 0.12345, 10)),
        (NOW.replace(b"Found 0", b"Found 123"), Eligible("2.5.7", 4, 123, 0, 0.04333, 4)),
        (NOW.replace(b"...4 plots", b"...1234567 plots"), None),
        (NOW.replace(b" s. Total", b" seconds. Total"), None),
        (OLD.replace(b"0.12345", b"-2.27123"), Eligible("1.0", 1, 0, 0, None, 10)),
        (OLD.replace(b"0.12345", b"5.006e-06"), Eligible("1.0", 1, 0, 0, 5.006e-06, 10)),
        (OLD.replace(b"0.12345", b"nan"), Eligible("1.0", 1, 0, 0, None, 10)),
        (OLD.replace(b"0.12345", b"1e999"), Eligible("1.0", 1, 0, 0, None, 10)),
        (OLD + b"\0\0\0", Eligible("1.0", 1, 0, 0, 0.12345, 10)),
        (UNSEEN, None),
    ],
)
def test_eligible_messages(message: bytes, eligible: Eligible | None) -> None:
    if eligible is None and b"1234567" in message:
        eligible = Eligible("2.5.7", 1234567, 0, 0, 0.04333, 4)
    assert parse_eligible(message) == eligible


@pytest.mark.parametrize(
    ("name", "form", "version", "service", "level"),
    [
        ("1.0.0", "undated", "", "harvester", "INFO"),
        ("1.1.0", "dated", "", "harvester", "INFO"),
        ("2.4.4", "dated", "2.4.4", "harvester", "INFO"),
        ("2.7.5rc", "dated", "2.7.5rc1.dev12+g01ab", "harvester", "INFO"),
        ("stdout", "dated", "2.7.5", "harvester", "INFO"),
        ("journal", "bare", "", "harvester", "unknown"),
        ("message", "bare", "", "unknown", "unknown"),
    ],
)
def test_prefixes(name: str, form: str, version: str, service: str, level: str) -> None:
    found = prefix_of(PREFIXES[name])
    assert (found.form, found.version, found.service, found.level) == (
        form,
        version,
        service,
        level,
    )


_PLOT = b"/farm/1/disk1/plots/plot-k32-2026-11-22-17-53-" + b"ab" * 32 + b".plot"


@pytest.mark.parametrize(
    ("kind", "service", "message"),
    [
        (
            Kind.SLOW_V1,
            b"harvester",
            b"Looking up qualities on " + _PLOT + b" took: 9.1. This should be below 8 seconds to "
            b"minimize risk of losing rewards.",
        ),
        (
            Kind.SLOW_V2,
            b"harvester",
            b"Looking up partial proofs on abtook: 9.1. This should be below 8 seconds",
        ),
        (
            Kind.NO_DECOMPRESSOR,
            b"harvester",
            b"No decompressor available. Cancelling qualities retrieving for " + _PLOT,
        ),
        (
            Kind.DROPPED_COMPRESSION,
            b"harvester",
            b"Proof dropped due to line point compression for " + _PLOT,
        ),
        (Kind.QUALITIES_FAILED, b"harvester", b"Exception fetching qualities for " + _PLOT),
        (Kind.FULL_PROOF_FAILED, b"harvester", b"Exception fetching full proof for " + _PLOT),
        (Kind.PROVER_FAILED, b"harvester", b"Error using prover object x"),
        (
            Kind.REFRESHED,
            b"harvester",
            b"_plot_refresh_callback: event done, loaded 6, removed 0, processed 6, remaining 0, "
            b"duration: 0.01 seconds, total plots: 6",
        ),
        (Kind.DUPLICATE, b"harvester", b"Have multiple copies of the plot x.plot in ['a', 'b']."),
        (
            Kind.WRONG_FARMER_KEY,
            b"harvester",
            b"Plot " + _PLOT + b" has a farmer public key that is not in the farmer's pk list.",
        ),
        (
            Kind.WRONG_POOL_KEY,
            b"harvester",
            b"Plot " + _PLOT + b" has a pool public key that is not in the farmer's pool pk list.",
        ),
        (Kind.FAILED_TO_OPEN, b"harvester", b"Failed to open file " + _PLOT + b". Invalid"),
        (
            Kind.TOO_SMALL,
            b"harvester",
            b"Not farming plot " + _PLOT + b". Size is 1 GiB, but expected at least: 101 GiB. "
            b"We assume the file is being copied.",
        ),
        (
            Kind.NOT_DECOMPRESSED,
            b"harvester",
            b"Not farming compressed plot " + _PLOT + b". Plot compression level: 5, because "
            b"parallel_decompressor_count is set to 0 in config.yaml.",
        ),
        (Kind.STARTED, b"harvester", b"Using plots_refresh_parameter: {'batch_size': 300}"),
        (Kind.NOT_CONNECTED, b"harvester", b"Failed to connect to PeerInfo(_port=8447)"),
        (Kind.PEER_LOST, b"farmer", b"peer disconnected PeerInfo(_ip='10.77.1.13', _port=34)"),
        (
            Kind.PROTOCOL_MISMATCH,
            b"harvester",
            b"protocol version mismatch: local_type=2 incoming=0.0.37 our=0.0.38",
        ),
        (
            Kind.PROTOCOL_MISMATCH,
            b"farmer",
            b"protocol version mismatch: remote_type=2 incoming=0.0.37 our=0.0.38",
        ),
        (Kind.PARTIAL, b"farmer", b"Submitting partial for ab to https://pool.example"),
        (Kind.POOL_RESPONSE, b"farmer", b"Pool response: {'new_difficulty': 1}"),
        (Kind.POOL_ERROR, b"farmer", b"Error in pooling: (5, 'too late')"),
        (Kind.PARTIAL_FAILED, b"farmer", b"Error sending partial to https://pool.example, 500"),
        (Kind.POOL_UNREACHABLE, b"farmer", b"Error connecting to pool: no route"),
        (
            Kind.SIGNAGE_POINT,
            b"full_node",
            "⏲️  Finished signage point 7/16: CC: ab RC: cd".encode(),
        ),
        (
            Kind.FARMED_BLOCK,
            b"full_node",
            "🍀 ️Farmed unfinished_block a110, SP: 7, validation time: 0.0059 seconds".encode(),
        ),
        (
            Kind.UNKNOWN_SIGNAGE_POINT,
            b"full_node",
            b"Received proof of space for an unknown signage point",
        ),
        (
            Kind.PLOT_GONE,
            b"harvester",
            b"Error plot file " + _PLOT + b" may no longer exist [Errno 19] No such device",
        ),
        (Kind.PLOT_UNKNOWN, b"harvester", b"KeyError plot " + _PLOT + b" does not exist."),
        (Kind.V2_LOOKUP_FAILED, b"harvester", b"Failed V2 partial proof lookup"),
        (Kind.UNKNOWN_ERROR, b"harvester", b"Unknown error: [Errno 5] Input/output error"),
        (Kind.FOLDER_MISSING, b"harvester", b"Directory: /farm/1/a/plots does not exist."),
        (
            Kind.FOLDER_UNREADABLE,
            b"harvester",
            b"Error checking if directory /farm/1/a/plots exists: [Errno 5] Input/output error",
        ),
        (Kind.FOLDER_UNREADABLE, b"harvester", b"Error reading directory /farm/1/a [Errno 5]"),
        (Kind.FOLDER_UNREADABLE, b"harvester", b"Failed to resolve /farm/1/a/plots"),
        (
            Kind.V2_PARTIAL_PROOFS,
            b"farmer",
            b"Received V2 partial proof collection with 2 partail proofs for plot abab",
        ),
        (
            Kind.SOLVER_CALL_FAILED,
            b"farmer",
            b"Failed to call solver service for partial proof [1, 2, 3, 4, 5]...: timeout",
        ),
        (Kind.SOLVER_EMPTY, b"farmer", b"Received empty proof from solver for proof [1, 2]..."),
        (
            Kind.SOLVER_LATE,
            b"farmer",
            b"Received solver response for unknown partial proof [1, 2, 3, 4, 5]",
        ),
        (Kind.SOLVE_REQUEST, b"solver", b"Solve request: partial=[1, 2] plot-id: abab k: 20"),
        (Kind.SOLVE_NO_PROOF, b"solver", b"Solver returned no proof for partial [1, 2, 3]"),
        (Kind.SOLVE_FAILED, b"solver", b"Error solving partial [1, 2, 3]: bad argument"),
        (Kind.NO_DAEMON, b"farmer", b"Cannot connect to daemon at ws://localhost:55400"),
        (Kind.OTHER, b"full_node", "🌱 Updated peak to height 34, weight 9".encode()),
        (Kind.OTHER, b"harvester", b"new_signage_point_harvester 4 plots passed the plot filter"),
        (Kind.OTHER, b"full_node", b"Rejecting tx due to changing ELIGIBLE_FOR_FF of coin spend"),
        (Kind.LOOK_ALIKE, b"harvester", UNSEEN),
        (Kind.LOOK_ALIKE, b"harvester", NOW.replace(b" s. Total", b" seconds. Total")),
        (Kind.LOOK_ALIKE, b"harvester", b"challenge ab: found 0 proofs"),
    ],
)
def test_kinds(kind: Kind, service: bytes, message: bytes) -> None:
    logger = b"chia." + service + b"." + service
    for line in (
        prefixed(message, service=service, logger=logger),
        prefixed(message, service=service, logger=logger, version=b""),
        prefixed(message, service=service, logger=logger, level=b"WARNING"),
    ):
        assert parse(line).kind is kind


def test_a_prefix_that_nobody_has_seen_hides_no_look_alike() -> None:
    assert parse(b"[2027] harvester/INFO " + NOW).kind is Kind.LOOK_ALIKE
    assert parse(b'{"level": "info", "msg": "' + NOW + b'"}').kind is Kind.LOOK_ALIKE


def test_colours_end_nowhere_else() -> None:
    assert parse(coloured(UNSEEN)).kind is Kind.LOOK_ALIKE
    assert parse(coloured(NOW, level=b"WARNING")).prefix.level == "WARNING"


# Pieces of real lines, so that what is put together comes near to them.
_PIECES = st.sampled_from(
    [
        *(DATE, log_samples.CLOCK, b"2.7.5 ", b"harvester ", b"chia.harvester.harvester", b" : "),
        *(b": INFO     ", b": WARNING  ", b"\x1b[32m", b"\x1b[0m", b" ", b"    ", b"...", b"4 "),
        *(b"challenge_hash: ", b"a87483a29a", b"plots were eligible for farming ", b"Found "),
        *(b"0 V1 proofs and ", b"Plot ", b"Not farming plot ", b"Pool response: ", b"\xf0\x9f"),
        *(b"full_node ", b"chia.full_node.full_node_store", NOW, OLD, NEXT),
    ]
)
_LINES = st.lists(st.one_of(_PIECES, st.binary(max_size=20)), max_size=12).map(b"".join)


@given(_LINES)
def test_a_kind_read_from_a_head_is_that_of_the_line(line: bytes) -> None:
    found = parse(line)
    start = found.prefix.start
    for end in range(48):
        assert kind_by_head(found.prefix, line[start : start + end]) in (None, found.kind)


@pytest.mark.parametrize("piece", [b"4 plots ", b"1", b" ", b"a.", b"\x1b[3", b"(", b"x harvester"])
def test_time_is_bounded_whatever_a_line_repeats(piece: bytes) -> None:
    line = DATE + piece * (10_000_000 // len(piece))
    begin = time.process_time()
    for _ in range(10):
        parse(line)
    assert time.process_time() - begin < 1
