#!/usr/bin/python
"""Finds monitoring that goplot did not install, at the ports that its own would use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: preflight_monitoring
short_description: Find monitoring that goplot did not install
description:
  - Reports each of the programs whose port is in use while goplot has not configured its unit. It
    only looks.
options:
  programs:
    description: The programs.
    type: list
    elements: dict
    required: true
    options:
      name:
        description: Name for people.
        type: str
        required: true
      variable:
        description: The variable of the inventory that chooses.
        type: str
        required: true
      port:
        description: The TCP port on which goplot's would listen.
        type: int
        required: true
      unit:
        description: The unit that goplot's would be.
        type: str
        required: true
author: goplot
"""

EXAMPLES = """
- name: Look for monitoring that goplot did not install
  preflight_monitoring:
    programs:
      - {name: Prometheus, variable: prometheus_install, port: 9090, unit: prometheus.service}
"""

RETURN = """
found:
  description: A line for each program that the inventory has to choose about.
  type: list
  elements: str
  returned: success
"""

_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h, as /proc/net/tcp has it
_UNITS = Path("/etc/systemd/system")


def main() -> None:
    """Runs the module."""
    program = {
        "name": {"type": "str", "required": True},
        "variable": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "unit": {"type": "str", "required": True},
    }
    spec: dict[str, Any] = {
        "programs": {"type": "list", "elements": "dict", "required": True, "options": program}
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    listening: dict[int, str] = {}
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net", name)
        if table.exists():
            listening |= sockets(table.read_text(encoding="ascii"))
    found = []
    for one in module.params["programs"]:
        configured = (_UNITS / f"{one['unit']}.d" / "goplot.conf").exists()
        if one["port"] in listening and not configured:
            found.append(line(one, _owner(listening[one["port"]])))
    module.exit_json(changed=False, found=found)


def sockets(table: str) -> dict[int, str]:
    """The inode of the socket that listens, by port, from a /proc/net/tcp, proc_pid_net(5)."""
    found = {}
    for row in table.splitlines()[1:]:
        fields = row.split()
        if len(fields) > 9 and fields[3] == _LISTEN:
            found[int(fields[1].rpartition(":")[2], 16)] = fields[9]
    return found


def line(program: dict[str, Any], owner: str) -> str:
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


if __name__ == "__main__":
    main()
