#!/usr/bin/python
"""Makes the given directories, files and links."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: common_files
short_description: Make the given directories, files and links
description:
  - Makes directories, then files, then links, in their order, all in one step. A file is replaced
    as a whole, once its owner and mode are set.
  - The differences of files that not everyone may read are not shown.
options:
  directories:
    description: The directories. Their parents are created with default attributes.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: The directory., type: path, required: true}
      owner: {description: Its user., type: str, default: root}
      group: {description: Its group., type: str, default: root}
      mode: {description: Its mode., type: str, default: "0755"}
      files:
        description: The text of its files, by name. They have the directory's owner and group.
        type: dict
        default: {}
      file_mode: {description: Mode of these files., type: str, default: "0644"}
      exclusive: {description: Whether other files in it are removed., type: bool, default: false}
      validate: {description: As for a file., type: str}
  files:
    description: The files. Their directories must exist, except in check mode.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: The file., type: path, required: true}
      content: {description: Its text., type: str, required: true}
      owner: {description: Its user., type: str, default: root}
      group: {description: Its group., type: str, default: root}
      mode: {description: Its mode., type: str, default: "0644"}
      validate:
        description:
          - A command that fails for an invalid file; C(%s) is the file. In check mode it is left
            out where its program is not installed yet.
        type: str
  links:
    description: Symbolic links.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: The link., type: path, required: true}
      target: {description: Where it leads., type: str, required: true}
  absent:
    description: Files that are removed.
    type: list
    elements: path
    default: []
author: goplot
"""

EXAMPLES = """
- name: Configure scraping
  common_files:
    directories:
      - {path: /etc/prometheus/rules, files: {farm.yml: "groups: []"}, exclusive: true}
    files:
      - path: /etc/prometheus/prometheus.yml
        content: "{{ lookup('ansible.builtin.template', 'prometheus.yml.j2') }}"
        validate: promtool check config %s
"""

RETURN = """
changed_paths:
  description: What was changed, or would be in check mode.
  type: list
  elements: str
  returned: success
"""

_OWNED = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}


def main() -> None:
    """Runs the module."""
    directory: dict[str, Any] = {
        **_OWNED,
        "mode": {"type": "str", "default": "0755"},
        "files": {"type": "dict", "default": {}},
        "file_mode": {"type": "str", "default": "0644"},
        "exclusive": {"type": "bool", "default": False},
        "validate": {"type": "str"},
    }
    file: dict[str, Any] = {
        **_OWNED,
        "content": {"type": "str", "required": True},
        "mode": {"type": "str", "default": "0644"},
        "validate": {"type": "str"},
    }
    link: dict[str, Any] = {
        "path": {"type": "path", "required": True},
        "target": {"type": "str", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            **{
                name: {"type": "list", "elements": "dict", "default": [], "options": options}
                for name, options in (("directories", directory), ("files", file), ("links", link))
            },
            "absent": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    step = _Step(module)
    try:
        for one in module.params["directories"]:
            step.directory(one)
        for one in module.params["files"]:
            step.file(one)
        for one in module.params["links"]:
            step.link(Path(one["path"]), one["target"])
        for one in module.params["absent"]:
            step.remove(Path(one))
    except OSError as error:
        module.fail_json(msg=str(error), changed_paths=step.paths)
    module.exit_json(changed=bool(step.paths), changed_paths=step.paths, diff=step.differences)


class _Step:
    """What one run of the module does; in check mode, what it would do."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.paths: list[str] = []
        self.differences: list[dict[str, str]] = []

    def directory(self, wanted: dict[str, Any]) -> None:
        path = Path(wanted["path"])
        made = not path.is_dir()
        if made and not self._module.check_mode:
            path.mkdir(parents=True, exist_ok=True)
        if self._own(path, wanted) or made:
            self.paths.append(str(path))
        files = wanted["files"]
        for name, text in sorted(files.items()):
            own = {"content": str(text), "mode": wanted["file_mode"]}
            self.file({**wanted, **own, "path": path / name})
        for other in sorted(path.glob("*")) if wanted["exclusive"] else ():
            if other.is_file() and other.name not in files:
                self.remove(other)

    def file(self, wanted: dict[str, Any]) -> None:
        path, text = Path(wanted["path"]), wanted["content"]
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a directory, not a file: move it away")
        before = path.read_bytes() if path.is_file() else None
        if before == text.encode():
            if self._own(path, wanted):
                self.paths.append(str(path))
            return
        if not self._module.check_mode or wanted["validate"]:
            self._write(path, wanted)
        self._changed(path, before or b"", text, int(wanted["mode"], 8))

    def link(self, path: Path, target: str) -> None:
        if path.is_symlink():
            if str(path.readlink()) == target:
                return
        elif path.exists() and not self._module.check_mode:
            raise FileExistsError(f"{path} is not a link: move it away")
        self.paths.append(str(path))
        if not self._module.check_mode:
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
                new = Path(folder) / path.name
                new.symlink_to(target)
                new.replace(path)

    def remove(self, path: Path) -> None:
        if path.is_symlink() or path.exists():
            before = path.read_bytes() if path.is_file() else b""
            self._changed(path, before, "", path.lstat().st_mode)
            if not self._module.check_mode:
                path.unlink()

    def _write(self, path: Path, wanted: dict[str, Any]) -> None:
        check = self._module.check_mode
        folder = self._module.tmpdir if check else path.parent
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".new")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(wanted["content"].encode())
            command = wanted["validate"]
            if command and not (check and shutil.which(shlex.split(command)[0]) is None):
                self._module.run_command(command % shlex.quote(name), check_rc=True)
            if not check:
                self._own(Path(name), wanted)
                Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)

    def _own(self, path: Path, wanted: dict[str, Any]) -> bool:
        """Set owner, group and mode; whether they were others."""
        if self._module.check_mode and not (path.exists() and _known(wanted)):
            # On a new host neither the directory nor the user is there yet.
            return True
        attributes = {key: wanted[key] for key in ("owner", "group", "mode")}
        common = self._module.load_file_common_arguments(attributes, path=str(path))
        return bool(self._module.set_fs_attributes_if_different(common, False))

    def _changed(self, path: Path, before: bytes, after: str, mode: int) -> None:
        self.paths.append(str(path))
        if mode & 0o004:
            text = before.decode(errors="replace")
            header = {"before_header": str(path), "after_header": str(path)}
            self.differences.append({"before": text, "after": after, **header})


def _known(wanted: dict[str, Any]) -> bool:
    try:
        pwd.getpwnam(wanted["owner"])
        grp.getgrnam(wanted["group"])
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    main()
