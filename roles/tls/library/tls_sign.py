#!/usr/bin/python
"""Signs a host's certificate with the farm's CA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl

DOCUMENTATION = """
module: tls_sign
short_description: Sign a host's certificate
description:
  - Signs the public key of a request for the names that the play gives; names in the request are
    ignored.
  - Changes nothing on the host of the CA.
options:
  folder:
    description: Folder of C(ca.key) and C(ca.crt).
    type: path
    required: true
  request:
    description: The request, PEM.
    type: str
    required: true
  names:
    description: Names and addresses that the certificate is valid for.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Sign the certificate
  tls_sign:
    folder: /etc/goplot/tls
    request: "{{ __request.request }}"
    names: [farmer1, 10.0.0.1]
  delegate_to: farmer1
"""

RETURN = """
certificate:
  description: The certificate, PEM.
  type: str
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "folder": {"type": "path", "required": True},
        "request": {"type": "str", "required": True},
        "names": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=spec)
    folder = Path(module.params["folder"])
    request, names = module.params["request"], module.params["names"]
    signed = OpenSsl(module).sign(request, names, folder / "ca.crt", folder / "ca.key")
    module.exit_json(changed=False, certificate=signed)


if __name__ == "__main__":
    main()
