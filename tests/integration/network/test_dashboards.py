"""Every panel of every dashboard shows data of a farm that farms, or says why it has none."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.panels import assert_explained
from tests.panels.check import Panel

# What this farm does not have, by the text that its panels show then.
ABSENT = {
    "No plotter among the selected hosts",
}


def test_every_panel_shows_data_or_says_why_not(panels: Callable[[], list[Panel]]) -> None:
    assert_explained(panels, ABSENT)
