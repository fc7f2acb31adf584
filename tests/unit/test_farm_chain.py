"""The lines of goplot farm on the chain's clock."""

import re

from goplot.farm.chain import AHEAD_DAYS, events_of, seconds_until, v1_win_ratio
from goplot.host.textfile import Samples
from goplot.people.farm_chain import chain_document, chain_lines
from tests.support.rpc_server import CONSTANTS

FORKED = {**CONSTANTS["constants"], "HARD_FORK2_HEIGHT": 8_000_000}


def samples_at(height: int) -> Samples:
    """What the farmer collector writes of a chain whose hard fork is at 8,000,000."""
    events = {event: there for event, there in events_of(FORKED, height).items() if there}
    return {
        "chia_chain_event_set": [({"event": event}, 1.0) for event in events],
        "chia_chain_event_height": [({"event": e}, float(there)) for e, there in events.items()],
        "chia_chain_event_seconds": [
            ({"event": event}, seconds_until(there, height)) for event, there in events.items()
        ],
        "chia_v1_win_ratio": [
            ({"days": str(days)}, v1_win_ratio(FORKED, height, days) or 0.0) for days in AHEAD_DAYS
        ],
    }


def test_before_the_hard_fork() -> None:
    lines = dict(chain_lines(samples_at(8_000_000 - 4608 * 60)))
    assert list(lines) == [
        "hard fork",
        "v1 plots end",
        "v1 filter 128",
        "reward halves",
        "v1 plots count",
    ]
    assert re.fullmatch(r"in 60\.0 days, about \d{4}-\d\d-\d\d, height 8000000", lines["hard fork"])
    counts = "100.0% now, 100.0% in 30 days, 87.9% in 90 days, 23.0% in 256 days"
    assert lines["v1 plots count"] == counts


def test_when_all_has_passed() -> None:
    height = 30_000_000
    lines = dict(chain_lines(samples_at(height)))
    assert lines["hard fork"] == "passed, height 8000000"
    assert lines["v1 plots end"] == "passed, height 9175040"
    assert not [name for name in lines if name.startswith(("v1 filter", "reward"))]
    assert lines["v1 plots count"].startswith("0.0% now, ")


def test_after_one_filter_the_next_is_shown() -> None:
    lines = dict(chain_lines(samples_at(10_542_000)))
    assert "v1 filter 128" not in lines
    assert lines["v1 filter 64"].endswith("height 15592000")
    assert "v1 filter 32" not in lines


def test_a_full_node_that_does_not_tell() -> None:
    assert chain_lines({}) == []
    assert chain_document({}) == {"events": {}, "v1_win_ratio": {}}
