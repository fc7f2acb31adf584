#!/usr/bin/python
"""Installs the CA's certificate, and requests a certificate where the host needs one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.tls_openssl import OpenSsl, replace

DOCUMENTATION = """
module: tls_request
short_description: Install the CA's certificate and request the host's
description:
  - Installs the certificate of the CA as C(ca.crt), readable for everyone.
  - Creates the host's key, which only root can read, if it does not exist.
  - Returns a certificate request if the current certificate is for another key, another CA or
    other names, or if it expires within three months.
options:
  folder:
    description: Folder of C(ca.crt), C(host.key) and C(host.crt). It and its parent are created.
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
    installed = _install_ca(module, folder, ca)
    if key.exists() and ca and OpenSsl(module).serves(certificate, key, ca, names):
        module.exit_json(changed=installed, request="")
    if module.check_mode:
        module.exit_json(changed=True, request="")
    openssl = OpenSsl(module)
    if not key.exists():
        openssl.make_key(key)
    module.exit_json(changed=True, request=openssl.request(key))


def _install_ca(module: AnsibleModule, folder: Path, ca: str) -> bool:
    """Put folder and certificate of the CA right. Returns whether anything changed."""
    path = folder / "ca.crt"
    changed = ca != (path.read_text(encoding="utf-8") if path.is_file() else "")
    if changed and not module.check_mode:
        folder.mkdir(parents=True, exist_ok=True)
        replace(path, ca, 0o644)
    wanted = ((folder.parent, "0755"), (folder, "0755"), (path, "0644"))
    for one, mode in wanted:
        if one.exists():
            attributes = {"owner": "root", "group": "root", "mode": mode}
            common = module.load_file_common_arguments(attributes, path=str(one))
            changed |= module.set_fs_attributes_if_different(common, False)
    return changed


if __name__ == "__main__":
    main()
