"""Values of roles, as Ansible renders them for the hosts of an inventory."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.playbook import PROJECT, run_ansible

ROLES = PROJECT / "roles"


def rendered(
    folder: Path, inventory: Mapping[str, Any], roles: Sequence[str], values: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """By host, what each template of `values` is in a play of these roles; no task of them runs."""
    answer = {
        "content": "{{ _values | to_json }}",
        "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
    }
    play = {
        "hosts": "all",
        "gather_facts": False,
        "roles": list(roles),
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        "post_tasks": [
            {
                "name": "Write the values",
                "ansible.builtin.copy": {**answer, "mode": "0600"},
                "vars": {"_values": dict(values)},
                "tags": ["values"],
            }
        ],
    }
    (folder / "hosts.yml").write_text(json.dumps(inventory), encoding="utf-8")
    (folder / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    run_playbook(folder, "play.yml", "--tags", "values")
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def run_playbook(folder: Path, playbook: str, *options: str, roles: Path = ROLES) -> str:
    """Run a playbook of this folder on its hosts.yml; returns what Ansible printed."""
    done = run_ansible(
        "--inventory",
        folder / "hosts.yml",
        *options,
        playbook,
        folder=folder,
        HOME=str(folder),
        ANSIBLE_ACTION_PLUGINS=str(Path(__file__).with_name("action_plugins")),
        ANSIBLE_ROLES_PATH=str(roles),
    )
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout
