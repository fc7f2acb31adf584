#!/usr/bin/python
"""Creates mount points that nothing can be written to without a mount."""

from __future__ import annotations

import ctypes
import os
import stat
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: farm_layout_mount_points
short_description: Create mount points that are not writable while their disk is absent
description:
  - Creates each folder, owned by root, and sets the immutable flag on it. Where the file system has
    no such flag the folder gets mode 0000 instead, which root can still write to. One that is not
    empty gets both, since the flag does not protect the folders in it.
  - The folder beneath a mounted disk is reached through a private mount namespace. The mounted
    disk stays untouched.
options:
  host:
    description: The name of the host for the warnings.
    type: str
    required: true
  paths:
    description: The mount points. Their parent folders must exist, except in check mode.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Protect the mount points
  farm_layout_mount_points:
    host: plotter1
    paths: [/farm/1/disk1]
"""

RETURN = """
guarded:
  description: The paths that were created or changed, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

_CLONE_NEWNS = 0x00020000  # unshare(2)


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "required": True},
            "paths": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    _leave_namespace(module)
    guarded = []
    with tempfile.TemporaryDirectory(prefix="farm_layout.") as view:
        for path in map(Path, module.params["paths"]):
            if not path.parent.is_dir():
                guarded.append(str(path))
                continue
            module.run_command(["mount", "--bind", str(path.parent), view], check_rc=True)
            try:
                if _guard(module, Path(view) / path.name, path):
                    guarded.append(str(path))
            finally:
                module.run_command(["umount", view], check_rc=True)
    module.exit_json(changed=bool(guarded), guarded=guarded)


def _leave_namespace(module: AnsibleModule) -> None:
    """Gives this process a private mount namespace, so that others do not see the views."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(_CLONE_NEWNS) != 0:
        reason = os.strerror(ctypes.get_errno())
        module.fail_json(msg=f"A private mount namespace is not permitted ({reason}): run as root.")
    module.run_command(["mount", "--make-rprivate", "/"], check_rc=True)


def _guard(module: AnsibleModule, folder: Path, path: Path) -> bool:
    """Creates and protects the folder beneath a mount point, in a view; True if it changed."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        module.fail_json(msg=f"{path} is not a folder but a link or a file: move it away.")
    made = not folder.exists()
    if made:
        if module.check_mode:
            return True
        folder.mkdir(mode=0o755)
    beneath = len(list(folder.iterdir()))
    if beneath:
        module.warn(
            f"{module.params['host']}: {path} has {beneath} entries on the file system beneath the "
            f"mount, which its disk hides. To move them: umount it, chattr -i {path}."
        )
    return _protect(module, folder, path, beneath > 0) or made


def _protect(module: AnsibleModule, folder: Path, path: Path, close: bool) -> bool:
    """Sets flag and mode. `close` also closes its subfolders, which the flag does not protect."""
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    immutable = _is_immutable(module, folder)
    if immutable and (mode == 0 or not close):
        return False
    if immutable is None and mode == 0 and status.st_uid == 0:
        return False
    if module.check_mode:
        return True
    if immutable:
        _set_immutable(module, folder, "-i")
    os.chown(folder, 0, 0)
    folder.chmod(0 if close else 0o755)
    if immutable is None or not _set_immutable(module, folder, "+i"):
        folder.chmod(0)
        module.warn(
            f"{module.params['host']}: {path} is on a file system without the immutable flag; it "
            "has mode 0000 instead. Only root can write there while its disk is absent."
        )
        return mode != 0
    return True


def _is_immutable(module: AnsibleModule, folder: Path) -> bool | None:
    """Whether a folder has the immutable flag; None on a file system that has no flags."""
    if module.check_mode and not module.get_bin_path("lsattr"):
        return False  # the role installs it before it gets here
    code, flags, _ = module.run_command(["lsattr", "-d", str(folder)])
    return None if code or not flags.strip() else "i" in flags.split()[0]


def _set_immutable(module: AnsibleModule, folder: Path, change: str) -> bool:
    code, _, _ = module.run_command(["chattr", change, str(folder)])
    return bool(code == 0)


if __name__ == "__main__":
    main()
