#!/usr/bin/python
"""Makes the farm's CA where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl, replace

DOCUMENTATION = """
module: tls_authority
short_description: Make the farm's CA
description:
  - Makes a CA of a key, which only root reads, and a certificate, if either is missing.
  - Whoever wants a new CA removes both. Every host then gets a new certificate with the next run.
options:
  folder:
    description: Where C(ca.key) and C(ca.crt) are. It is made.
    type: path
    required: true
author: goplot
"""

EXAMPLES = """
- name: Make the farm's CA
  tls_authority:
    folder: /etc/goplot/tls
"""

RETURN = """
certificate:
  description: The CA's certificate, PEM. Empty in check mode where there is none yet.
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
