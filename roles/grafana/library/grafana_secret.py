#!/usr/bin/python
"""Stores a secret in a file that only root can read."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.grafana_files import is_private, read_secret, write_secret

DOCUMENTATION = """
module: grafana_secret
short_description: Store a secret in a file that only root can read
description:
  - Writes the given secret or, without one, a new one of 32 random characters. A file that
    already holds a secret keeps it.
  - The secret appears in no module result, on no command line and in no other file.
options:
  path:
    description: The file. Its folder is created, for root alone.
    type: path
    required: true
  first:
    description: The secret for a new file. Empty for a random one.
    type: str
    default: ""
  lasting:
    description: Whether it is an error if C(first) differs from the file's content.
    type: bool
    default: false
author: goplot
"""

EXAMPLES = """
- name: Create a password
  grafana_secret:
    path: /etc/goplot/grafana/admin_password
  no_log: true
"""

RETURN = ""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "path": {"type": "path", "required": True},
        "first": {"type": "str", "default": "", "no_log": True},
        "lasting": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    path = Path(module.params["path"])
    held, first = read_secret(path), module.params["first"]
    if module.params["lasting"] and held and first not in ("", held):
        module.fail_json(
            msg=f"{path} holds a different secret than the inventory. Grafana can't read what it"
            " encrypted with the old one: put that one in the inventory, or none."
        )
    wanted = held or first or secrets.token_urlsafe(24)
    changed = wanted != held or not is_private(path)
    if changed and not module.check_mode:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, wanted)
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
