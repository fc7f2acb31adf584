"""Run the scenarios, two at a time: each spends a good part of its time waiting for its hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from tests.tools.guard import end_with_parent

#: The longest first, so that the last ones end together.
SCENARIOS: Mapping[str, Sequence[str]] = {
    "network": ("-m", "tests.tools.scenario", "network"),
    "default": ("-m", "tests.tools.scenario", "default"),
    "single": ("-m", "tests.tools.scenario", "single"),
    "campaign": ("-m", "tests.campaign"),
    "existing": ("-m", "tests.tools.existing"),
}
_AT_ONCE = 2


@dataclass
class SideBySide:
    """Runs of Python; the output of each is shown line by line, behind its name."""

    _failed: dict[str, int] = field(default_factory=dict)
    _printing: Lock = field(default_factory=Lock)

    def run(self, runs: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """The exit codes of those that failed. After a failure no further run starts."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._run, runs, runs.values()))
        return self._failed

    def _run(self, name: str, arguments: Sequence[str]) -> None:
        if self._failed:
            self._show(name, "not run")
            return
        with subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                self._show(name, line.rstrip("\n"))
        if process.returncode != 0:
            self._failed[name] = process.returncode

    def _show(self, name: str, line: str) -> None:
        with self._printing:
            print(f"{name}: {line}", flush=True)


def main() -> int:
    end_with_parent()
    try:
        failed = SideBySide().run(SCENARIOS)
    except KeyboardInterrupt:
        # They were interrupted, too, and have removed their hosts by now.
        return 130
    for name, code in failed.items():
        print(f"{name} failed with exit code {code}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
