#!/usr/bin/python
"""Adds a key to Chia's keyring, through Chia's own library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.chia_owner import acting_as

DOCUMENTATION = """
module: chia_key
short_description: Add a key to Chia's keyring
description:
  - Adds the key of a mnemonic unless the keyring contains it, and lets Chia write its public keys
    and first addresses to the configuration, as C(chia keys add) does.
  - The mnemonic appears on no command line, in no environment and in no file except Chia's keyring.
  - Run it with the Python of Chia's virtual environment.
options:
  root:
    description: CHIA_ROOT.
    type: path
    required: true
  keys_root:
    description: CHIA_KEYS_ROOT.
    type: path
    required: true
  mnemonic:
    description: The mnemonic words.
    type: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Add the farmer's key
  chia_key:
    root: /var/lib/chia/mainnet
    keys_root: /var/lib/chia/keys
    mnemonic: "{{ vault_mnemonic }}"
  no_log: true
"""

RETURN = """
fingerprint:
  description: Fingerprint of the key.
  type: int
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "root": {"type": "path", "required": True},
        "keys_root": {"type": "path", "required": True},
        "mnemonic": {"type": "str", "required": True, "no_log": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    with acting_as("chia"):
        result = _run(module)
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(**result)


def _run(module: AnsibleModule) -> dict[str, Any]:
    os.environ["CHIA_KEYS_ROOT"] = module.params["keys_root"]
    from chia.cmds.init_funcs import check_keys
    from chia.util.config import load_config
    from chia.util.keychain import Keychain, mnemonic_to_seed, set_keys_root_path
    from chia.wallet.derive_keys import master_sk_to_pool_sk
    from chia_rs import AugSchemeMPL

    set_keys_root_path(Path(module.params["keys_root"]))
    if Keychain.is_keyring_locked():
        return {
            "msg": "Chia's keyring has a passphrase: add the key with sudo goplot chia keys add."
        }
    root = Path(module.params["root"])
    keychain = Keychain()
    words = " ".join(module.params["mnemonic"].split())
    try:
        key = AugSchemeMPL.key_gen(mnemonic_to_seed(words))
    except ValueError:
        return {"msg": "The mnemonic is invalid: a word is misspelt, missing or misplaced."}
    public = key.get_g1()
    fingerprints = [one.get_fingerprint() for one in keychain.get_all_public_keys()]
    missing = public.get_fingerprint() not in fingerprints
    pool = bytes(master_sk_to_pool_sk(key).get_g1()).hex()
    unknown = pool not in load_config(root, "config.yaml")["farmer"]["pool_public_keys"]
    if not module.check_mode:
        if missing:
            keychain.add_key(words)
        if missing or unknown:
            check_keys(root, keychain)
    return {"changed": missing or unknown, "fingerprint": public.get_fingerprint()}


if __name__ == "__main__":
    main()
