#!/usr/bin/python
"""Takes over the folder of a bash goplot."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common_bash_goplot import look, refused
from ansible.module_utils.common_ending import comment_out, end

DOCUMENTATION = """
module: goplot_existing
short_description: Take over the folder of a bash goplot
description:
  - Ends its loops and its lines in crontabs, if its owner chose so; running plots finish.
  - Moves its log files to O(logs), and makes settings, index and disk
    files those of user C(goplot). Its scripts stay where they are.
options:
  choice:
    description: What the owner chose.
    type: str
    choices: [refuse, adopt]
    required: true
  folder:
    description: Where it is.
    type: path
    default: /etc/chia/goplot
  logs:
    description: Where goplot's logs are.
    type: path
    default: /var/log/goplot
author: goplot
"""

EXAMPLES = """
- name: Take over a bash goplot
  goplot_existing: {choice: adopt}
"""

RETURN = """
moved:
  description: The log files that were moved.
  type: list
  elements: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "choice": {"type": "str", "choices": ["refuse", "adopt"], "required": True},
        "folder": {"type": "path", "default": "/etc/chia/goplot"},
        "logs": {"type": "path", "default": "/var/log/goplot"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    found = look()
    if (sentences := refused(found, module.params["choice"])) and not module.check_mode:
        module.fail_json(msg=" ".join(sentences))
    folder, logs = Path(module.params["folder"]), Path(module.params["logs"])
    old = folder / "logs"
    is_old = old.is_dir() and not old.is_symlink()
    files = sorted(old.iterdir()) if is_old else []
    changed = bool(is_old or (not sentences and (found.loops or found.cron)))
    if changed and not module.check_mode:
        try:
            for line in found.cron:
                comment_out(line)
            for script in found.loops:
                end(script.pid, script.name)
            if is_old:
                _take_logs(old, logs)
                _own(folder)
        except (OSError, RuntimeError) as error:
            module.fail_json(msg=f"{error}: repeat the run, nothing is lost.")
    module.exit_json(changed=changed, moved=[str(file) for file in files])


def _take_logs(old: Path, logs: Path) -> None:
    """Moves them to where the role links to. The folder goes last: it says that this is to do."""
    goplot = pwd.getpwnam("goplot")
    logs.mkdir(exist_ok=True)
    os.chown(logs, goplot.pw_uid, goplot.pw_gid)
    for file in sorted(old.iterdir()):
        target = _unused(logs / file.name)
        shutil.move(file, target)
        os.chown(target, goplot.pw_uid, goplot.pw_gid, follow_symlinks=False)
    old.rmdir()


def _own(folder: Path) -> None:
    goplot = pwd.getpwnam("goplot")
    for name in ("config", "disks"):
        for file in (folder / name).glob("*.goplot"):
            os.chown(file, goplot.pw_uid, goplot.pw_gid, follow_symlinks=False)


def _unused(path: Path) -> Path:
    """A name that no file has: goplot.log, else goplot.log.bash, goplot.log.bash2 and so on."""
    number, free = 1, path
    while free.exists():
        free = path.with_name(f"{path.name}.bash{number if number > 1 else ''}")
        number += 1
    return free


if __name__ == "__main__":
    main()
