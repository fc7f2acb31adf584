#!/usr/bin/python
"""Makes a host's key, and the request for a certificate where the host needs one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl

DOCUMENTATION = """
module: tls_request
short_description: Ask for a host's certificate
description:
  - Makes the host's key, which only root reads, where there is none.
  - Returns a request for a certificate if the one that is there is of another key, of another CA or
    of other names, or if it ends within three months.
options:
  folder:
    description: Where C(host.key) and C(host.crt) are.
    type: path
    required: true
  ca:
    description: Certificate of the CA that is to sign, PEM. Empty in check mode on a blank host.
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
- name: Ask for a certificate
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
