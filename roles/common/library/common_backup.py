#!/usr/bin/python
"""Copies configuration files that goplot is about to replace for the first time."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_backup
short_description: Copy configuration files that goplot is about to replace
description:
  - Copies each file that exists to C(PATH.before-goplot) beside it, and warns where it is.
  - A file that is as its Debian package installed it is not copied, nor one that has a copy.
options:
  host:
    description: The name of the host for the warnings.
    type: str
    required: true
  paths:
    description: The files.
    type: list
    elements: path
    required: true
  unless:
    description: A file of goplot's own. Where it exists, goplot wrote them: nothing is copied.
    type: path
author: goplot
"""

EXAMPLES = """
- name: Keep the configuration that goplot did not write
  common_backup:
    host: farmer1
    paths: [/etc/prometheus/prometheus.yml]
"""

RETURN = """
copies:
  description: The copies that were made, or would be in check mode.
  type: list
  elements: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "host": {"type": "str", "required": True},
        "paths": {"type": "list", "elements": "path", "required": True},
        "unless": {"type": "path"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if module.params["unless"] and Path(module.params["unless"]).exists():
        module.exit_json(changed=False, copies=[])
    status, output, _ = module.run_command(["dpkg-query", "-W", "-f", "${Conffiles}\n"])
    packaged = set() if status else conffiles(output)
    copies = []
    for path in map(Path, module.params["paths"]):
        copy = path.with_name(f"{path.name}.before-goplot")
        if not path.is_file() or copy.exists() or (str(path), _md5(path)) in packaged:
            continue
        copies.append(str(copy))
        if not module.check_mode:
            shutil.copy2(path, copy)
            status_of = path.stat()
            shutil.chown(copy, status_of.st_uid, status_of.st_gid)
        module.warn(
            f"{module.params['host']}: goplot replaces {path}, which it did not write. "
            f"It is kept as {copy}."
        )
    module.exit_json(changed=bool(copies), copies=copies)


def conffiles(output: str) -> set[tuple[str, str]]:
    """(path, MD5) of every configuration file as its package has it, dpkg-query(1)."""
    lines = (line.split() for line in output.splitlines())
    return {(words[0], words[1]) for words in lines if len(words) >= 2}


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


if __name__ == "__main__":
    main()
