#!/usr/bin/python
"""Has units run or stopped, and removes those that a host no longer runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_units
short_description: Start or stop units, and remove those that a host no longer runs
description:
  - Has systemd reload its configuration where the files of a unit are newer than what it read.
  - Then removes units, stops and disables others, and enables and starts those that run, in their
    order, all in one step.
options:
  started:
    description: Names of the units that run, and are started when the host boots.
    type: list
    elements: str
    default: []
  stopped:
    description: Names of installed units that neither run nor are started when the host boots.
    type: list
    elements: str
    default: []
  absent:
    description: Names of units that are stopped, disabled and removed where they are installed.
    type: list
    elements: str
    default: []
  files:
    description: By unit, a file that is removed with it.
    type: dict
    default: {}
  only_with:
    description: Text of goplot's units. One to remove without it is somebody else's, and stays.
    type: str
    default: ""
author: goplot
"""

EXAMPLES = """
- name: Run the harvester and no farmer
  common_units:
    started: [chia-daemon.service, chia-harvester.service]
    absent: [chia-farmer.service]
"""

RETURN = """
started:
  description: The units that were started, or would be in check mode.
  type: list
  elements: str
  returned: success
removed:
  description: The units that were removed, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

#: Where units are installed.
UNITS = Path("/etc/systemd/system")

_RUNS = frozenset({"active", "activating", "reloading"})
# systemctl(1), is-enabled: all that it counts as enabled.
_ENABLED = frozenset({"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"})
_SHOWN = "Id,ActiveState,UnitFileState,NeedDaemonReload"


def main() -> None:
    """Runs the module."""
    names: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
    spec: dict[str, Any] = {
        "started": names,
        "stopped": names,
        "absent": names,
        "files": {"type": "dict", "default": {}},
        "only_with": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    result = _Step(module).run()
    module.exit_json(changed=any(result.values()), **result)


class _Step:
    """What one run of the module does; in check mode, what it would do."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module

    def run(self) -> dict[str, list[str]]:
        asked = self._module.params
        text = asked["only_with"]
        removed = [name for name in asked["absent"] if _holds(UNITS / name, text)]
        # All that is loaded, too: a service that a timer starts is in neither list.
        loaded = self._show("*") if asked["started"] or asked["stopped"] else {}
        if any(unit["NeedDaemonReload"] == "yes" for unit in loaded.values()):
            self._systemctl("daemon-reload")
        if removed:
            self._remove(removed)
        wanted = [*asked["started"], *asked["stopped"]]
        now = self._show(*wanted) if wanted else {}
        enable = [name for name in asked["started"] if now[name]["UnitFileState"] not in _ENABLED]
        start = [name for name in asked["started"] if now[name]["ActiveState"] not in _RUNS]
        disable = [name for name in asked["stopped"] if now[name]["UnitFileState"] == "enabled"]
        stop = [name for name in asked["stopped"] if now[name]["ActiveState"] in _RUNS]
        for command, units in (("stop", stop), ("disable", disable), ("enable", enable)):
            if units:
                self._systemctl(command, *units)
        for unit in start:
            self._systemctl("start", unit)
        return {
            "removed": removed,
            "started": start,
            "stopped": stop,
            "enabled": enable,
            "disabled": disable,
        }

    def _show(self, *units: str) -> dict[str, dict[str, str]]:
        """Properties by unit. systemctl shows units in the order in which they are named."""
        command = ["systemctl", "show", f"--property={_SHOWN}", "--", *units]
        status, output, _ = self._module.run_command(command)
        found = [
            dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
            for part in output.strip().split("\n\n")
        ]
        if units == ("*",):
            return {unit["Id"]: unit for unit in found if "Id" in unit}
        if status or len(found) != len(units):
            # In check mode on a new host there may be no systemd yet.
            found = [{}] * len(units)
        nothing = {"ActiveState": "", "UnitFileState": "", "NeedDaemonReload": "no"}
        return {name: {**nothing, **unit} for name, unit in zip(units, found, strict=True)}

    def _remove(self, units: list[str]) -> None:
        # Together: a timer cannot start its service again.
        self._systemctl("stop", *units)
        self._systemctl("disable", *units)
        if self._module.check_mode:
            return
        for unit in units:
            (UNITS / unit).unlink()
            if file := self._module.params["files"].get(unit):
                Path(file).unlink(missing_ok=True)
        self._systemctl("daemon-reload")

    def _systemctl(self, *arguments: str) -> None:
        if not self._module.check_mode:
            self._module.run_command(["systemctl", *arguments], check_rc=True)


def _holds(unit: Path, text: str) -> bool:
    return unit.is_file() and text in unit.read_text(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    main()
