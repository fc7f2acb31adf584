"""Every panel shows data of one machine that does it all, asked under TLS with a password."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.panels import NO_NETWORK, assert_explained
from tests.panels.check import Panel


def test_every_panel_shows_data_or_says_why_not(panels: Callable[[], list[Panel]]) -> None:
    assert_explained(panels, NO_NETWORK)
