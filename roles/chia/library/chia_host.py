#!/usr/bin/python
"""Checks whether a host can run the releases of Chia that are locked."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: chia_host
short_description: Check whether a host can run Chia
description:
  - Fails with everything that a host lacks for an installation of Chia, of what the locks are made
    for (tests/tools/chia_lock.py). Run it with the host's own Python.
options:
  path:
    description: Where Chia will be installed.
    type: path
    required: true
author: goplot
"""

EXAMPLES = """
- name: Check that this host can run Chia
  chia_host: {path: /opt/chia}
"""

RETURN = """#"""

_PYTHON = (3, 11)
_MACHINES = ("x86_64", "aarch64")
#: Of the wheels of Chia's own libraries.
_GLIBC = (2, 28)
#: An environment takes 250 MB, and what pip downloads and unpacks for it as much again.
_BYTES = 700_000_000


def lacks(python: tuple[int, int], machine: str, libc: tuple[str, str], free: int) -> list[str]:
    """What is missing; `libc` as platform.libc_ver() has it, `free` in bytes."""
    found = []
    if python < _PYTHON:
        found.append(f"Python {_text(_PYTHON)} or newer (it has {_text(python)})")
    if machine not in _MACHINES:
        found.append(f"a processor of {' or '.join(_MACHINES)} (it has {machine})")
    name, version = libc
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    if name != "glibc" or numbers < _GLIBC:
        found.append(f"glibc {_text(_GLIBC)} or newer (it has {name or 'another'} {version})")
    if free < _BYTES:
        found.append(f"{_BYTES // 10**6} MB of free space (it has {free // 10**6} MB)")
    return found


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True
    )
    folder = Path(module.params["path"])
    while not folder.exists():
        folder = folder.parent
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    found = lacks(sys.version_info[:2], platform.machine(), platform.libc_ver(), free)
    if found:
        module.fail_json(msg=f"Chia in {module.params['path']} needs {'; '.join(found)}.")
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
