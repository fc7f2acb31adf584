"""What the scenarios share in looking at the panels of their farms."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set

from tests.hosts.system import HostError, wait_until
from tests.panels.check import Panel, unexplained

# What no test farm has, by the text that its panels show then.
ABSENT = frozenset(
    {
        "No drive reports its health",  # the hosts are containers: their disks are files
        "No drive reports its temperature",
        "No sensors: virtual machines have none",
        "No drive holds a farm or a temp farm",
        "These kernels do not report pressure",
        "This farm is in no pool",
        "Less than a day of data",  # it is a few minutes old
        "No wallet data for that long",
        "No disk is filling up",
        "No alert is firing",
        "The hard fork's height is not yet set",
        "The hard fork is not yet set, or no plot was made in the preceding day",
        "No lookup failed",
        "No such line within an hour",
        "No pacer runs, or nothing delays a start",
        "No plot runs",
        "No plot ended in the preceding day",
        "No plot failed in the preceding day",
    }
)
# And what a farm that meets no other node does not have.
NO_NETWORK = frozenset(
    {
        "The full node does not answer",  # it has no network to sync with
        "The full node is not synced, or its Chia is older than 2.7.2",
        "No plots, or the netspace is unknown",
        "Nothing won yet",
        "The wallet does not answer",
        "The wallet and the full node do not answer",
        "No selected harvester farms a plot",  # of its keys
        "No lookup within half an hour",
    }
)


def assert_explained(panels: Callable[[], list[Panel]], absent: Set[str]) -> None:
    """Every panel shows data, or a text of ABSENT or of `absent`."""
    known = ABSENT | absent
    # A host that has just started has no number of its collectors yet.
    with contextlib.suppress(HostError):
        wait_until("all panels", lambda: unexplained(panels(), known) == {}, 180)
    puzzling = unexplained(panels(), known)
    assert puzzling == {}, puzzling
