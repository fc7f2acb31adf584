#!/usr/bin/python
"""Waits until Chia's services answer at their RPC ports."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: chia_answers
short_description: Wait until Chia's services answer
description:
  - Waits until each service accepts connections at its RPC port, which Chia opens when the service
    has started. Fails at once when systemd has had to start a service again.
  - Run it with the Python of Chia's virtual environment.
options:
  root:
    description: CHIA_ROOT.
    type: path
    required: true
  units:
    description: The unit of each service.
    type: dict
    required: true
  timeout:
    description: Seconds to wait.
    type: int
    default: 600
author: goplot
"""

EXAMPLES = """
- name: Wait until Chia answers
  chia_answers: {root: /var/lib/chia/mainnet, units: {harvester: chia-harvester.service}}
  vars:
    ansible_python_interpreter: /opt/chia/current/bin/python
"""

RETURN = """#"""

_POLL_SECONDS = 0.5
_FALLEN = ("failed", "auto-restart", "dead")


def ports(root: Path, services: Mapping[str, str]) -> dict[str, int]:
    """The RPC port of each service. Raises OSError, KeyError."""
    import yaml

    config = yaml.safe_load((root / "config/config.yaml").read_text(encoding="utf-8"))
    return {
        name: config["daemon_port"] if name == "daemon" else config[name]["rpc_port"]
        for name in services
    }


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("localhost", port), timeout=5):
            return True
    except OSError:
        return False


def fallen(state: str) -> bool:
    """Whether `systemctl show` reports that a service ended since it was last started by hand."""
    values = dict(line.split("=", 1) for line in state.splitlines() if "=" in line)
    return values.get("NRestarts", "0") != "0" or values.get("SubState") in _FALLEN


def _state(unit: str) -> str:
    command = ["systemctl", "show", "--property=NRestarts,SubState", unit]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "units": {"type": "dict", "required": True},
            "timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=False)
    units: dict[str, str] = module.params["units"]
    try:
        waiting = ports(Path(module.params["root"]), units)
    except (KeyError, OSError) as error:
        module.fail_json(msg=f"{module.params['root']}/config/config.yaml: {error}")
    end = time.monotonic() + module.params["timeout"]
    while True:
        for name in waiting:
            if fallen(_state(units[name])):
                module.fail_json(msg=f"{units[name]} ended: see journalctl -u {units[name]}")
        waiting = {name: port for name, port in waiting.items() if not _answers(port)}
        if not waiting:
            module.exit_json(changed=False)
        if time.monotonic() > end:
            silent = ", ".join(units[name] for name in waiting)
            module.fail_json(
                msg=f"{silent}: no answer within {module.params['timeout']} s of the start"
            )
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main()
