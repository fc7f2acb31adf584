"""Deploy onto a machine that was a farm before goplot, run its tests, and remove it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.hosts.spec import load
from tests.tools.guard import on_hosts

_PROJECT = Path(__file__).parents[2]
_FOLDER = _PROJECT / "tests/integration/existing"
_HOSTS = _FOLDER / "hosts.toml"
_PLAYBOOKS = ("preflight", "base", "farm_layout", "goplot", "prometheus", "grafana")


def main() -> int:
    return on_hosts("existing", _HOSTS, _test)


def _test() -> int:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(_PROJECT / "ansible.cfg"), "NO_COLOR": "1"}
    config = load(_HOSTS).state / "ssh/config"
    programs = Path(sys.executable).parent
    playbooks = [str(_PROJECT / f"playbooks/{name}.yml") for name in _PLAYBOOKS]
    deploy = [str(programs / "ansible-playbook"), "-i", str(_FOLDER / "inventory"), *playbooks]
    subprocess.run([sys.executable, "-m", "tests.hosts", str(_HOSTS), "up"], check=True)
    with (_FOLDER / "prepare.sh").open("rb") as script:
        subprocess.run(["ssh", "-F", str(config), "old1", "sh", "-s"], stdin=script, check=True)
    subprocess.run(deploy, check=True, env=environment, cwd=_PROJECT)
    again = subprocess.run(
        deploy, check=True, env=environment, cwd=_PROJECT, stdout=subprocess.PIPE, text=True
    )
    print(again.stdout)
    if " changed=0 " not in again.stdout:
        print("existing: the second run changed something", file=sys.stderr)
        return 1
    tests = [sys.executable, "-m", "pytest", f"--hosts-file={_HOSTS}", str(_FOLDER)]
    return subprocess.run(tests, check=False, cwd=_PROJECT).returncode


if __name__ == "__main__":
    sys.exit(main())
