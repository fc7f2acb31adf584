#!/usr/bin/python
"""Inspects the disks of a host and reports what is to be done."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.farm_layout_devices import SPEC, UNITS, Host, wanted_of
from ansible.module_utils.farm_layout_plan import undeclared

DOCUMENTATION = """
module: farm_layout_disks
short_description: Inspect the disks of a host and report what is to be done
description:
  - Where nothing is to be done, it warns about disks that are absent, mounted elsewhere or no
    longer in the inventory.
  - Compares farm_layout_mounts with the devices and mounts of the host. It only reads, and
    never from a mounted disk.
  - Fails with a line for each disk that cannot be mounted or formatted as the inventory says.
options:
  host:
    description: The name of the host for the warnings.
    type: str
    required: true
  mounts:
    description: The variable farm_layout_mounts.
    type: list
    elements: dict
    required: true
  format:
    description: The variable farm_layout_format.
    type: bool
    default: false
  warn:
    description: Warn about them also where something is to be done.
    type: bool
    default: false
author: goplot
"""

EXAMPLES = """
- name: Inspect the disks
  farm_layout_disks:
    host: plotter1
    mounts: [{path: /farm/1/disk1, src: LABEL=disk1, fstype: xfs}]
"""

RETURN = """
disks:
  description: For each entry path, src, fstype, opts, what, unit, device_unit, mounted, pending,
    start, written and enabled. `what` is empty for a device that is not formatted yet.
  type: list
  returned: success
work:
  description: Whether a disk is to be formatted, enabled, mounted, or disabled where it was.
  type: bool
  returned: success
left_over:
  description: Units of paths that the inventory no longer has, with path, unit and moved_to.
  type: list
  returned: success
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            **SPEC,
            "host": {"type": "str", "required": True},
            "warn": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )

    def run(command: list[str]) -> tuple[int, str]:
        status, output, _ = module.run_command(command)
        return status, output

    host = Host(run)
    wanted = wanted_of(module.params)
    disks = host.disks(wanted)
    left_over = host.left_over(disks)
    found = [disk.facts(UNITS) for disk in disks]
    work = any(
        one["pending"] or one["start"] or (one["what"] and not one["enabled"]) for one in found
    ) or any(one["moved_to"] for one in left_over)
    if module.params["warn"] or not work:
        for note in (
            [disk.note for disk in disks if disk.note]
            + [_described(one) for one in left_over]
            + [
                _unknown(path)
                for path in set(undeclared(host.mounts, wanted))
                - {one["path"] for one in left_over}
            ]
        ):
            module.warn(f"{module.params['host']}: {note}")
    problems = [disk.problem for disk in disks if disk.problem]
    if problems:
        module.fail_json(msg="\n".join(problems))
    module.exit_json(disks=found, work=work, left_over=left_over)


def _unknown(path: str) -> str:
    return (
        f"{path} is mounted, but not in farm_layout_mounts: the harvester does not use it. "
        f"Add {{path: {path}}}, which leaves its mount to you."
    )


def _described(one: dict[str, str]) -> str:
    if one["moved_to"]:
        return (
            f"{one['path']}: its disk is {one['moved_to']} in the inventory now. It is not mounted "
            f"here at the next boot; /etc/systemd/system/{one['unit']} can be deleted."
        )
    return (
        f"{one['path']} is no longer in the inventory. It is left as it is; to remove it: "
        f"systemctl disable --now '{one['unit']}'; rm '/etc/systemd/system/{one['unit']}'"
    )


if __name__ == "__main__":
    main()
