"""Run molecule scenarios so that nothing is left of them, also after Ctrl-C: scenario NAME..."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.hosts.system import HostError, require_machine
from tests.tools.guard import guarded


def main() -> int:
    for name in sys.argv[1:]:
        try:
            require_machine()
            with guarded(f"scenario-{name}"):
                code = _run(name)
        except HostError as error:
            print(f"scenario {name}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
        if code != 0:
            return code
    return 0


def _run(name: str) -> int:
    started = time.monotonic()
    # molecule looks for Ansible's commands on the PATH.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "ANSIBLE_FORCE_COLOR": "false", "NO_COLOR": "1"}
    try:
        code = subprocess.run(
            [f"{Path(sys.executable).parent}/molecule", "test", "-s", name],
            env=environment,
            check=False,
        )
    finally:
        hosts_file = str(Path("molecule") / name / "hosts.toml")
        subprocess.run([sys.executable, "-m", "tests.hosts", hosts_file, "down"], check=False)
    print(f"scenario {name}: {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return code.returncode


if __name__ == "__main__":
    sys.exit(main())
