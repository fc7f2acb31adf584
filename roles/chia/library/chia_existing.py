#!/usr/bin/python
"""Takes over a Chia that goplot did not install, or leaves it, as its owner chose."""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common_chia_choice import (
    FOLDER,
    Host,
    Plan,
    Wanted,
    plan,
    units_to_save,
    units_to_stop,
)
from ansible.module_utils.common_chia_found import (
    OWN_UNITS,
    Found,
    closed_to_chia,
    look,
    readable_for_chia,
    unmounted,
    users,
    written_by_goplot,
)
from ansible.module_utils.common_ending import MARK, comment_out, end

DOCUMENTATION = """
module: chia_existing
short_description: Take over a Chia that goplot did not install, or leave it
description:
  - Looks for services, units, cron lines and folders of Chia that are not goplot's.
  - With O(choice=adopt) the services are stopped in order, and folder and keyring become those of
    goplot. They are renamed where that is possible; a folder on another file system stays there and
    is mounted at O(root). Before the first change the way back is written to /etc/goplot/adopted,
    as a script.
  - In check mode it only looks. Otherwise a plan that can't be carried out fails, with nothing
    changed.
options:
  choice:
    description: What the owner chose.
    type: str
    choices: [refuse, adopt, leave]
    required: true
  root:
    description: CHIA_ROOT of goplot's Chia.
    type: path
    required: true
  keys_root:
    description: CHIA_KEYS_ROOT of goplot's Chia.
    type: path
    required: true
  network:
    description: The network.
    type: str
    required: true
  services:
    description: The services of Chia that goplot runs on this host.
    type: list
    elements: str
    required: true
  existing_root:
    description: The CHIA_ROOT that is taken over, where it can't be found or there are several.
    type: str
    default: ""
  database:
    description: The folder of the blockchain's database, where it is not in O(root).
    type: str
    default: ""
author: goplot
"""

EXAMPLES = """
- name: Take over the Chia that is there
  chia_existing:
    choice: adopt
    root: /var/lib/chia/mainnet
    keys_root: /var/lib/chia/keys
    network: mainnet
    services: [daemon, harvester]
"""

RETURN = """
adopted:
  description: The CHIA_ROOT that is taken over; empty if there is none.
  type: str
  returned: success
user:
  description: The user of the Chia that is left, empty if there is none.
  type: str
  returned: success
"""

_SYSTEM = Path("/etc/systemd/system")


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "choice": {"type": "str", "choices": ["refuse", "adopt", "leave"], "required": True},
        "root": {"type": "path", "required": True},
        "keys_root": {"type": "path", "required": True, "no_log": False},
        "network": {"type": "str", "required": True},
        "services": {"type": "list", "elements": "str", "required": True},
        "existing_root": {"type": "str", "default": ""},
        "database": {"type": "str", "default": ""},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    wanted = Wanted(**{**module.params, "services": tuple(module.params["services"])})
    found = look(wanted.network, wanted.root, users(), wanted.existing_root)
    todo = plan(found, wanted, Host(os.path.exists, readable_for_chia, closed_to_chia, unmounted))
    if todo.refused and not module.check_mode:
        module.fail_json(msg=" ".join(todo.refused))
    changed = not todo.refused and bool(todo.adopted or todo.stops)
    if changed and not module.check_mode:
        try:
            _Takeover(module, found, wanted, todo).run()
        except (OSError, RuntimeError) as error:
            module.fail_json(
                msg=f"{error}. Nothing is lost: repeat the run, or go back by {FOLDER}/way-back."
            )
    module.exit_json(
        changed=changed,
        adopted=todo.adopted.path if todo.adopted else "",
        user=next((one.user for one in found.roots if one.path == wanted.root), ""),
    )


class _Takeover:
    """Stops what runs, then moves what there is. An interrupted run is repeated."""

    def __init__(self, module: AnsibleModule, found: Found, wanted: Wanted, todo: Plan) -> None:
        self._module = module
        self._found = found
        self._wanted = wanted
        self._root = todo.adopted
        # goplot's own may have been started beside it: it never answered.
        self._own = [name for name in sorted(OWN_UNITS) if _is_ours(_SYSTEM / name)]

    def run(self) -> None:
        """Raises OSError, or RuntimeError for what does not stop."""
        self._write_way_back()
        for name in self._own:
            self._systemctl("stop", name)
        self._stop()
        self._save_units()
        if root := self._root:
            chia = pwd.getpwnam("chia")
            if root.keys and Path(root.keys).is_dir():
                self._adopt_folder(Path(root.keys), Path(self._wanted.keys_root), chia)
            for path in root.outside:
                _own_outside(Path(path), chia)
            # Last: until it has moved, the next run does all of it again.
            self._adopt_folder(Path(root.path), Path(self._wanted.root), chia)

    def _stop(self) -> None:
        for unit, manager in units_to_stop(self._found):
            self._systemctl("disable", unit, manager=manager)
            self._systemctl("stop", unit, manager=manager)
        for one in self._found.cron:
            comment_out(one)
        for process in self._found.services:
            if not process.container:
                end(process.pid, process.name)

    def _save_units(self) -> None:
        for file in map(Path, units_to_save(self._found)):
            shutil.move(file, Path(FOLDER) / file.name)
            drop_ins = file.with_name(f"{file.name}.d")
            if drop_ins.is_dir():
                shutil.move(drop_ins, Path(FOLDER) / drop_ins.name)
        self._systemctl("daemon-reload")

    def _adopt_folder(self, source: Path, target: Path, chia: pwd.struct_passwd) -> None:
        _own_all(source, chia)
        if source == target:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and (target.is_mount() or not any(target.iterdir())):
            pass
        elif target.exists():
            target.rename(_unused(target))
        if not target.exists() or not any(target.iterdir()):
            with contextlib.suppress(OSError):
                target.rmdir()
            try:
                source.rename(target)
                return
            except OSError as error:
                if error.errno != 18:  # EXDEV: it is on another file system
                    raise
        self._mount(source, target, chia)

    def _mount(self, source: Path, target: Path, chia: pwd.struct_passwd) -> None:
        target.mkdir(exist_ok=True)
        os.chown(target, chia.pw_uid, chia.pw_gid)
        escaped = ["systemd-escape", "--path", "--suffix=mount", str(target)]
        unit = self._run(escaped).strip()
        (_SYSTEM / unit).write_text(_mount_unit(source, target), encoding="utf-8")
        self._systemctl("daemon-reload")
        self._run(["systemctl", "enable", "--now", unit])

    def _write_way_back(self) -> None:
        folder = Path(FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        file = folder / "way-back"
        if file.exists():
            # An interrupted run wrote it, when more was there.
            return
        text = "\n".join(self._way_back()) + "\n"
        if self._root:
            config = Path(self._root.path) / "config/config.yaml"
            shutil.copy2(config, folder / "config.yaml")
        file.write_text(text, encoding="utf-8")
        file.chmod(0o700)

    def _way_back(self) -> Iterator[str]:
        q = shlex.quote
        yield "#!/bin/sh"
        yield "# The way back to the Chia that goplot took over: set chia_existing to leave and"
        yield "# chia_root to its folder in the inventory, then run this as root."
        yield "set -eu"
        for name in ("wallet", "farmer", "harvester", "full-node", "daemon"):
            yield f"systemctl disable --now chia-{name}.service 2>/dev/null || true"
            yield f"rm -f /etc/systemd/system/chia-{name}.service"
        if root := self._root:
            target = self._wanted.root
            yield from _moved_back(Path(root.path), target)
            yield f"cp {FOLDER}/config.yaml {q(root.path)}/config/config.yaml"
            yield from _owned_back(Path(root.path))
            if root.keys and Path(root.keys).is_dir():
                yield from _moved_back(Path(root.keys), self._wanted.keys_root)
                yield from _owned_back(Path(root.keys))
            for path in root.outside:
                if Path(path).exists():
                    owner = Path(path)
                    files = f"{q(path)}*" if owner.is_file() else q(path)
                    yield f"chown -R {owner.owner()}:{owner.group()} {files}"
                    if owner.is_file():
                        folder = owner.parent
                        yield f"chown {folder.owner()}:{folder.group()} {q(str(folder))}"
                        yield f"chmod {folder.stat().st_mode & 0o7777:o} {q(str(folder))}"
        for file in map(Path, units_to_save(self._found)):
            yield f"mv {FOLDER}/{file.name} {file}"
            yield f"[ ! -d {FOLDER}/{file.name}.d ] || mv {FOLDER}/{file.name}.d {file}.d"
        yield "systemctl daemon-reload"
        for one in self._found.cron:
            yield f"# Take the mark '{MARK}' off this line in {one.file}: {one.line}"
        units = units_to_stop(self._found)
        for unit, manager in reversed(units):
            yield " ".join(map(q, _systemctl(manager, "enable", "--now", unit)))
        if self._found.services and not units:
            user = self._found.services[0].user
            yield f"# Start it as user {user}, as before: chia start ..."
        yield 'mv "$0" "$0.done"'

    def _systemctl(self, command: str, *units: str, manager: str = "") -> None:
        self._run(_systemctl(manager, command, *units), check=False)

    def _run(self, command: list[str], check: bool = True) -> str:
        output: str = self._module.run_command(command, check_rc=check)[1]
        return output


def _systemctl(manager: str, *arguments: str) -> list[str]:
    if not manager:
        return ["systemctl", *arguments]
    runtime = f"XDG_RUNTIME_DIR=/run/user/{pwd.getpwnam(manager).pw_uid}"
    return ["runuser", "-u", manager, "--", "env", runtime, "systemctl", "--user", *arguments]


def _moved_back(source: Path, target: str) -> Iterator[str]:
    if str(source) == target:
        return
    to, back = shlex.quote(target), shlex.quote(str(source))
    yield f"if [ -e {back} ]; then"
    yield f"  unit=$(systemd-escape --path --suffix=mount {to})"
    yield '  systemctl disable --now "$unit"; rm -f "/etc/systemd/system/$unit"'
    yield f"else mv {to} {back}; fi"


def _owned_back(source: Path) -> Iterator[str]:
    yield f"chown -R {source.owner()}:{source.group()} {shlex.quote(str(source))}"


def _mount_unit(source: Path, target: Path) -> str:
    return (
        "# Written by goplot: the folder of Chia stays on its own file system.\n"
        f"[Unit]\nDescription=Chia's folder at {target}\n\n"
        f"[Mount]\nWhat={source}\nWhere={target}\nType=none\nOptions=bind\n\n"
        "[Install]\nWantedBy=local-fs.target\n"
    )


def _own_all(folder: Path, chia: pwd.struct_passwd) -> None:
    """Like chown -R, which follows no links."""
    for top, names, files in os.walk(folder):
        for path in (Path(top), *(Path(top) / name for name in (*names, *files))):
            os.chown(path, chia.pw_uid, chia.pw_gid, follow_symlinks=False)


def _own_outside(path: Path, chia: pwd.struct_passwd) -> None:
    """Makes what lies outside of CHIA_ROOT Chia's: a folder, or a file and those beside it.

    SQLite puts others beside a database, under names that begin with its name.
    """
    if path.is_dir():
        _own_all(path, chia)
    elif path.exists():
        for file in path.parent.glob(f"{path.name}*"):
            os.chown(file, chia.pw_uid, chia.pw_gid)
        # The folder may hold other things: its owner keeps it.
        os.chown(path.parent, -1, chia.pw_gid)
        path.parent.chmod(path.parent.stat().st_mode | 0o070)


def _unused(path: Path) -> Path:
    number = 1
    while path.with_name(f"{path.name}.before-{number}").exists():
        number += 1
    return path.with_name(f"{path.name}.before-{number}")


def _is_ours(file: Path) -> bool:
    try:
        return written_by_goplot(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


if __name__ == "__main__":
    main()
