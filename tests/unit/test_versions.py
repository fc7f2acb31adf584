"""Which releases of Chia work together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.chia.versions import protocol_of, served_by, work_together

_NUMBERS = st.tuples(st.integers(0, 4), st.integers(0, 12), st.integers(0, 12))


@pytest.mark.parametrize(
    ("version", "protocol"),
    [
        ("1.0.0", "0.0.36"),
        ("1.8.2rc3", "0.0.36"),
        ("2.5.4", "0.0.36"),
        ("2.5.5", "0.0.37"),
        ("2.5.5rc1", "2.5.5rc1"),
        ("2.6.0", "0.0.37"),
        ("2.7.3", "0.0.37"),
        ("2.7.4", "0.0.38"),
        ("2.7.4.dev12", "2.7.4.dev12"),
        ("2.7.4+g01ab", "0.0.38"),
        ("v2.7.5", "0.0.38"),
        ("2.7.5", "0.0.38"),
        ("2.7.6", "2.7.6"),
        ("2.10", "2.10"),
        ("3.0.0-beta1", "3.0.0-beta1"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_the_protocol_of_a_release(version: str, protocol: str) -> None:
    assert protocol_of(version) == protocol


@pytest.mark.parametrize(
    ("farmer", "harvester", "farms"),
    [
        ("2.7.5", "2.7.5", True),
        ("2.7.5", "2.7.4", True),
        ("2.7.5", "2.7.3", False),
        ("2.7.5", "2.5.5", False),
        ("2.7.5", "2.5.4", True),
        ("2.7.3", "2.7.5", False),
        ("2.7.3", "2.5.4", False),
        ("2.7.3", "2.5.5", True),
        ("2.5.4", "1.3.0", True),
        ("2.8.0", "2.7.5", False),
        ("2.7.5", "2.8.0", False),
        ("2.8.0", "2.8.0", True),
    ],
)
def test_a_farmer_and_its_harvesters(farmer: str, harvester: str, farms: bool) -> None:
    assert work_together(farmer, "harvester", harvester) is farms


@pytest.mark.parametrize(("node", "works"), [("2.7.4", True), ("2.7.3", False), ("2.5.4", False)])
def test_a_farmer_and_its_full_node(node: str, works: bool) -> None:
    assert work_together("2.7.5", "full_node", node) is works
    assert work_together(node, "full_node", "2.7.5") is works


@given(_NUMBERS)
def test_each_release_works_with_itself(number: tuple[int, int, int]) -> None:
    version = ".".join(map(str, number))
    assert all(work_together(version, service, version) for service in ("harvester", "full_node"))


@given(st.text())
def test_any_text_has_a_protocol_that_it_serves(version: str) -> None:
    assert protocol_of(version) in served_by(version)
