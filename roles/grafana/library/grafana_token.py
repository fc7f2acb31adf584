#!/usr/bin/python
"""Creates a Grafana service account, and its token in a file that only root can read."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.goplot_http import Service, ServiceError
from ansible.module_utils.grafana_files import is_private, read_secret, write_secret

DOCUMENTATION = """
module: grafana_token
short_description: Create a service account and its token
description:
  - Creates the service account unless it exists, and a token unless the file holds one that Grafana
    accepts. Other tokens of the account are deleted when a new one is created.
  - Grafana shows a token once; it is written only to the file.
options:
  url:
    description: URL of Grafana.
    type: str
    required: true
  ca_path:
    description: The CA of Grafana's certificate; the system's CAs by default.
    type: path
  password_path:
    description: The file with the administrator's password.
    type: path
    required: true
  path:
    description: The file for the token.
    type: path
    required: true
  account:
    description: Name of the service account.
    type: str
    required: true
  role:
    description: Its role.
    type: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Create the service account for annotations
  grafana_token:
    url: http://localhost:3000
    password_path: /etc/goplot/grafana/admin_password
    path: /etc/goplot/grafana/annotations.token
    account: goplot-annotations
    role: Editor
"""

RETURN = ""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "url": {"type": "str", "required": True},
        "ca_path": {"type": "path"},
        "password_path": {"type": "path", "required": True, "no_log": False},
        "path": {"type": "path", "required": True},
        "account": {"type": "str", "required": True},
        "role": {"type": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=spec)
    try:
        changed = _have(module.params)
    except ServiceError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed)


def _have(parameters: dict[str, Any]) -> bool:
    url, ca_path, path = parameters["url"], parameters["ca_path"], Path(parameters["path"])
    password = read_secret(Path(parameters["password_path"]))
    admin = Service(url, ("admin", password), ca_path=ca_path)
    name, role = parameters["account"], parameters["role"]
    admin.accepts("/api/user")
    query = f"/api/serviceaccounts/search?perpage=1000&query={quote(name)}"
    found = [a for a in admin.take("GET", query)["serviceAccounts"] if a["name"] == name]
    if found:
        account, changed = found[0], found[0]["role"] != role
    else:
        account = admin.take("POST", "/api/serviceaccounts", {"name": name, "role": role})
        changed = True
    where = f"/api/serviceaccounts/{account['id']}"
    if found and changed:
        admin.take("PATCH", where, {"role": role})
    token = read_secret(path)
    if token:
        service = Service(url, token=token, ca_path=ca_path)
        if service.accepts(_NEEDED):
            if not is_private(path):
                write_secret(path, token)
                return True
            return changed
    # An interrupted run may have left a token that was not written to the file.
    for old in admin.take("GET", f"{where}/tokens"):
        admin.take("DELETE", f"{where}/tokens/{old['id']}")
    # Names are unique in the organisation: another account may have a token of any name.
    new = {"name": f"{name}-{secrets.token_hex(4)}"}
    write_secret(path, admin.take("POST", f"{where}/tokens", new)["key"])
    return True


#: Answers to every valid token.
_NEEDED = "/api/annotations?limit=1"


if __name__ == "__main__":
    main()
