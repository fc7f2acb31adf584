"""Names of harvesters: each node id keeps its own for as long as it is remembered.

The name of an address, from the settings, is a harvester's name unless another harvester behind the
same address has it; then the start of its node id is appended.
"""

import json
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path

from goplot.farm.codec import decode, encode
from goplot.host.files import make_folder, write_whole

_logger = logging.getLogger(__name__)
#: A harvester that was not connected for this many seconds is forgotten.
FORGET_SECONDS = 7 * 86400.0
#: The file is written at least this often: how long ago a harvester was seen counts in days.
_REFRESH_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Known:
    """A harvester: the name of its address, its own, and when it was last seen, epoch seconds."""

    address: str
    name: str
    seen: float


def assign(
    known: Mapping[str, Known], connected: Mapping[str, str], now: float
) -> dict[str, Known]:
    """All remembered harvesters by node id, connected or not; their names are unique.

    `connected` has the name of the address by node id.
    """
    found = {
        # A date in the future is a damaged one.
        node: replace(entry, seen=min(entry.seen, now))
        for node, entry in known.items()
        if connected.get(node, entry.address) == entry.address
        and (node in connected or now - entry.seen < FORGET_SECONDS)
    }
    for node, address in sorted(connected.items()):
        if node in found:
            name = found[node].name
        else:
            here = {n for n, entry in (*known.items(), *found.items()) if entry.address == address}
            only = here.pop() if len(here) == 1 else ""
            if only in found and only not in connected:
                # The only one there has a new certificate, and with it a new node id.
                name = found.pop(only).name
            else:
                name = _free_name(address, node, {entry.name for entry in found.values()})
        found[node] = Known(address, name, now)
    return found


def _free_name(address: str, node: str, used: Set[str]) -> str:
    bare = node.removeprefix("0x")
    names = [address, *(f"{address}/{bare[:length]}" for length in range(8, len(bare) + 1, 8))]
    return next((name for name in names if name not in used), f"{address}/{bare}")


def names_path(state: Path) -> Path:
    """Where the farmer collector remembers the names: its StateDirectory=, beside goplot's."""
    return state.with_name("goplot-farmer-collector") / "harvesters.json"


def read_names(path: Path) -> dict[str, Known]:
    """The remembered harvesters by node id; empty if there are none, or the file is damaged."""
    try:
        document = json.loads(path.read_text())
        return {str(node): decode(Known, entry) for node, entry in document.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _logger.warning("%s can't be read (%s): harvesters get new names", path, error)
        return {}


def write_names(path: Path, known: Mapping[str, Known], before: Mapping[str, Known]) -> None:
    """Remember the harvesters, unless the file already says the same. Raises OSError."""
    same = known.keys() == before.keys() and all(
        replace(entry, seen=0) == replace(before[node], seen=0)
        and 0 <= entry.seen - before[node].seen < _REFRESH_SECONDS
        for node, entry in known.items()
    )
    if not same:
        make_folder(path.parent)
        document = {node: encode(entry) for node, entry in sorted(known.items())}
        write_whole(path, json.dumps(document, indent=1) + "\n")
