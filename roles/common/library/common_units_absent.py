#!/usr/bin/python
"""Stops and removes units that a host no longer runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_units_absent
short_description: Stop and remove units that a host no longer runs
description:
  - Stops and disables those of the units that are installed, removes them and the files that they
    wrote, and has systemd reload its configuration.
options:
  units:
    description: Names of the units.
    type: list
    elements: str
    required: true
  files:
    description: By unit, a file that is removed with it.
    type: dict
    default: {}
  only_with:
    description: Text of goplot's units. One without it is somebody else's, and stays.
    type: str
    default: ""
author: goplot
"""

EXAMPLES = """
- name: Remove the harvester's unit
  common_units_absent: {units: [chia-harvester.service]}
"""

RETURN = """
removed:
  description: The units that were installed.
  type: list
  elements: str
  returned: success
"""

#: Where units are installed.
UNITS = Path("/etc/systemd/system")


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "units": {"type": "list", "elements": "str", "required": True},
        "files": {"type": "dict", "default": {}},
        "only_with": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    text = module.params["only_with"]
    here = [name for name in module.params["units"] if _holds(UNITS / name, text)]
    if here and not module.check_mode:
        _remove(module, here)
    module.exit_json(changed=bool(here), removed=here)


def _holds(unit: Path, text: str) -> bool:
    return unit.is_file() and text in unit.read_text(encoding="utf-8", errors="replace")


def _remove(module: AnsibleModule, units: list[str]) -> None:
    # Together: a timer cannot start its service again.
    module.run_command(["systemctl", "stop", *units], check_rc=True)
    module.run_command(["systemctl", "disable", *units], check_rc=True)
    for unit in units:
        (UNITS / unit).unlink()
        if file := module.params["files"].get(unit):
            Path(file).unlink(missing_ok=True)
    module.run_command(["systemctl", "daemon-reload"], check_rc=True)


if __name__ == "__main__":
    main()
