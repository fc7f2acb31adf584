"""Monitoring that goplot did not install, at the ports that its own would use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common_sockets import listening

_UNITS = Path("/etc/systemd/system")


def found(programs: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each program whose port is in use while goplot has not configured its unit.

    A program has `name` for people, the `variable` that chooses, the TCP `port` on which goplot's
    would listen, and the `unit` that goplot's would be.
    """
    inodes = {port: inode for inode, port in listening().items()}
    return [
        line(one, _owner(inodes[one["port"]]))
        for one in programs
        if one["port"] in inodes and not (_UNITS / f"{one['unit']}.d" / "goplot.conf").exists()
    ]


def line(program: Mapping[str, Any], owner: str) -> str:
    """What was found and the choice."""
    return (
        f"{program['variable']} is not set, and port {program['port']} is in use by {owner}, which "
        f"goplot did not install. Set it to false to keep that {program['name']} (goplot hands its "
        "files over), or to true for goplot's own (it replaces the configuration and keeps a copy; "
        "stop another program first, or name another port)."
    )


def _owner(inode: str) -> str:
    for process in _with_socket(f"socket:[{inode}]"):
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
        return f"{name} (process {process.name})"
    return "a program that is not visible here"


def _with_socket(target: str) -> Iterator[Path]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if any(str(fd.readlink()) == target for fd in (process / "fd").iterdir()):
                    yield process
            except OSError:
                continue
