#!/usr/bin/python
"""Switches a host to another installed version of Chia."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: chia_switch
short_description: Switch a host to another installed version of Chia
description:
  - Links C(current) to the version, has systemd read its units again and restarts the services,
    in one step.
options:
  install_dir:
    description: Folder of the virtual environments.
    type: path
    required: true
  version:
    description: The version to switch to.
    type: str
    required: true
  units:
    description: The services that use it.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Switch to another version
  chia_switch: {install_dir: /opt/chia, version: "2.7.5", units: [chia-harvester.service]}
"""

RETURN = """
previous:
  description: The version that was linked before; empty if none was.
  type: str
  returned: success
"""


def linked(install_dir: Path) -> str:
    """The version that `current` is linked to, empty if there is none."""
    link = install_dir / "current"
    return link.readlink().name if link.is_symlink() else ""


def link(install_dir: Path, version: str) -> None:
    """Links `current` to an installed version; there is a link at any time. Raises OSError."""
    target = install_dir / version
    if not (target / "installed").exists():
        raise FileNotFoundError(f"{target} is not installed")
    new = install_dir / ".current"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(install_dir / "current")


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "install_dir": {"type": "path", "required": True},
            "version": {"type": "str", "required": True},
            "units": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    install_dir, version = Path(module.params["install_dir"]), module.params["version"]
    previous = linked(install_dir)
    changed = previous != version
    if changed and not module.check_mode:
        try:
            link(install_dir, version)
        except OSError as error:
            module.fail_json(msg=str(error))
        subprocess.run(["systemctl", "daemon-reload"], capture_output=True, check=False)
        # All end at once: a restart alone ends one after the other, in the order of their units.
        units = module.params["units"]
        command = ["systemctl", "kill", "--kill-whom=main", "--signal=TERM", *units]
        subprocess.run(command, capture_output=True, check=False)
        command = ["systemctl", "restart", *units]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            module.fail_json(msg=done.stderr.strip(), previous=previous)
    module.exit_json(changed=changed, previous=previous)


if __name__ == "__main__":
    main()
