#!/usr/bin/python
"""Creates a host's key, and a certificate request if the host needs a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl

DOCUMENTATION = """
module: tls_request
short_description: Request a host's certificate
description:
  - Creates the host's key, which only root can read, if it does not exist.
  - Returns a certificate request if the current certificate is for another key, another CA or
    other names, or if it expires within three months.
options:
  folder:
    description: Folder of C(host.key) and C(host.crt).
    type: path
    required: true
  ca:
    description: Certificate of the signing CA, PEM. Empty in check mode on a new host.
    type: str
    required: true
  names:
    description: Names and addresses that the host is reached by.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Create a certificate request
  tls_request:
    folder: /etc/goplot/tls
    ca: "{{ __authority.certificate }}"
    names: [farmer1, 10.0.0.1]
"""

RETURN = """
request:
  description: The request, PEM. Empty if the host needs no certificate, and in check mode.
  type: str
  returned: always
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "folder": {"type": "path", "required": True},
        "ca": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    folder, ca = Path(module.params["folder"]), module.params["ca"]
    key, certificate = folder / "host.key", folder / "host.crt"
    names = module.params["names"]
    if key.exists() and ca and OpenSsl(module).serves(certificate, key, ca, names):
        module.exit_json(changed=False, request="")
    if module.check_mode:
        module.exit_json(changed=True, request="")
    openssl = OpenSsl(module)
    if not key.exists():
        openssl.make_key(key)
    module.exit_json(changed=True, request=openssl.request(key))


if __name__ == "__main__":
    main()
