#!/usr/bin/python
"""Writes the tunables that nobody but Ansible has changed, and reports which a person has tuned."""

from __future__ import annotations

import errno
import json
import os
import pwd
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: goplot_tunable_files
short_description: Write the tunables that nobody but Ansible has changed
description:
  - A record beside the settings keeps what Ansible wrote. A file with that value is Ansible's to
    change, or to remove once its tunable is no longer set; any other value is a person's and stays.
  - Without a record (a farm of goplot 0.1.0), a value that differs is taken for a person's.
options:
  config:
    description: Folder of the tunables.
    type: path
    required: true
  record:
    description: File that keeps what Ansible wrote.
    type: path
    required: true
  values:
    description: The value of each tunable, by its name.
    type: dict
    required: true
  reset:
    description: Whether values of a person are replaced too.
    type: bool
    default: false
  owner:
    description: Owner of the files; their group is the owner's own.
    type: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Set the tunables
  goplot_tunable_files:
    config: /etc/chia/goplot/config
    record: /etc/goplot/tunables.json
    values: {on_toggle: run, max_plots: 8}
    owner: goplot
"""

RETURN = """
kept:
  description: Each tunable that a person has tuned, with the values of host and inventory.
  type: list
  elements: str
  returned: success
"""

#: More than any valid value has.
_MOST_BYTES = 256


@dataclass(frozen=True)
class Plan:
    """What is written and removed, what stays though it differs, and the new record, by tunable."""

    write: dict[str, str] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    record: dict[str, str] = field(default_factory=dict)


def plan(
    values: Mapping[str, str], host: Mapping[str, str], record: Mapping[str, str], reset: bool
) -> Plan:
    """What to do with the files that `host` holds; `record` is what Ansible wrote."""
    found = Plan()
    for name, value in values.items():
        if name in host and not _same(host[name], value):
            tuned = name not in record or not _same(host[name], record[name])
            if tuned and not reset:
                found.kept[name] = host[name]
                if name in record:
                    found.record[name] = record[name]
                continue
            found.write[name] = value
        elif name not in host:
            found.write[name] = value
        found.record[name] = value
    for name in record.keys() - values.keys():
        if name in host and (reset or _same(host[name], record[name])):
            found.remove.append(name)
    return found


def _same(one: str, other: str) -> bool:
    """Whether two values mean the same: 100 is 100.0."""
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def read_record(path: Path) -> dict[str, str]:
    """What Ansible wrote, by tunable; nothing without a record that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(document, dict):
        return {}
    return {name: value for name, value in document.items() if isinstance(value, str)}


def read_values(config: Path, names: set[str]) -> dict[str, str]:
    """The values on the host, without the files that are not there."""
    found = {}
    for name in names:
        try:
            # The folder is not root's: a link in it could lead to any file, and a pipe would wait.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            number = os.open(config / f"{name}.goplot", flags)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            found[name] = "a link"
            continue
        with os.fdopen(number, "rb") as file:
            text = file.read(_MOST_BYTES) or b""
        found[name] = text.decode(errors="replace").strip()
    return found


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "config": {"type": "path", "required": True},
        "record": {"type": "path", "required": True},
        "values": {"type": "dict", "required": True},
        "reset": {"type": "bool", "default": False},
        "owner": {"type": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        result = _run(module)
    except (OSError, KeyError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def _run(module: AnsibleModule) -> dict[str, Any]:
    config, record = Path(module.params["config"]), Path(module.params["record"])
    values = {name: str(value) for name, value in module.params["values"].items()}
    before = read_record(record)
    host = read_values(config, {*values, *before})
    wanted = plan(values, host, before, module.params["reset"])
    if not module.check_mode:
        for name, value in wanted.write.items():
            _write(config / f"{name}.goplot", value + "\n", module.params["owner"])
        for name in wanted.remove:
            (config / f"{name}.goplot").unlink(missing_ok=True)
        # Last: what an interrupted run wrote is the inventory's value, which the next one records.
        if wanted.record != before:
            text = json.dumps(wanted.record, indent=2, sort_keys=True) + "\n"
            _write(record, text, "root")
    changes = {**wanted.write, **dict.fromkeys(wanted.remove, "no file")}
    return {
        "changed": bool(changes) or wanted.record != before,
        "kept": [
            f"{name} is {value} on the host and {values[name]} in the inventory"
            for name, value in sorted(wanted.kept.items())
        ],
        "diff": {
            "before": "".join(f"{name}: {host.get(name, 'no file')}\n" for name in sorted(changes)),
            "after": "".join(f"{name}: {changes[name]}\n" for name in sorted(changes)),
        },
    }


def _write(path: Path, text: str, owner: str) -> None:
    account = pwd.getpwnam(owner)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            # Through the descriptor: the folder's owner may have replaced the name by a link.
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
            os.fchmod(descriptor, 0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
