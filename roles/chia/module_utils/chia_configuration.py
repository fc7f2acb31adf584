"""What Chia's configuration should be, and which services a change affects. Accesses no files."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

SERVICES = ("full_node", "farmer", "wallet", "harvester")
# Sections of programs that goplot does not run: changing them restarts nothing.
_OTHER_SECTIONS = {
    "beta",
    "crawler",
    "data_layer",
    "introducer",
    "seeder",
    "simulator",
    "solver",
    "timelord",
    "timelord_launcher",
    "ui",
}
# Chia writes these once at the top and lets every section refer to them. An editor may have
# turned the references into copies, so they are set wherever they occur.
_SHARED = ("logging", "network_overrides", "selected_network")


@dataclass(frozen=True)
class Wanted:
    """The wanted configuration; None leaves a value unchanged.

    Peers are (host, port); `full_node` is one that runs elsewhere, `farms` says whether this host
    runs the farmer. `settings` are merged in last, a mapping key by key.
    """

    network: str
    log_level: str
    farms: bool = False
    full_node: tuple[str, int] | None = None
    full_node_port: int | None = None
    farmer_port: int | None = None
    farmer_target_address: str | None = None
    pool_target_address: str | None = None
    farmer_peers: tuple[tuple[str, int], ...] | None = None
    plots_root: str = "/farm"
    plot_directories: tuple[str, ...] | None = None
    database: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def configured(config: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """A copy of the configuration with the wanted values. ValueError for an unknown network."""
    new = copy.deepcopy(dict(config))
    _set_shared(new, "selected_network", wanted.network)
    _set_shared(new, "logging", {"log_level": wanted.log_level})
    _set_peers(new, wanted)
    for section, address in (
        ("farmer", wanted.farmer_target_address),
        ("pool", wanted.pool_target_address),
    ):
        if address is not None:
            new[section]["xch_target_address"] = address
    if wanted.plot_directories is not None:
        harvester = new["harvester"]
        harvester["plot_directories"] = plot_directories(
            harvester.get("plot_directories") or [], wanted.plot_directories, wanted.plots_root
        )
    if wanted.database is not None:
        # CHALLENGE is Chia's own word for the network's name.
        file = PurePosixPath(wanted.database) / "blockchain_v2_CHALLENGE.sqlite"
        new["full_node"]["database_path"] = str(file)
    for key, value in wanted.settings.items():
        if key in _SHARED:
            _set_shared(new, key, value)
        else:
            new[key] = _merged(new.get(key), value)
    known = new["network_overrides"]["config"]
    if wanted.network not in known:
        raise ValueError(f"{wanted.network} is not one of Chia's networks: {', '.join(known)}")
    return new


def plot_directories(there: list[str], wanted: tuple[str, ...], root: str) -> list[str]:
    """The wanted folders, and those outside of the root that a person added."""
    own = [path for path in there if PurePosixPath(root) not in PurePosixPath(path).parents]
    kept = [path for path in there if path in own or path in wanted]
    return kept + [path for path in wanted if path not in kept]


def concerned(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The services that must be restarted to apply the changes, `daemon` first.

    The harvester rereads its plot directories at every refresh.
    """
    services: set[str] = set()
    for key in old.keys() | new.keys():
        before, after = old.get(key), new.get(key)
        if key == "harvester":
            before, after = _without_plots(before), _without_plots(after)
        if before == after or key in _OTHER_SECTIONS:
            continue
        services |= (
            {"farmer"} if key == "pool" else {key} if key in SERVICES else {"daemon", *SERVICES}
        )
    return [name for name in ("daemon", *SERVICES) if name in services]


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted path, value before, value after) of every change."""
    if old == new:
        return
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield path, old, new
        return
    for key in sorted(old.keys() | new.keys(), key=str):
        yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))


def _set_peers(new: dict[str, Any], wanted: Wanted) -> None:
    for section, port in (("full_node", wanted.full_node_port), ("farmer", wanted.farmer_port)):
        if port is not None:
            new[section]["port"] = port
    if wanted.farms:
        here = (new["self_hostname"], new["full_node"]["port"])
        for section in ("farmer", "wallet"):
            new[section]["full_node_peers"] = _peers([wanted.full_node or here])
    if wanted.farmer_peers is not None:
        new["harvester"]["farmer_peers"] = _peers(wanted.farmer_peers)


def _peers(peers: Any) -> list[dict[str, Any]]:
    return [{"host": host, "port": port} for host, port in peers]


def _set_shared(new: dict[str, Any], key: str, value: Any) -> None:
    holders = [new, *(part for part in new.values() if isinstance(part, dict) and key in part)]
    done: list[int] = []
    for holder in holders:
        if isinstance(value, Mapping) and isinstance(holder.get(key), dict):
            if id(holder[key]) not in done:
                done.append(id(holder[key]))
                _merge_into(holder[key], value)
        else:
            holder[key] = value


def _merged(there: Any, value: Any) -> Any:
    if isinstance(there, dict) and isinstance(value, Mapping):
        _merge_into(there, value)
        return there
    return copy.deepcopy(value)


def _merge_into(there: dict[str, Any], value: Mapping[str, Any]) -> None:
    for key, item in value.items():
        there[key] = _merged(there.get(key), item)


def _without_plots(section: Any) -> Any:
    if not isinstance(section, Mapping):
        return section
    return {key: value for key, value in section.items() if key != "plot_directories"}
