"""The systemd units of all roles, as Ansible renders them, and what systemd makes of their text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.plays import ROLES, run_playbook

#: Its mount units are of disks, which only a host has.
_NO_SERVICES = "farm_layout"
# Directives of which each assignment adds to a list, which an empty one empties.
_LISTS = frozenset(
    {
        "AmbientCapabilities",
        "BindPaths",
        "BindReadOnlyPaths",
        "CapabilityBoundingSet",
        "DeviceAllow",
        "Environment",
        "ExecStart",
        "IPAddressAllow",
        "IPAddressDeny",
        "InaccessiblePaths",
        "LoadCredential",
        "ReadOnlyPaths",
        "ReadWritePaths",
        "RestrictAddressFamilies",
        "StateDirectory",
        "SupplementaryGroups",
        "SystemCallFilter",
        "TemporaryFileSystem",
    }
)


@dataclass(frozen=True)
class Host:
    """A host of an inventory: its groups and its variables."""

    groups: tuple[str, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)


def render(folder: Path, hosts: Mapping[str, Host]) -> dict[str, Path]:
    """Render the units of every role for each host, by the roles' own tasks and variables.

    A host's variables include what other tasks of the roles would register. Returns the folder
    that stands for /etc/systemd/system of each host.
    """
    made = folder / "made"
    roles = list(_only_units(folder / "roles", made))
    groups: dict[str, dict[str, Any]] = {}
    for name, host in hosts.items():
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][name] = {}
        (made / name).mkdir(parents=True)
    variables = {name: dict(host.variables) for name, host in hosts.items()}
    inventory = {"all": {"hosts": variables, "children": groups}}
    (folder / "hosts.yml").write_text(json.dumps(inventory))
    (folder / "roles/common").symlink_to(ROLES / "common")
    roles.insert(0, "common")
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "roles": roles}
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    run_playbook(folder, "play.yml", roles=folder / "roles")
    return {name: made / name for name in hosts}


def _only_units(folder: Path, made: Path) -> Iterator[str]:
    """Copy each role that installs units, with those tasks alone. Yields the roles' names."""
    for role in sorted(path for path in ROLES.iterdir() if path.name != _NO_SERVICES):
        files = [yaml.safe_load(file.read_text()) for file in sorted(role.glob("tasks/*.yml"))]
        tasks = [task for file in files for task in _writers(file, made)]
        if not tasks:
            continue
        copy = folder / role.name
        (copy / "tasks").mkdir(parents=True)
        (copy / "tasks/main.yml").write_text(yaml.safe_dump(tasks))
        for name in ("defaults", "files", "filter_plugins", "templates", "vars"):
            if (role / name).exists():
                (copy / name).symlink_to(role / name)
        yield role.name


def _writers(tasks: list[dict[str, Any]], made: Path) -> Iterator[dict[str, Any]]:
    """The tasks that write units, with another folder to write to."""
    for task in tasks:
        yield from _writers(task.get("block", []), made)
        directories = task.get("common_files", {}).get("directories")
        if (directories and "units" in f"{directories}") or "/etc/systemd" in f"{directories}":
            folder = f"{made}/{{{{ inventory_hostname }}}}"
            arguments = {"directories": directories, "folder": folder}
            yield {"name": task["name"], "write_units": arguments}


def read_unit(*texts: str) -> dict[str, str]:
    """What a unit and its drop-ins amount to: the value of every directive.

    A list is that of all its assignments, except those that a later one removes by being empty;
    of any other directive the last assignment counts.
    """
    found: dict[str, str] = {}
    for line in "\n".join(texts).replace("\\\n", " ").splitlines():
        name, equals, value = line.partition("=")
        if not equals or line.startswith(("#", ";", "[")):
            continue
        value = " ".join(value.split())
        if name == "SystemCallFilter" and value.startswith("~"):
            # "~" stands once for all the words of its line.
            value = value.replace(" ", " ~")
        if name in _LISTS and value:
            value = f"{found.get(name, '')} {value}".strip()
        found[name] = value
    return found
