#!/usr/bin/python
"""Sets values in Chia's configuration, through Chia's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.chia_configuration import (
    SERVICES,
    Wanted,
    concerned,
    configured,
    differences,
)
from ansible.module_utils.chia_owner import acting_as
from ansible.module_utils.common_chia_found import outside

DOCUMENTATION = """
module: chia_config
short_description: Set values in Chia's configuration
description:
  - Sets the given values in config.yaml and leaves everything else unchanged. Uses Chia's own lock,
    so concurrent writes of a service are not lost.
  - Run it with the Python of Chia's virtual environment.
options:
  root:
    description: CHIA_ROOT.
    type: path
    required: true
  network:
    description: The network that is selected.
    type: str
    required: true
  log_level:
    description: Level of the log.
    type: str
    required: true
  farms:
    description: Whether this host runs the farmer; its peers are set only then.
    type: bool
    default: false
  full_node:
    description: host:port of the full node for farmer and wallet, if not the one on this host.
    type: str
  full_node_port:
    description: Peer port of the full node.
    type: int
  farmer_port:
    description: Peer port of the farmer.
    type: int
  farmer_target_address:
    description: Address of the farmer's part of the reward.
    type: str
  pool_target_address:
    description: Address of the pool's part of the reward.
    type: str
  farmer_peers:
    description: host:port of each farmer that the harvester connects to.
    type: list
    elements: str
  plot_directories:
    description: Folders that are harvested. Others outside of plots_root are kept.
    type: list
    elements: str
  plots_root:
    description: Where goplot's disks are.
    type: str
    default: /farm
  database:
    description: Folder of the blockchain's database.
    type: path
  settings:
    description: Further settings, merged in key by key.
    type: dict
    default: {}
author: goplot
"""

EXAMPLES = """
- name: Set the log level
  chia_config: {root: /var/lib/chia/mainnet, network: mainnet, log_level: INFO}
  vars:
    ansible_python_interpreter: /opt/chia/current/bin/python
"""

RETURN = """
services:
  description: The services that must be restarted to apply the change.
  type: list
  elements: str
  returned: success
refresh:
  description: Whether the plot directories changed, which a refresh of the plots applies.
  type: bool
  returned: success
outside:
  description: Folders outside of the root that Chia writes to.
  type: list
  elements: str
  returned: success
rpc_ports:
  description: The RPC port of each service, including the daemon.
  type: dict
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "root": {"type": "path", "required": True},
        "network": {"type": "str", "required": True},
        "log_level": {"type": "str", "required": True},
        "farms": {"type": "bool", "default": False},
        "full_node": {"type": "str"},
        "full_node_port": {"type": "int"},
        "farmer_port": {"type": "int"},
        "farmer_target_address": {"type": "str"},
        "pool_target_address": {"type": "str"},
        "farmer_peers": {"type": "list", "elements": "str"},
        "plot_directories": {"type": "list", "elements": "str"},
        "plots_root": {"type": "str", "default": "/farm"},
        "database": {"type": "path"},
        "settings": {"type": "dict", "default": {}},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        with acting_as("chia"):
            result = _run(module)
    except (KeyError, OSError, ValueError) as error:
        module.fail_json(msg=f"{module.params['root']}/config/config.yaml: {error}")
    module.exit_json(**result)


def _run(module: AnsibleModule) -> dict[str, Any]:
    from chia.util.config import lock_and_load_config, save_config

    params = {name: value for name, value in module.params.items() if value is not None}
    root = Path(params.pop("root"))
    if "full_node" in params:
        params["full_node"] = _peer(params["full_node"])
    if "farmer_peers" in params:
        params["farmer_peers"] = tuple(_peer(text) for text in params["farmer_peers"])
    if "plot_directories" in params:
        params["plot_directories"] = tuple(params["plot_directories"])
    with lock_and_load_config(root, "config.yaml") as config:
        new = configured(config, Wanted(**params))
        if new != config and not module.check_mode:
            save_config(root, "config.yaml", new)
    found = list(differences(config, new))
    return {
        "changed": bool(found),
        "services": concerned(config, new),
        "refresh": any(path == "harvester.plot_directories" for path, _, _ in found),
        "outside": _outside(root),
        "rpc_ports": {
            "daemon": new["daemon_port"],
            **{name: new[name]["rpc_port"] for name in SERVICES},
        },
        "diff": {
            "before": "".join(f"{path}: {before}\n" for path, before, _ in found),
            "after": "".join(f"{path}: {after}\n" for path, _, after in found),
        },
    }


def _outside(root: Path) -> list[str]:
    config = (root / "config/config.yaml").read_text(encoding="utf-8")
    found = map(Path, outside(root, config))
    return sorted({str(path if path.is_dir() else path.parent) for path in found})


def _peer(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{text} is not host:port")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    main()
