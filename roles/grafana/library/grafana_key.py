#!/usr/bin/python
"""Keeps the current signing key of an apt repository."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.error import URLError

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.grafana_files import write_public
from ansible.module_utils.urls import open_url

DOCUMENTATION = """
module: grafana_key
short_description: Keep the current signing key of an apt repository
description:
  - Keys expire and are replaced, so the vendor's current key is fetched. While the vendor can't be
    reached, or answers with something else, an installed key is kept, with a warning.
  - In check mode nothing is fetched.
options:
  url:
    description: Where the key is.
    type: str
    required: true
  path:
    description: The file for it, readable for everyone. Its folder is created.
    type: path
    required: true
  only_with:
    description: A file, such as the source that is signed with the key. Without it nothing is done.
    type: path
author: goplot
"""

EXAMPLES = """
- name: Renew the key
  grafana_key:
    url: https://apt.grafana.com/gpg-full.key
    path: /etc/apt/keyrings/grafana.asc
"""

RETURN = """
looked:
  description: Whether the key was fetched or kept, which C(only_with) may prevent.
  type: bool
  returned: success
"""

_BEGIN = "BEGIN PGP PUBLIC KEY BLOCK"
_TRIES = 3
_PAUSE = 2.0


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "url": {"type": "str", "required": True},
        "path": {"type": "path", "required": True, "no_log": False},
        "only_with": {"type": "path"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    path, only_with = Path(module.params["path"]), module.params["only_with"]
    if only_with and not Path(only_with).exists():
        module.exit_json(changed=False, looked=False)
    held = path.read_text(encoding="utf-8") if path.is_file() else ""
    if module.check_mode:
        module.exit_json(changed=not held, looked=True)
    try:
        key = _fetch(module.params["url"])
    except ValueError as error:
        if not held:
            module.fail_json(msg=str(error))
        module.warn(
            f"{error}. The key that is here is kept. While the repository is away, Ansible's apt "
            "can update nothing on this host."
        )
        key = held
    changed = key != held or path.stat().st_mode & 0o777 != 0o644
    if changed:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_public(path, key)
    module.exit_json(changed=changed, looked=True)


def _fetch(url: str) -> str:
    """The key. Raises ValueError without one."""
    reason = "it is something else"
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE)
        try:
            text: str = open_url(url, timeout=30).read().decode("utf-8", "replace")
        except (URLError, OSError) as error:
            reason = str(error)
        else:
            if _BEGIN in text:
                return text
    raise ValueError(f"{url} does not answer with a key: {reason}")


if __name__ == "__main__":
    main()
