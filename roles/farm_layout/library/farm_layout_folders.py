#!/usr/bin/python
"""Creates folders on disks, and only on disks that are mounted."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: farm_layout_folders
short_description: Create folders on disks that are mounted
description:
  - Creates folders with their owner and mode, each on its disk. The disk is held open and compared
    with the folder it is mounted on, so nothing is written beneath a disk that disappeared.
options:
  folders:
    description: The folders.
    type: list
    elements: dict
    required: true
    options:
      mount:
        description: The mount point. It is an error if no disk is mounted there.
        type: str
        required: true
      name:
        description: Name of the folder on the disk, empty for the disk's root folder.
        type: str
        default: ""
      owner:
        description: User.
        type: str
        required: true
      group:
        description: Group.
        type: str
        required: true
      mode:
        description: Mode, in octal digits.
        type: str
        required: true
author: goplot
"""

EXAMPLES = """
- name: Create the folder for plots
  farm_layout_folders:
    folders: [{mount: /farm/1/disk1, name: plots, owner: goplot, group: chia, mode: "2750"}]
"""

RETURN = """
changed_paths:
  description: The folders that were created or changed, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def main() -> None:
    """Runs the module."""
    options = {
        "mount": {"type": "str", "required": True},
        "name": {"type": "str", "default": ""},
        "owner": {"type": "str", "required": True},
        "group": {"type": "str", "required": True},
        "mode": {"type": "str", "required": True},
    }
    folders = {"type": "list", "elements": "dict", "required": True, "options": options}
    module = AnsibleModule(argument_spec={"folders": folders}, supports_check_mode=True)
    changed = []
    for folder in module.params["folders"]:
        path = str(Path(folder["mount"]) / folder["name"])
        try:
            if _ensure(module, folder):
                changed.append(path)
        except OSError as error:
            module.fail_json(msg=f"{path}: {error.strerror}", changed=bool(changed))
    module.exit_json(changed=bool(changed), changed_paths=changed)


def _ensure(module: AnsibleModule, folder: dict[str, Any]) -> bool:
    """True if the folder had to be changed. Raises OSError."""
    mount = Path(folder["mount"])
    disk = os.open(mount, _OPEN)
    try:
        if os.fstat(disk).st_dev == mount.parent.stat().st_dev:
            module.fail_json(msg=f"{mount} is no longer mounted: run again.")
        made = _make(module, disk, folder["name"])
        if made and module.check_mode:
            return True
        handle = os.open(folder["name"] or ".", _OPEN, dir_fd=disk)
        try:
            return _own(module, handle, folder) or made
        finally:
            os.close(handle)
    finally:
        os.close(disk)


def _make(module: AnsibleModule, disk: int, name: str) -> bool:
    if not name or name in os.listdir(disk):
        return False
    if not module.check_mode:
        os.mkdir(name, mode=0o700, dir_fd=disk)
    return True


def _own(module: AnsibleModule, handle: int, folder: dict[str, Any]) -> bool:
    status = os.fstat(handle)
    mode = int(folder["mode"], 8)
    try:
        user = pwd.getpwnam(folder["owner"]).pw_uid
        group = grp.getgrnam(folder["group"]).gr_gid
    except KeyError as error:
        # Check mode on a new host: the run would create the users first.
        if module.check_mode:
            return True
        module.fail_json(msg=f"Unknown user or group: {error.args[0]}")
    as_it_should = (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (
        user,
        group,
        mode,
    )
    if not as_it_should and not module.check_mode:
        os.fchown(handle, user, group)
        os.fchmod(handle, mode)
    return not as_it_should


if __name__ == "__main__":
    main()
