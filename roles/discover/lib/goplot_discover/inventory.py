"""The files of an inventory for hosts that were looked at. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goplot_discover.disks import Mount, Namer, mounts_of

_NONE = "farm_layout_mounts: [] # delete the [] as soon as a line below is enabled"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_HEAD = """---
# Written by playbooks/discover.yml from a look at these hosts. What is marked "decide" is yours to
# decide: correct and enable the line, or delete it. inventory/example explains each. Then:
#   ansible-playbook site.yml --check      (reports every mistake, changes nothing)
#   ansible-playbook site.yml
"""


@dataclass(frozen=True)
class Seen:
    """A host: its address and user as a person gave them, and what discover_host returned."""

    address: str
    user: str
    local: bool
    found: Mapping[str, Any]


def files_of(hosts: list[Seen]) -> dict[str, str]:
    """The text of hosts.yml and of host_vars by path; the first host is the farmer."""
    namer_disks = 0
    mounts: dict[str, list[Mount]] = {}
    files: dict[str, str] = {}
    named = _names(hosts)
    for name, host in named.items():
        namer = Namer(disks=namer_disks)
        mounts[name] = mounts_of(host.found["devices"], namer)
        namer_disks = namer.disks
        files[f"host_vars/{name}.yml"] = _host_text(host, mounts[name])
    files["hosts.yml"] = _hosts_text(named, mounts)
    return files


def _names(hosts: list[Seen]) -> dict[str, Seen]:
    """Each host by its own name, or by its address where that is not a name, or another one's."""
    found: dict[str, Seen] = {}
    for host in hosts:
        own = str(host.found["name"])
        usable = _HOST.fullmatch(own) and own not in found and own != "localhost"
        found[own if usable else host.address] = host
    return found


def _host_text(host: Seen, mounts: list[Mount]) -> str:
    lines = ["---", "# Disks, by bus: each bus is a farm. The number of a farm may be any."]
    lines += [f"# found: {program}" for program in host.found["programs"]]
    if any("Chia" in program for program in host.found["programs"]):
        lines.append(
            "# decide: a Chia is here already; docs/migrating.md says what goplot can do with it."
        )
    certain = any(not mount.decide for mount in mounts)
    lines.append("farm_layout_mounts:" if certain else _NONE)
    lines += [mount.line() for mount in mounts]
    return "\n".join(lines) + "\n"


def _hosts_text(named: Mapping[str, Seen], mounts: Mapping[str, list[Mount]]) -> str:
    lines = [_HEAD + "all:", "  hosts:"]
    for name, host in named.items():
        lines.append(f"    {name}:")
        if host.local:
            lines.append("      ansible_connection: local")
        elif host.address != name:
            lines.append(f"      ansible_host: {host.address}")
        if host.user:
            lines.append(f"      ansible_user: {host.user}")
    farmer = next(iter(named))
    lines += ["", "farmer: # the first host that was named", "  hosts:", f"    {farmer}:"]
    lines += _group("plotter", "has a temp farm", named, mounts, "/plot_temp/")
    lines += _group("harvester", "has disks", named, mounts, "/farm/")
    return "\n".join(lines) + "\n"


def _group(
    group: str,
    why: str,
    named: Mapping[str, Seen],
    mounts: Mapping[str, list[Mount]],
    start: str,
) -> list[str]:
    lines = ["", f"{group}: # {why}", "  hosts:"]
    members = 0
    for name in named:
        there = [mount for mount in mounts[name] if mount.path.startswith(start)]
        if any(not mount.decide for mount in there):
            lines.append(f"    {name}:")
            members += 1
        elif there:
            lines.append(
                f"    # decide: {name}, once host_vars/{name}.yml has a line of {start}..."
            )
            lines.append(f"    #{name}:")
    if not members:
        lines[2] = "  hosts: {}"
        lines[3:] = [line.replace("    ", "  ", 1) for line in lines[3:]]
    return lines
