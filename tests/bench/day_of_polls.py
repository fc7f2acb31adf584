"""Polls a pacer as often as a day has polls, and prints what memory it takes then."""

import json
import sys
import time
from pathlib import Path

from goplot.host.log import Log
from goplot.host.settings import load
from goplot.pacer.service import Pacer


class RunningUnits:
    """Units that all run, so that the pacer has nothing to recover."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def start(self, index: int) -> None:
        """Nothing is ever started."""

    stop = freeze = thaw = start

    def running(self) -> dict[int, bool]:
        """Every job's unit."""
        return dict.fromkeys(range(1, self._jobs + 1), False)


def resident_mib() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmRSS")


def main() -> None:
    """Poll and print the figures as JSON."""
    path, polls = Path(sys.argv[1]), int(sys.argv[2])
    settings = load(path)
    pacer = Pacer(settings, RunningUnits(8), Log(settings.roots.main_log, "goplot"))
    begin = time.process_time()
    early = 0.0
    for number in range(polls):
        pacer.poll(load(path))
        if number == polls // 24:
            early = resident_mib()
    spent = (time.process_time() - begin) / polls
    last = resident_mib()
    print(json.dumps({"mib": last, "grown_mib": last - early, "poll_ms": spent * 1000}))


if __name__ == "__main__":
    main()
