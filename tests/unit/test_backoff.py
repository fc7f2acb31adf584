"""The same failure again and again holds starts back."""

from hypothesis import given
from hypothesis import strategies as st

from goplot.pacer.backoff import Outcome, backoff


def failed(reason: str, ended: float) -> Outcome:
    """A failed job."""
    return Outcome(False, reason, "why", ended)


def done(ended: float) -> Outcome:
    """A plot."""
    return Outcome(True, "", "", ended)


def test_one_failure_holds_nothing_back() -> None:
    assert backoff([done(1), failed("plotter", 10)], 11, 0) == (0.0, "")


def test_every_further_failure_doubles_the_hold() -> None:
    row = [failed("plotter", n) for n in range(10)]
    holds = [backoff(row[: n + 1], n, 0)[0] for n in range(10)]
    assert holds == [0, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600]


def test_the_hold_names_its_cause_and_passes() -> None:
    row = [failed("verify", 0), failed("verify", 100)]
    left, cause = backoff(row, 150, 0)
    assert left == 70
    assert "verify" in cause
    assert "why" in cause
    assert backoff(row, 221, 0)[0] == 0


def test_a_plot_another_reason_or_new_settings_end_it() -> None:
    assert backoff([failed("a", 0), failed("a", 1), done(2)], 3, 0)[0] == 0
    assert backoff([failed("a", 0), failed("b", 1)], 2, 0)[0] == 0
    assert backoff([failed("a", 0), failed("a", 1)], 2, 1.5)[0] == 0


def test_stops_and_crashes_count_neither_way() -> None:
    row = [failed("a", 0), failed("stopped", 1), failed("crash", 2), failed("a", 3)]
    assert backoff(row, 3, 0)[0] == 120
    assert backoff([failed("crash", 1), failed("crash", 2)], 2, 0)[0] == 0


OUTCOMES = st.builds(
    Outcome,
    done=st.booleans(),
    reason=st.sampled_from(["a", "b", "stopped", "crash"]),
    detail=st.just(""),
    ended=st.floats(0, 1000),
)


@given(st.lists(OUTCOMES, max_size=40), st.floats(-1e9, 1e9), st.floats(0, 1000))
def test_no_clock_holds_starts_back_for_ever(
    outcomes: list[Outcome], now: float, changed: float
) -> None:
    assert 0 <= backoff(outcomes, now, changed)[0] <= 6 * 3600
