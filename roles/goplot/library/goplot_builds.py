#!/usr/bin/python
"""Removes goplot builds that are no longer in use."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: goplot_builds
short_description: Remove goplot builds that are no longer in use
description:
  - A build is a virtual environment that is never changed. A running plot job keeps the build it
    started with, so a build is removed only when no process uses it on its command line.
options:
  install_dir:
    description: Folder that holds C(venvs) and C(packages).
    type: path
    required: true
  keep:
    description: Names of the builds that are always kept.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Remove builds that are no longer in use
  goplot_builds: {install_dir: /opt/goplot, keep: [3f2a9c0d1e2b]}
"""

RETURN = """
removed:
  description: Names of the builds that were removed, or would be in check mode.
  type: list
  returned: success
"""


def unused(install_dir: Path, keep: Collection[str], proc: Path) -> list[str]:
    """Names of the builds that no process runs, without those to keep."""
    folders = (install_dir / "venvs", install_dir / "packages")
    builds = {entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()}
    commands = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            # The process ended in the meantime.
            with contextlib.suppress(OSError):
                commands.append((entry / "cmdline").read_bytes())
    return sorted(
        build
        for build in builds - set(keep)
        if not any(f"{install_dir}/venvs/{build}/".encode() in command for command in commands)
    )


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "install_dir": {"type": "path", "required": True},
            "keep": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    install_dir = Path(module.params["install_dir"])
    removed = unused(install_dir, module.params["keep"], Path("/proc"))
    try:
        for build in removed:
            for folder in (install_dir / "venvs" / build, install_dir / "packages" / build):
                if folder.exists() and not module.check_mode:
                    shutil.rmtree(folder)
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(removed), removed=removed)


if __name__ == "__main__":
    main()
