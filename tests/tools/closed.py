"""Deploy a farm without internet from a folder: FOLDER, filled as by `make offline` if it is empty.

Grafana is left out: its repository may not be reached from where this runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.hosts.machine import Machine
from tests.hosts.spec import load
from tests.tools.guard import on_hosts

_PROJECT = Path(__file__).parents[2]
_FOLDER = _PROJECT / "tests/integration/closed"
_HOSTS = _FOLDER / "hosts.toml"
_SOURCES = [
    "deb DEBIAN SUITE main",
    "deb DEBIAN SUITE-updates main",
    "deb DEBIAN-SECURITY SUITE-security main",
]


def main() -> int:
    (folder,) = sys.argv[1:]
    if not list(Path(folder).glob("wheels/chia/chia_blockchain-*")):
        variables = {"offline_dir": folder, "offline_apt_sources": _SOURCES}
        _play("playbooks/offline.yml", "-e", json.dumps(variables))
    return on_hosts("closed", _HOSTS, partial(_test, folder))


def _test(folder: str) -> int:
    subprocess.run([sys.executable, "-m", "tests.hosts", str(_HOSTS), "up"], check=True)
    hosts = load(_HOSTS)
    # The controller is on the same bridge, and everything else behind it.
    Machine(hosts, hosts.hosts[0]).run("ip", "route", "del", "default")
    _play("site.yml", "-i", str(_FOLDER / "inventory"), "-e", f"offline_dir={folder}")
    tests = [sys.executable, "-m", "pytest", f"--hosts-file={_HOSTS}", str(_FOLDER)]
    return subprocess.run(tests, check=False, cwd=_PROJECT).returncode


def _play(playbook: str, *words: str) -> None:
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = {**os.environ, "ANSIBLE_CONFIG": str(_PROJECT / "ansible.cfg"), "NO_COLOR": "1"}
    command = [program, *words, str(_PROJECT / playbook)]
    subprocess.run(command, check=True, env=environment, cwd=_PROJECT)


if __name__ == "__main__":
    sys.exit(main())
