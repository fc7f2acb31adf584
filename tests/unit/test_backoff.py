"""The same failure again and again holds starts back."""

import math

from hypothesis import given
from hypothesis import strategies as st

from goplot.pacer.backoff import Outcome, backoff, failures_in_a_row


def failed(reason: str) -> Outcome:
    """A failed job."""
    return Outcome(1, False, reason, "why", 0)


DONE = Outcome(1, True, "", "", 0)
NEVER = math.inf


def hold(*outcomes: Outcome, passed: float = 0, changed: float = NEVER) -> float:
    """Seconds that starts are held back."""
    return backoff(failures_in_a_row(outcomes), passed, changed)[0]


def test_one_failure_holds_nothing_back() -> None:
    assert backoff(failures_in_a_row([DONE, failed("plotter")]), 0, NEVER) == (0.0, "")


def test_every_further_failure_doubles_the_hold() -> None:
    holds = [hold(*[failed("plotter")] * count) for count in range(1, 11)]
    assert holds == [0, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600]


def test_the_hold_names_its_cause_and_passes() -> None:
    row = [failed("verify"), failed("verify")]
    left, cause = backoff(row, 50, NEVER)
    assert left == 70
    assert "verify" in cause
    assert "why" in cause
    assert hold(*row, passed=121) == 0


def test_a_plot_another_reason_or_new_settings_end_it() -> None:
    assert hold(failed("a"), failed("a"), DONE) == 0
    assert hold(failed("a"), failed("b")) == 0
    assert hold(failed("a"), failed("a"), passed=5, changed=4) == 0
    assert hold(failed("a"), failed("a"), passed=5, changed=6) == 115


def test_stops_and_crashes_count_neither_way() -> None:
    assert hold(failed("a"), failed("stopped"), failed("crash"), failed("a")) == 120
    assert hold(failed("crash"), failed("crash")) == 0


OUTCOMES = st.builds(
    Outcome,
    index=st.just(1),
    done=st.booleans(),
    reason=st.sampled_from(["a", "b", "stopped", "crash"]),
    detail=st.just(""),
    ended=st.floats(),
)


@given(st.lists(OUTCOMES, max_size=40), st.floats(0, math.inf), st.floats(0, math.inf))
def test_nothing_holds_starts_back_for_ever(
    outcomes: list[Outcome], passed: float, changed: float
) -> None:
    assert 0 <= hold(*outcomes, passed=passed, changed=changed) <= 6 * 3600
