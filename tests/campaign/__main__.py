"""Deploy goplot onto one host, take its programs, power and disks away while it plots, and more.

Nothing is left of the host afterwards, however the run ends.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.tools.guard import on_hosts

FOLDER = Path("tests/campaign")
HOSTS_FILE = FOLDER / "hosts.toml"
#: What plots, without what farms and watches: see prepare.yml.
PLAYBOOKS = (
    ("preflight", "base", "farm_layout"),
    ("chia", "--tags=chia_install"),
    ("goplot",),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--plots", type=int, default=12, help="least number of plots to make")
    parser.add_argument("--kills", type=int, default=12, help="least number of kills meanwhile")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    return on_hosts("campaign", HOSTS_FILE, partial(_run, options))


def _run(options: argparse.Namespace) -> int:
    hosts = [sys.executable, "-m", "tests.hosts", str(HOSTS_FILE)]
    ansible = str(Path(sys.executable).with_name("ansible-playbook"))
    play = [ansible, "-i", str(FOLDER / "inventory")]
    tests = [sys.executable, "-m", "pytest", "-s", "-x", str(FOLDER)]
    tests += [f"--{name}={getattr(options, name)}" for name in ("plots", "kills", "seed")]
    steps = (
        [*hosts, "down"],
        [*hosts, "up"],
        [*play, str(FOLDER / "prepare.yml")],
        *([*play, *map(_argument, names)] for names in PLAYBOOKS),
        tests,
    )
    environment = {**os.environ, "ANSIBLE_CONFIG": "ansible.cfg", "NO_COLOR": "1"}
    for step in steps:
        code = subprocess.run(step, env=environment, check=False).returncode
        if code != 0:
            return code
    return 0


def _argument(name: str) -> str:
    return name if name.startswith("--") else f"playbooks/{name}.yml"


if __name__ == "__main__":
    sys.exit(main())
