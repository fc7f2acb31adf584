#!/usr/bin/python
"""Writes the web configuration of a program that uses Prometheus' exporter-toolkit."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import replace
from ansible.module_utils.tls_web import LONGEST, hashed, read_users, rendered

DOCUMENTATION = """
module: tls_web_config
short_description: Write the web configuration of an exporter
description:
  - >-
    Writes the file described at https://prometheus.io/docs/prometheus/latest/configuration/https/,
    readable only by root. Passwords are hashed (bcrypt); an unchanged password keeps its hash.
  - With neither certificate nor users the file is removed.
options:
  path:
    description: The file.
    type: path
    required: true
  certificate:
    description: Path of the certificate for the program. Without it, TLS is off.
    type: path
  key:
    description: Path of its key for the program.
    type: path
  users:
    description: Password by user. Without users, no authentication is required.
    type: dict
    default: {}
author: goplot
"""

EXAMPLES = """
- name: Install the web configuration
  tls_web_config:
    path: /etc/prometheus/web.yml
    certificate: /etc/goplot/tls/host.crt
    key: /run/credentials/prometheus.service/tls.key
    users: {owner: secret}
  no_log: true
"""

RETURN = """
checksum:
  description: The certificate's SHA-256. Empty without TLS, and in check mode on a new host.
  type: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "path": {"type": "path", "required": True},
        "certificate": {"type": "path"},
        "key": {"type": "path", "no_log": False},
        "users": {"type": "dict", "default": {}, "no_log": True},
    }
    module = AnsibleModule(
        argument_spec=spec,
        required_together=[("certificate", "key")],
        supports_check_mode=True,
    )
    path, certificate = Path(module.params["path"]), module.params["certificate"]
    users = {str(user): str(password) for user, password in module.params["users"].items()}
    if any(not 0 < len(password.encode()) <= LONGEST for password in users.values()):
        module.fail_json(msg=f"a password must have from 1 to {LONGEST} bytes")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    stored = read_users(before)
    hashes = {user: hashed(password, stored.get(user)) for user, password in users.items()}
    after = rendered(certificate, module.params["key"], hashes) if certificate or users else ""
    mode_is_right = not before or path.stat().st_mode & 0o777 == 0o600
    changed = after != before or not mode_is_right
    if changed and not module.check_mode:
        if after:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            replace(path, after, 0o600)
        else:
            path.unlink()
    served = Path(certificate) if certificate else None
    checksum = sha256(served.read_bytes()).hexdigest() if served and served.exists() else ""
    module.exit_json(changed=changed, checksum=checksum)


if __name__ == "__main__":
    main()
