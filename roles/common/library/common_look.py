#!/usr/bin/python
"""Looks at several paths."""

from __future__ import annotations

import grp
import hashlib
import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_look
short_description: Look at several paths
description:
  - Reports what each path is, all in one step. It changes nothing.
options:
  paths:
    description: The paths.
    type: list
    elements: path
    required: true
  contents:
    description: Whether the texts of files are returned, too.
    type: bool
    default: false
author: goplot
"""

EXAMPLES = """
- name: Look at the build and the certificate
  common_look:
    paths: [/opt/goplot/current, /etc/goplot/tls/host.crt]
"""

RETURN = """
paths:
  description:
    - By path, C(exists) (for a link, whether what it leads to does), C(target) of a link as it is
      written, C(source) of a link without the links on its way, C(group), and C(checksum)
      (SHA-256) of a file, and C(content) if that is asked. Each is empty where there is none.
  type: dict
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "paths": {"type": "list", "elements": "path", "required": True},
        "contents": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        found = {path: look(Path(path)) for path in module.params["paths"]}
        if module.params["contents"]:
            for path, one in found.items():
                one["content"] = Path(path).read_text(encoding="utf-8") if one["checksum"] else ""
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, paths=found)


def look(path: Path) -> dict[str, Any]:
    """What a path is. Raises OSError for a file that can't be read."""
    exists = path.exists()
    link = path.is_symlink()
    return {
        "exists": exists,
        "target": str(path.readlink()) if link else "",
        "source": os.path.realpath(path) if link else "",
        "group": _group(path.stat().st_gid) if exists else "",
        "checksum": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
    }


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


if __name__ == "__main__":
    main()
