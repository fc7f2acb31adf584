"""The chain's clock: heights of Chia's constants, what v1 plots count, when the reward halves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.farm.chain import events_of, seconds_until, v1_win_ratio
from tests.support.rpc_server import CONSTANTS

MAINNET = CONSTANTS["constants"]
FORK = 8_000_000
FORKED = {**MAINNET, "HARD_FORK2_HEIGHT": FORK}
_DAY = 4608
HEIGHTS = st.integers(0, 2**32 - 1)


def test_mainnet_as_of_2_7_5() -> None:
    assert events_of(MAINNET, 7_900_000) == {
        "hard_fork": None,
        "v1_end": None,
        "v1_filter_128": 10_542_000,
        "v1_filter_64": 15_592_000,
        "v1_filter_32": 20_643_000,
        "reward_halving": 10_091_520,
    }
    assert v1_win_ratio(MAINNET, 7_900_000) is None
    assert seconds_until(10_542_000, 10_542_000 - _DAY) == 86400
    assert seconds_until(10_542_000, 10_542_000 + _DAY) == -86400


@pytest.mark.parametrize("height", [0xFFFFFFFA, 0xFFFFFFFF])
def test_a_placeholder_is_not_yet_set(height: int) -> None:
    events = events_of({**MAINNET, "HARD_FORK2_HEIGHT": height}, 1)
    assert events["hard_fork"] is None
    assert events["v1_end"] is None


@pytest.mark.parametrize(
    ("height", "halving"),
    [
        (0, 5_045_760),
        (5_045_759, 5_045_760),
        (5_045_760, 10_091_520),
        (4 * 5_045_760 - 1, 4 * 5_045_760),
        (4 * 5_045_760, None),
    ],
)
def test_the_reward_halves_four_times(height: int, halving: int | None) -> None:
    assert events_of({}, height) == ({} if halving is None else {"reward_halving": halving})


@pytest.mark.parametrize(
    ("height", "ratio"),
    [
        (FORK - 1, 1.0),
        (FORK, 255 / 256),
        (FORK + 1, 254 / 256),
        (FORK + _DAY, 254 / 256),
        (FORK + 128 * _DAY, 127 / 256),
        (FORK + 254 * _DAY, 1 / 256),
        (FORK + 254 * _DAY + 1, 0.0),
        (FORK + 255 * _DAY, 0.0),
        (FORK + 300 * _DAY, 0.0),
    ],
)
def test_what_v1_plots_count(height: int, ratio: float) -> None:
    assert v1_win_ratio(FORKED, height) == ratio
    assert events_of(FORKED, height)["v1_end"] == FORK + 255 * _DAY


def proofs_that_win(height: int, fork: int, bits: int, blocks: int) -> float:
    """Chia's own decision, counted over all values of its byte (is_v1_phased_out of 2.7.5)."""
    if height < fork:
        return 1.0
    mask = (1 << bits) - 1
    counter = (fork + mask * blocks - height) // blocks
    if counter < 0:
        return 0.0
    return sum(value & mask < counter for value in range(256)) / 256


@given(
    height=st.integers(0, 3_000_000),
    fork=st.integers(0, 3_000_000),
    bits=st.integers(0, 8),
    blocks=st.integers(1, 5000),
    days=st.integers(0, 400),
)
def test_v1_plots_count_as_chia_decides(
    height: int, fork: int, bits: int, blocks: int, days: int
) -> None:
    constants = {
        "HARD_FORK2_HEIGHT": fork,
        "PLOT_V1_PHASE_OUT_EPOCH_BITS": bits,
        "EPOCH_BLOCKS": blocks,
    }
    expected = proofs_that_win(height + days * _DAY, fork, bits, blocks)
    assert v1_win_ratio(constants, height, days) == expected
    # They win nothing from v1_end on.
    end = events_of(constants, height)["v1_end"]
    assert end is not None
    assert v1_win_ratio(constants, end) == 0


@given(height=HEIGHTS, first=st.integers(0, 2000), later=st.integers(0, 2000))
def test_v1_plots_never_count_more_later(height: int, first: int, later: int) -> None:
    now, then = v1_win_ratio(FORKED, height, first), v1_win_ratio(FORKED, height, first + later)
    assert now is not None
    assert then is not None
    assert 0 <= then <= now <= 1


_ODD = st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.integers(-5, 2**70)


@given(
    constants=st.dictionaries(st.sampled_from([*MAINNET, "OTHER"]), _ODD),
    height=HEIGHTS,
)
def test_constants_of_any_kind_do_no_harm(constants: dict[str, object], height: int) -> None:
    events = events_of(constants, height)
    assert all(there is None or there >= 0 for there in events.values())
    ratio = v1_win_ratio(constants, height)
    assert ratio is None or 0 <= ratio <= 1
