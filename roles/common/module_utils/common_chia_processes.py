"""The processes of Chia on a host, and what listens at its ports. Reads /proc, changes nothing."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common_sockets import listening

# In the order in which they are stopped: the daemon holds the keys of the others.
SERVICES = ("wallet", "farmer", "harvester", "full_node", "daemon")
# Chia's own ports, by service: between peers, and of its RPC.
PORTS = {
    8444: "full_node",
    8555: "full_node",
    8447: "farmer",
    8559: "farmer",
    9256: "wallet",
    8560: "harvester",
    55400: "daemon",
}
_PROGRAM = re.compile(rf"chia_({'|'.join(SERVICES)}|timelord|data_layer|crawler|seeder)")


@dataclass(frozen=True)
class User:
    """A user of the host."""

    name: str
    uid: int
    home: str


@dataclass(frozen=True)
class Process:
    """A process of Chia that no unit of goplot's runs, or another one at one of Chia's ports.

    `service` is Chia's name for it, empty for a program that is not Chia. `unit` is the systemd
    unit that runs Chia, if one does, `manager` the user whose systemd it belongs to (empty: the
    system's).
    """

    pid: int
    name: str
    user: str
    service: str = ""
    unit: str = ""
    manager: str = ""
    root: str = ""
    port: int = 0
    container: bool = False


def chia_processes(
    host: Path, names: dict[int, User], units: set[str], ours: frozenset[str]
) -> Iterator[Process]:
    """Those that no unit of `ours` runs. A unit is named if it is one of `units` or of Chia's."""
    ports = {inode: port for inode, port in listening(host).items() if port in PORTS}
    here = _namespace(host / "proc/self")
    for folder in sorted((host / "proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            uid = folder.stat().st_uid
        except OSError:  # it ended meanwhile
            continue
        match = next(filter(None, map(_program, words[:2])), None)
        held = _ports_of(folder, ports)
        port = min(held, default=0)
        elsewhere = _namespace(folder) != here
        # What runs in a container and does not listen here is none of this host's.
        if not (match or port) or (elsewhere and not port):
            continue
        unit, manager = _unit_of(folder, names)
        if unit in ours and not manager:
            continue
        user = names.get(uid)
        yield Process(
            pid=int(folder.name),
            name=match[0] if match else _name(folder),
            user=user.name if user else str(uid),
            service=match[1] if match else "",
            # Others, such as cron's, only happened to start it.
            unit=unit if unit in units or "chia" in unit else "",
            manager=manager,
            root=_root_of(folder) if match else "",
            port=port,
            container=elsewhere,
        )


def _program(word: bytes) -> re.Match[str] | None:
    name = word.decode(errors="replace").rsplit("/", 1)[-1].strip()
    return _PROGRAM.fullmatch(name)


def _name(folder: Path) -> str:
    return text_of(folder / "comm").strip() or folder.name


def _namespace(folder: Path) -> str:
    try:
        return str((folder / "ns/pid").readlink())
    except OSError:
        return ""


def _unit_of(folder: Path, users: dict[int, User]) -> tuple[str, str]:
    """(unit, user whose systemd runs it)."""
    # A host with both hierarchies has its units in one of them.
    for line in text_of(folder / "cgroup").splitlines():
        number, _, path = line.split(":", 2)
        parts = path.split("/")
        unit = next((part for part in reversed(parts) if part.endswith(".service")), "")
        if not unit or (number != "0" and "name=systemd" not in line):
            continue
        manager = next((part for part in parts if re.fullmatch(r"user@\d+\.service", part)), "")
        if not manager:
            return unit, ""
        user = users.get(int(manager[5:-8]))
        return ("", "") if unit == manager or user is None else (unit, user.name)
    return "", ""


def _root_of(folder: Path) -> str:
    """CHIA_ROOT of a process: from its environment, else from the files that it holds open."""
    with contextlib.suppress(OSError):
        for item in (folder / "environ").read_bytes().split(b"\0"):
            if item.startswith(b"CHIA_ROOT="):
                return os.fsdecode(item[len(b"CHIA_ROOT=") :])
    for target in _open_files(folder):
        found = re.fullmatch(r"(.+)/(?:log/debug\.log|db/blockchain_v\d_.+\.sqlite)", target)
        if found:
            return found[1]
    return ""


def _open_files(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for link in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())


def _ports_of(folder: Path, ports: dict[str, int]) -> set[int]:
    if not ports:
        return set()
    inodes = (re.fullmatch(r"socket:\[(\d+)\]", target) for target in _open_files(folder))
    return {ports[match[1]] for match in inodes if match and match[1] in ports}


def text_of(path: Path) -> str:
    """What is in a file, nothing if it can't be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
