"""Run molecule scenarios so that nothing is left of them, also after Ctrl-C: scenario NAME..."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.tools.guard import on_hosts


def main() -> int:
    for name in sys.argv[1:]:
        hosts_file = Path("molecule") / name / "hosts.toml"
        code = on_hosts(f"scenario-{name}", hosts_file, partial(_test, name))
        if code != 0:
            return code
    return 0


def _test(name: str) -> int:
    programs = Path(sys.executable).parent
    # molecule looks for Ansible's commands on the PATH.
    path = f"{programs}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "ANSIBLE_FORCE_COLOR": "false", "NO_COLOR": "1"}
    command = [str(programs / "molecule"), "test", "-s", name]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
