#!/usr/bin/python
"""Sets the inventory's password for Grafana's administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.goplot_http import Service, ServiceError
from ansible.module_utils.grafana_files import read_secret, write_secret

DOCUMENTATION = """
module: grafana_password
short_description: Set the inventory's password for Grafana's administrator
description:
  - Grafana reads the password from its configuration only at its first start. This changes it
    later, through the API, and in the file that holds it.
  - Fails if Grafana accepts neither the file's password nor the inventory's.
options:
  url:
    description: URL of Grafana.
    type: str
    required: true
  ca_path:
    description: The CA of Grafana's certificate; the system's CAs by default.
    type: path
  path:
    description: The file with Grafana's current password.
    type: path
    required: true
  password:
    description: The new password. Empty for that of the file.
    type: str
    default: ""
  wait_seconds:
    description: How long Grafana may take until it answers.
    type: int
    default: 0
author: goplot
"""

EXAMPLES = """
- name: Set the administrator's password
  grafana_password:
    url: http://localhost:3000
    path: /etc/goplot/grafana/admin_password
    password: "{{ vault_grafana_admin_password }}"
  no_log: true
"""

RETURN = ""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "url": {"type": "str", "required": True},
        "ca_path": {"type": "path"},
        "path": {"type": "path", "required": True},
        "password": {"type": "str", "default": "", "no_log": True},
        "wait_seconds": {"type": "int", "default": 0},
    }
    module = AnsibleModule(argument_spec=spec)
    try:
        changed = _change(module.params)
    except ServiceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


def _change(parameters: dict[str, Any]) -> bool:
    path = Path(parameters["path"])
    held = read_secret(path)
    wanted = parameters["password"] or held

    Service(parameters["url"], ca_path=parameters["ca_path"]).wait(
        "/api/health", parameters["wait_seconds"]
    )

    def login(password: str) -> Service:
        return Service(parameters["url"], ("admin", password), ca_path=parameters["ca_path"])

    def accepts(password: str) -> bool:
        return login(password).accepts("/api/user")

    if accepts(wanted):
        if wanted == held:
            return False
    elif wanted == held or not accepts(held):
        raise ServiceError(
            f"Grafana rejects the password in {path}: if somebody changed it in Grafana,"
            " write the new one to that file, or to grafana_admin_password in the inventory."
            " After five wrong logins Grafana rejects every password for five minutes."
        )
    else:
        change = {"oldPassword": held, "newPassword": wanted, "confirmNew": wanted}
        login(held).take("PUT", "/api/user/password", change)
    write_secret(path, wanted)
    return True


if __name__ == "__main__":
    main()
