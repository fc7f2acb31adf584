"""Every panel of every dashboard shows data of a farm that farms, or says why it has none."""

from __future__ import annotations

from collections.abc import Callable

from tests.panels.check import Panel

# What this farm does not have, by the text that its panels show then.
ABSENT = {
    "No drive tells its health",  # the hosts are containers: their disks are files
    "No drive tells its temperature",
    "No sensors: virtual machines have none",
    "No drive holds a farm or a temp farm",
    "No plotter in this choice of hosts",
    "No plot runs",
    "No plot ended within a day",
    "No plot ever failed",
    "No pacer runs, or nothing holds a start back",
    "Nothing is being filled",
    "This farm is in no pool",
    "Not known for a day yet",  # it is a few minutes old
    "The wallet is not known for so long",
}


def test_every_panel_shows_data_or_says_why_not(panels: Callable[[], list[Panel]]) -> None:
    found = panels()
    assert {panel.place: panel.fault for panel in found if panel.fault} == {}
    empty = {panel.place: panel.empty for panel in found if not panel.series}
    assert {place: why for place, why in empty.items() if why not in ABSENT} == {}
