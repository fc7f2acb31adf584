"""Sizes of plots."""

import pytest

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters.chiapos import temp_bytes

# Sizes of real plots, made by chiapos 2.0.12; of k18 the smallest and the largest of a hundred.
REAL = [
    (18, 3657988),
    (18, 4437642),
    (19, 8504931),
    (20, 17105160),
    (21, 35238745),
    (22, 74029011),
    (25, 671747399),
]


@pytest.mark.parametrize(("k", "size"), REAL)
def test_a_real_plot_is_within_what_is_reserved_and_verified(k: int, size: int) -> None:
    plot_format = PlotFormat(k)
    assert plot_format.least_bytes < size < plot_format.plot_bytes


def test_table_sizes_are_the_official_ones() -> None:
    assert PlotFormat(32).expected_bytes == int(101.4 * GIB)
    assert PlotFormat(32, 5).expected_bytes == int(81.3 * GIB)
    assert PlotFormat(34, 9).expected_bytes == int(315.5 * GIB)


def test_what_is_reserved_is_not_more_than_a_mainnet_plot_needs() -> None:
    for compression in (0, 1, 7):
        plot_format = PlotFormat(32, compression)
        assert plot_format.plot_bytes < 1.03 * plot_format.expected_bytes
        # A plot that lost one of its seven tables is not a plot.
        assert plot_format.least_bytes > 0.9 * plot_format.expected_bytes


def test_the_formula_meets_the_table() -> None:
    by_formula = 0.78 * 65 * 2**31
    assert by_formula == pytest.approx(PlotFormat(32).expected_bytes, rel=0.002)


@pytest.mark.parametrize(("k", "compression"), [(17, 0), (51, 0), (32, 8), (31, 1), (32, -1)])
def test_a_format_of_unknown_size_is_refused(k: int, compression: int) -> None:
    with pytest.raises(ValueError, match=f"{k}"):
        PlotFormat(k, compression)


def test_names() -> None:
    assert PlotFormat(32).name == "k32"
    assert PlotFormat(32, 5).name == "k32-c05"


@pytest.mark.parametrize(("k", "working"), [(18, 0.009), (20, 0.044), (22, 0.197), (25, 1.772)])
def test_temp_covers_what_chiapos_reported(k: int, working: float) -> None:
    assert temp_bytes(PlotFormat(k)) > working * GIB
