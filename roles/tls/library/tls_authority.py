#!/usr/bin/python
"""Creates the farm's CA if it does not exist."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl, replace

DOCUMENTATION = """
module: tls_authority
short_description: Create the farm's CA
description:
  - Creates a CA, a key that only root can read and a certificate, if either is missing.
  - For a new CA remove both. Every host then gets a new certificate at the next run.
options:
  folder:
    description: Folder of C(ca.key) and C(ca.crt). It is created.
    type: path
    required: true
author: goplot
"""

EXAMPLES = """
- name: Create the farm's CA
  tls_authority:
    folder: /etc/goplot/tls
"""

RETURN = """
certificate:
  description: The CA's certificate, PEM. Empty in check mode if it does not exist yet.
  type: str
  returned: always
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {"folder": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    folder = Path(module.params["folder"])
    key, certificate = folder / "ca.key", folder / "ca.crt"
    missing = not (key.exists() and certificate.exists())
    if missing and not module.check_mode:
        if not shutil.which("openssl"):
            module.fail_json(msg="openssl is not installed yet: run the play for the farmer too")
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        openssl = OpenSsl(module)
        openssl.make_key(key)
        replace(certificate, openssl.make_authority(key), 0o644)
    text = certificate.read_text(encoding="ascii") if certificate.exists() else ""
    module.exit_json(changed=missing, certificate=text)


if __name__ == "__main__":
    main()
