"""What the scenarios share in looking at the panels of their farms."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set

from tests.hosts.system import HostError, wait_until
from tests.panels.check import Panel, unexplained

# What no test farm has, by the text that its panels show then.
ABSENT = frozenset(
    {
        "No drive tells its health",  # the hosts are containers: their disks are files
        "No drive tells its temperature",
        "No sensors: virtual machines have none",
        "No drive holds a farm or a temp farm",
        "These kernels do not tell",
        "This farm is in no pool",
        "Not known for a day yet",  # it is a few minutes old
        "The wallet is not known for so long",
        "Nothing is being filled",
        "No alert fires: all is well",
        "No lookup failed",
        "No pacer runs, or nothing holds a start back",
        "No plot runs",
        "No plot ended within a day",
        "No plot failed within a day",
    }
)
# And what a farm that meets no other node does not have.
NO_NETWORK = frozenset(
    {
        "The full node does not answer",  # it has no network to sync with
        "No plots, or no netspace known",
        "Nothing won yet",
        "The wallet does not answer",
        "No harvester in this choice farms a plot",  # of its keys
        "No lookup within half an hour",
    }
)


def assert_explained(panels: Callable[[], list[Panel]], absent: Set[str]) -> None:
    """Every panel shows data, or a text of ABSENT or of `absent`."""
    known = ABSENT | absent
    # A host that has just started has no number of its collectors yet.
    with contextlib.suppress(HostError):
        wait_until("all panels", lambda: unexplained(panels(), known) == {}, 180)
    assert unexplained(panels(), known) == {}
