#!/usr/bin/python
"""Creates folders on disks, and only on disks that are mounted."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.farm_layout_plan import WITHOUT_OWNERS, mounted_from

DOCUMENTATION = """
module: farm_layout_folders
short_description: Create folders on disks that are mounted
description:
  - Creates folders with their owner and mode, each on its disk. The disk is held open and compared
    with what is mounted there, so nothing is written beneath a disk that disappeared.
  - On a file system that has no owners, that is full, or whose server or mount allows no change,
    folders stay as they are. It is a warning if goplot can't write there then.
options:
  host:
    description: The name of the host for the warnings.
    type: str
    required: true
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
    host: plotter1
    folders: [{mount: /farm/1/disk1, name: plots, owner: goplot, group: chia, mode: "2750"}]
"""

RETURN = """
changed_paths:
  description: The folders that were created or changed, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

# Where root may change nothing: full, read-only, without owners, of a server that trusts no root.
_NOT_ALLOWED = (
    errno.EPERM,
    errno.EACCES,
    errno.EROFS,
    errno.EOPNOTSUPP,
    errno.ENOSPC,
    errno.EDQUOT,
)
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
    host = {"type": "str", "required": True}
    spec = {"folders": folders, "host": host}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    changed = []
    for folder in module.params["folders"]:
        path = str(Path(folder["mount"]) / folder["name"])
        try:
            if _ensure(module, folder):
                changed.append(path)
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                module.fail_json(msg=f"{path}: {error.strerror}", changed=bool(changed))
            module.warn(
                f"{module.params['host']}: {path}: {error.strerror}. User {folder['owner']} must "
                "be able to write there: create it by hand, or change the mount's options."
            )
    module.exit_json(changed=bool(changed), changed_paths=changed)


def _ensure(module: AnsibleModule, folder: dict[str, Any]) -> bool:
    """True if the folder had to be changed. Raises OSError."""
    mount = Path(folder["mount"])
    disk = os.open(mount, _OPEN)
    try:
        fstype = _fstype_at(mount, disk)
        if not fstype:
            module.fail_json(msg=f"{mount} is no longer mounted: run again.")
        made = _make(module, disk, folder["name"])
        if made and module.check_mode:
            return True
        handle = os.open(folder["name"] or ".", _OPEN, dir_fd=disk)
        try:
            if fstype in WITHOUT_OWNERS:
                _check_owner(handle, folder)
                return made
            return _own(module, handle, folder) or made
        finally:
            os.close(handle)
    finally:
        os.close(disk)


def _fstype_at(mount: Path, descriptor: int) -> str:
    """The file system that is mounted there, empty if the open folder is not that mount."""
    info = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii")
    number = next(line.split()[1] for line in info.splitlines() if line.startswith("mnt_id:"))
    for line in Path("/proc/self/mountinfo").read_bytes().split(b"\n"):
        if line.startswith(number.encode() + b" "):
            return "".join(kind for path, _, kind, _ in mounted_from(line) if path == str(mount))
    return ""


def _check_owner(handle: int, folder: dict[str, Any]) -> None:
    """Raises OSError if the owner of a folder, as its mount shows it, could not write there."""
    status = os.fstat(handle)
    try:
        user = pwd.getpwnam(folder["owner"]).pw_uid
    except KeyError:
        return
    writable = stat.S_IWUSR if status.st_uid == user else stat.S_IWOTH
    if folder["owner"] != "root" and not status.st_mode & writable:
        raise PermissionError(errno.EPERM, "is not writable")


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
