#!/usr/bin/python
"""Makes a folder hold the given files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_folder
short_description: Make a folder hold the given files
description:
  - Creates the folder and its files, all in one step. A file is replaced as a whole, once its
    owner and mode are set.
options:
  path:
    description: The folder.
    type: path
    required: true
  files:
    description: The text of each file, by its name.
    type: dict
    required: true
  exclusive:
    description: Whether other files in the folder are removed.
    type: bool
    default: false
  folder_mode:
    description: Mode of the folder.
    type: str
    default: "0755"
  validate:
    description: A command that fails for an invalid file; C(%s) is the file.
    type: str
extends_documentation_fragment: files
author: goplot
"""

EXAMPLES = """
- name: Install the rules
  common_folder:
    path: /etc/prometheus/rules
    files: {farm.yml: "groups: []"}
    owner: root
    group: root
    mode: "0644"
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "path": {"type": "path", "required": True},
        "files": {"type": "dict", "required": True},
        "exclusive": {"type": "bool", "default": False},
        "folder_mode": {"type": "str", "default": "0755"},
        "validate": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, add_file_common_args=True)
    try:
        result = _run(module, Path(module.params["path"]))
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def _run(module: AnsibleModule, folder: Path) -> dict[str, Any]:
    changed = not folder.is_dir()
    if not module.check_mode:
        folder.mkdir(parents=True, exist_ok=True)
    if folder.is_dir():
        changed |= _set_attributes(module, folder, module.params["folder_mode"])
    differences = []
    files = {name: str(text) for name, text in module.params["files"].items()}
    for name, text in sorted(files.items()):
        path = folder / name
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        if before != text or not path.is_file():
            differences.append(_difference(path, before, text))
            if not module.check_mode:
                _write(module, path, text)
        elif _set_attributes(module, path, module.params["mode"]):
            changed = True
    others = sorted(path for path in folder.glob("*") if path.is_file())
    for path in others if module.params["exclusive"] else ():
        if path.name not in files:
            text = path.read_text(encoding="utf-8", errors="replace")
            differences.append(_difference(path, text, ""))
            if not module.check_mode:
                path.unlink()
    return {"changed": changed or bool(differences), "diff": differences}


def _set_attributes(module: AnsibleModule, path: Path, mode: str | None) -> bool:
    common = module.load_file_common_arguments(module.params, path=str(path))
    changed: bool = module.set_fs_attributes_if_different({**common, "mode": mode}, False)
    return changed


def _difference(path: Path, before: str, after: str) -> dict[str, str]:
    header = str(path)
    return {"before": before, "after": after, "before_header": header, "after_header": header}


def _write(module: AnsibleModule, path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if module.params["validate"]:
            module.run_command(module.params["validate"] % name, check_rc=True)
        _set_attributes(module, Path(name), module.params["mode"])
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
