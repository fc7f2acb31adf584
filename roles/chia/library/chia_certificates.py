#!/usr/bin/python
"""Creates a harvester's private certificates, signed by the farmer's CA, with Chia's library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.chia_owner import acting_as

DOCUMENTATION = """
module: chia_certificates
short_description: Create a harvester's private certificates
description:
  - Does what C(chia init -c) does with the farmer's CA, with one difference: the CA's key, which
    opens every service of the farm, is used in memory and never written on the harvester.
  - The CA's certificate is written last, so that an interrupted run is repeated.
  - Run it with the Python of Chia's virtual environment.
options:
  root:
    description: CHIA_ROOT.
    type: path
    required: true
  ca_crt:
    description: The CA's certificate, PEM.
    type: str
    required: true
  ca_key:
    description: The CA's key, PEM.
    type: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Create the certificates
  chia_certificates:
    root: /var/lib/chia/mainnet
    ca_crt: "{{ __crt.content | b64decode }}"
    ca_key: "{{ __key.content | b64decode }}"
  no_log: true
"""

RETURN = ""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "root": {"type": "path", "required": True},
        "ca_crt": {"type": "str", "required": True},
        "ca_key": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if not module.check_mode:
        with acting_as("chia"):
            _make(Path(module.params["root"]), module.params["ca_crt"], module.params["ca_key"])
    module.exit_json(changed=True)


def _make(root: Path, crt: str, key: str) -> None:
    from chia.ssl.create_ssl import _all_private_node_names, generate_ssl_for_nodes

    folder = root / "config/ssl"
    generate_ssl_for_nodes(
        folder, crt.encode(), key.encode(), prefix="private", nodes=_all_private_node_names
    )
    # The harvester's own CA, created by chia init, is no longer used.
    (folder / "ca/private_ca.key").unlink(missing_ok=True)
    (folder / "ca/private_ca.crt").write_text(crt, encoding="ascii")


if __name__ == "__main__":
    main()
