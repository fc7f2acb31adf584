"""The whole inventory: every rule over every host, and the rules between hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from goplot_preflight.alerts import RECEIVERS, check_receivers
from goplot_preflight.catalogue import Catalogue
from goplot_preflight.mounts import MOUNTS, check_mounts, temp_farms
from goplot_preflight.names import unknown_names
from goplot_preflight.network import check_network, differing
from goplot_preflight.report import INVENTORY, Mistake, shown
from goplot_preflight.services import PLOTTERS, VARIABLES, check_services
from goplot_preflight.values import check_value
from goplot_preflight.written import Written

GROUPS = ("farmer", "plotter", "harvester")
_CLOSE_GROUP = 0.8
_LEAST_SYSTEMS = {"Debian": 12, "Ubuntu": 24}


@dataclass(frozen=True)
class Host:
    """What is known about one host.

    `values` are the templated values of goplot's variables, `failures` say why one could not be
    templated, `names` are all the variables, `secrets` those whose value is encrypted, `system` is
    (distribution, version), or nothing for a host that was not reached. `written` are the numbers
    and dates of the values as the inventory's files have them, by name as in a mistake.
    """

    name: str
    groups: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    system: tuple[str, str] | None = None
    written: Mapping[str, Written] = field(default_factory=dict)


def check_inventory(
    hosts: list[Host], groups: Mapping[str, list[str]], catalogue: Catalogue
) -> list[Mistake]:
    """All mistakes of an inventory, those between hosts first.

    `groups` are all groups of the inventory with their hosts.
    """
    mistakes = list(_check_groups(groups))
    for variable, problem, cure in differing([host.values for host in hosts]):
        mistakes.append(Mistake(INVENTORY, variable, problem, cure))
    unknown = unknown_names({name for host in hosts for name in host.names}, catalogue)
    for host in hosts:
        for variable, problem, cure in _check_host(host, unknown, catalogue):
            mistakes.append(Mistake(host.name, variable, problem, cure))
    return mistakes


def _check_groups(groups: Mapping[str, list[str]]) -> Iterator[Mistake]:
    ours = {host for group in GROUPS for host in groups.get(group, [])}
    for name, hosts in groups.items():
        close = get_close_matches(name.lower(), GROUPS, n=1, cutoff=_CLOSE_GROUP)
        if name not in GROUPS and close and not set(hosts) <= ours:
            cure = f"did you mean {close[0]}?"
            yield Mistake(INVENTORY, f"group {name}", "is not one of goplot's", cure)
    farmers = groups.get("farmer", [])
    if not farmers:
        cure = "put the host that farms in it; a farm has one"
        yield Mistake(INVENTORY, "group farmer", "has no host", cure)
    elif len(farmers) > 1:
        cure = "goplot supports one farmer; make the others harvesters"
        yield Mistake(INVENTORY, "group farmer", f"has {', '.join(farmers)}", cure)


def _check_host(
    host: Host, unknown: Mapping[str, str], catalogue: Catalogue
) -> Iterator[tuple[str, str, str]]:
    for name in sorted(host.names & unknown.keys()):
        yield name, "is not a variable of goplot", unknown[name]
    for name, reason in host.failures.items():
        yield name, f"cannot be evaluated ({reason})", "correct the template or what it refers to"
    refused = set()
    for name, value in host.values.items():
        found = check_value(
            name, catalogue.options[name], value, name in host.secrets, host.written
        )
        for mistake in found:
            refused.add(name)
            yield mistake
    format_all = _truth(host, "farm_layout_format", catalogue)
    for variable, problem, cure in check_mounts(host.values.get(MOUNTS), format_all):
        if MOUNTS in host.secrets:
            yield variable, shown(variable, None, True), "see roles/farm_layout/README.md"
        else:
            yield variable, problem, cure
    keys = catalogue.options[RECEIVERS]["options"]
    summary = _effective(host, "alertmanager_summary_time", catalogue)
    yield from check_receivers(host.values.get(RECEIVERS), keys, summary)
    yield from check_network(host.values)
    yield from _check_system(host)
    yield from _check_services(host, refused, catalogue)
    if "plotter" in host.groups:
        yield from _check_plotter(host, catalogue)


def _effective(host: Host, name: str, catalogue: Catalogue) -> Any:
    return host.values.get(name, catalogue.defaults.get(name))


def _truth(host: Host, name: str, catalogue: Catalogue) -> bool:
    return str(_effective(host, name, catalogue)).lower() in {"true", "yes", "on", "1"}


def _check_system(host: Host) -> Iterator[tuple[str, str, str]]:
    if host.system is None:
        return
    distribution, version = host.system
    major = version.split(".")[0]
    least = _LEAST_SYSTEMS.get(distribution)
    # Debian testing and unstable have no version number; they are newer than any release.
    if least is None or (major.isdigit() and int(major) < least):
        yield (
            "operating system",
            f"is {distribution} {version}",
            "install Debian 12 or 13, or Ubuntu 24.04 or newer",
        )


def _check_services(
    host: Host, refused: set[str], catalogue: Catalogue
) -> Iterator[tuple[str, str, str]]:
    values = {name: _effective(host, name, catalogue) for name in VARIABLES}
    for name, value in values.items():
        if name in host.failures or name in refused:
            values[name] = None
        elif value and catalogue.options[name].get("type") == "int":
            values[name] = int(str(value))
    for variable, problem, cure in check_services(values, host.written):
        if variable.split(".")[0] in host.secrets:
            yield variable, shown(variable, None, True), "see docs/settings.md"
        else:
            yield variable, problem, cure


def _check_plotter(host: Host, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    if MOUNTS not in host.failures:
        yield from _check_temp_farms(host, catalogue)
    if _on_toggle(host, catalogue) != "run":
        return
    # Without a farmer public key the role goplot takes that of the farmer.
    keys = "goplot_pool_contract_address", "goplot_pool_public_key"
    if any(key in host.failures for key in keys):
        return
    if not any(_effective(host, key, catalogue) for key in keys):
        cure = (
            f"set it (goplot chia plotnft show on the farmer), or {keys[1]} (goplot keys) for solo "
            "plots, or set goplot_tunables.on_toggle to stop until you have it"
        )
        yield keys[0], "is not set", cure


def _check_temp_farms(host: Host, catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    farms = temp_farms(host.values.get(MOUNTS))
    plotters = _effective(host, PLOTTERS, catalogue)
    name = str(_effective(host, "goplot_plotter", catalogue))
    plotter = plotters.get(name) if isinstance(plotters, dict) else None
    second = plotter.get("temp2") if isinstance(plotter, dict) else None
    if second is not None and str(second) not in farms:
        entry = f"path: /plot_temp/{second}, src: tmpfs, fstype: tmpfs, opts: size=..."
        cure = f"add its mount, such as {{{entry}}}"
        yield f"{PLOTTERS}.{name}.temp2", f"is {second}, which {MOUNTS} does not have", cure
    if not [farm for farm in farms if farm != str(second)]:
        cure = "a plotter needs a temp farm: add {path: /plot_temp/1, src: UUID=..., fstype: xfs}"
        also = " beside that of temp2" if second is not None and farms else ""
        yield MOUNTS, f"has no /plot_temp mount{also}", cure


def _on_toggle(host: Host, catalogue: Catalogue) -> Any:
    """The first value of on_toggle; `run` unless the inventory says otherwise."""
    tunables = _effective(host, "goplot_tunables", catalogue)
    return tunables.get("on_toggle", "run") if isinstance(tunables, dict) else None
