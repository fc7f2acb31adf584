"""Ansible as the farm's owner runs it, with the project's configuration."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def run_ansible(
    *arguments: str | Path,
    program: str = "ansible-playbook",
    folder: Path = PROJECT,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs in a folder, with further variables in its environment."""
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "NO_COLOR": "1",
            **environment,
        },
        check=False,
        capture_output=True,
        text=True,
    )


def play(scenario: str, playbook: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a playbook of playbooks/ with a scenario's inventory."""
    inventory = PROJECT / "molecule" / scenario / "inventory"
    return run_ansible("-i", inventory, *arguments, PROJECT / "playbooks" / playbook)
