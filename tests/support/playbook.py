"""Ansible on the hosts of a scenario, as the farm's owner runs it."""

import os
import subprocess
import sys
from pathlib import Path

_PROJECT = Path(__file__).parents[2]


def play(scenario: str, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of playbooks/ with a scenario's inventory."""
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    inventory = str(_PROJECT / "molecule" / scenario / "inventory")
    return subprocess.run(
        [program, "-i", inventory, *arguments, str(_PROJECT / "playbooks" / playbook)],
        env={**os.environ, "ANSIBLE_CONFIG": str(_PROJECT / "ansible.cfg"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=_PROJECT,
    )
