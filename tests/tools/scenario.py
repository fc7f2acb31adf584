"""Run molecule scenarios so that nothing is left of them, also after Ctrl-C: scenario NAME..."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.tools.guard import on_hosts

_LOOK_SECONDS = 1.0


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
    with tempfile.NamedTemporaryFile(prefix="tests-progress-") as progress, _shown(progress.name):
        environment["TESTS_PROGRESS"] = progress.name
        return subprocess.run(command, env=environment, check=False).returncode


@contextlib.contextmanager
def _shown(progress: str) -> Iterator[None]:
    """Show what is added to a file, as it comes."""
    over = threading.Event()

    def show() -> None:
        with Path(progress).open(encoding="utf-8") as file:
            while True:
                last = over.wait(_LOOK_SECONDS)
                if lines := file.read():
                    print(lines, end="", flush=True)
                if last:
                    return

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
