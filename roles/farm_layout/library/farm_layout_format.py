#!/usr/bin/python
"""Creates file systems on devices that are entirely blank."""

from __future__ import annotations

import uuid

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.farm_layout_devices import (
    SPEC,
    Host,
    read_records,
    wanted_of,
    write_records,
)
from ansible.module_utils.farm_layout_plan import Disk, Record

DOCUMENTATION = """
module: farm_layout_format
short_description: Create file systems on devices that are entirely blank
description:
  - Formats the devices of the entries that request it and that it has not formatted yet. A device
    with a signature, a partition, a holder, a mount or any nonzero byte at its ends or in samples
    between them stops the module before the first device is formatted.
  - The UUID of each file system is written to /etc/goplot/farm_layout.json before it is
    created. A later run recognises it by that, whatever the device's name is by then.
options:
  mounts:
    description: The variable farm_layout_mounts.
    type: list
    elements: dict
    required: true
  format:
    description: The variable farm_layout_format.
    type: bool
    default: false
author: goplot
"""

EXAMPLES = """
- name: Create the requested file systems
  farm_layout_format:
    mounts: [{path: /plot_temp/1, src: /dev/nvme0n1, fstype: xfs, format: true}]
"""

RETURN = """
formatted:
  description: The devices that were formatted, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

# No reserved blocks: a disk of plots is filled completely. Few inodes: its files are large.
_MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-m", "0", "-T", "largefile", "-U"],
    "xfs": ["mkfs.xfs", "-q", "-m"],
}


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)

    def run(command: list[str]) -> tuple[int, str]:
        status, output, _ = module.run_command(command)
        return status, output

    host = Host(run)
    disks = host.disks(wanted_of(module.params))
    problems = [disk.problem for disk in disks if disk.problem]
    if problems:
        module.fail_json(msg="\n".join(problems))
    pending = [disk for disk in disks if disk.pending]
    formatted = [disk.device for disk in pending if not host.probe(disk.device)]
    if not module.check_mode:
        for disk in pending:
            _make(module, disk, host.probe(disk.device).get("UUID", ""))
    module.exit_json(changed=bool(pending), formatted=formatted)


def _make(module: AnsibleModule, disk: Disk, held: str) -> None:
    """Formats one device, or only records the file system `held` that goplot created."""
    wanted = disk.wanted
    records = read_records()
    if not held:
        made = str(uuid.uuid4())
        records[wanted.path] = Record(wanted.src, made, made=False)
        write_records(records)
        identity = made if wanted.fstype == "ext4" else f"uuid={made}"
        module.run_command([*_MAKE[wanted.fstype], identity, disk.device], check_rc=True)
        held = made
    # A file system that moved to this path is recorded only under it.
    records = {path: record for path, record in records.items() if record.uuid != held}
    records[wanted.path] = Record(wanted.src, held)
    write_records(records)


if __name__ == "__main__":
    main()
