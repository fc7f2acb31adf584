#!/usr/bin/python
"""Makes system users, each with a group of its name."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: accounts_users
short_description: Make system users, each with a group of its name
description:
  - Makes each user, its group and its home directory, all in one step. No user can log in.
options:
  users:
    description: The users.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The user., type: str, required: true}
      home: {description: Its home directory., type: path, default: /nonexistent}
      mode:
        description: Mode of the home directory, in octal digits. Without it, none is made.
        type: str
author: goplot
"""

EXAMPLES = """
- name: Install the users
  accounts_users:
    users:
      - {name: goplot, home: /var/lib/goplot, mode: "0755"}
      - {name: goplot-log}
"""

RETURN = ""

_SHELL = "/usr/sbin/nologin"


def main() -> None:
    """Runs the module."""
    options: dict[str, Any] = {
        "name": {"type": "str", "required": True},
        "home": {"type": "path", "default": "/nonexistent"},
        "mode": {"type": "str"},
    }
    users = {"type": "list", "elements": "dict", "required": True, "options": options}
    module = AnsibleModule(argument_spec={"users": users}, supports_check_mode=True)
    changed = False
    for user in module.params["users"]:
        changed |= _user(module, user["name"], user["home"])
        if user["mode"]:
            changed |= _home(module, Path(user["home"]), user["name"], int(user["mode"], 8))
    module.exit_json(changed=changed)


def _user(module: AnsibleModule, name: str, home: str) -> bool:
    commands = []
    try:
        group = grp.getgrnam(name).gr_gid
    except KeyError:
        group = None
        commands.append(["groupadd", "--system", name])
    settings = ["--gid", name, "--shell", _SHELL]
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        add = ["useradd", "--system", "--no-create-home", "--home-dir", home]
        commands.append([*add, *settings, name])
    else:
        if (user.pw_gid, user.pw_dir, user.pw_shell) != (group, home, _SHELL):
            commands.append(["usermod", "--home", home, *settings, name])
    for command in () if module.check_mode else commands:
        module.run_command(command, check_rc=True)
    return bool(commands)


def _home(module: AnsibleModule, home: Path, name: str, mode: int) -> bool:
    made = not home.is_dir()
    if module.check_mode and (made or name not in {user.pw_name for user in pwd.getpwall()}):
        return True
    if made:
        home.mkdir(mode=0o700, parents=True)
    user, status = pwd.getpwnam(name), home.stat()
    wanted = (user.pw_uid, grp.getgrnam(name).gr_gid, mode)
    if (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == wanted:
        return made
    if not module.check_mode:
        os.chown(home, *wanted[:2])
        home.chmod(mode)
    return True


if __name__ == "__main__":
    main()
