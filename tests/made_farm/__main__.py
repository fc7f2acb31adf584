"""Serves a made farm until it is stopped, for pictures of its dashboards.

`python -m tests.made_farm HOSTS DISKS` prints the URL of its Prometheus.
"""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from tests.made_farm.server import made_farm

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Serve it. Returns 0."""
    # What was started is ended on the way out.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    count, disks = (int(text) for text in sys.argv[1:3])
    command = [_ROOT / "tests/tools/prometheus", _ROOT / ".cache/prometheus"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    with (
        tempfile.TemporaryDirectory(prefix="goplot-made-farm-") as folder,
        made_farm(count, disks, Path(folder), Path(done.stdout.strip()), thorough=True) as made,
    ):
        print(made.prometheus.url, flush=True)
        signal.pause()
    return 0


def _stop(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
