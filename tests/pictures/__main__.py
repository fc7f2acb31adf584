"""Draws the dashboards: `python -m tests.pictures FOLDER`.

Of the demo's farm, or of a simulated one that has a week behind it (`--simulated`).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NoReturn

from tests.demo.farm import DemoError, Farm, running_farm
from tests.hosts.spec import SpecError
from tests.hosts.system import HostError, install, wait_until
from tests.made_farm.server import made_farm
from tests.panels.ask import Prometheus

_ROOT = Path(__file__).parents[2]
_CACHE = _ROOT / ".cache"
_DASHBOARDS = _ROOT / "dashboard/json"
#: The same as the preview looks for.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Hosts of a simulated farm, and disks of each.
_SIMULATED = (6, 6)
_ALERT_SECONDS = 300
# A dashboard shows at least six hours, of which a young farm has little.
_SHOWN_MINUTES = 360


def main() -> int:
    """Draw them. Returns 1 when a picture could not be made."""
    # What was started is ended on the way out.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    given = _arguments()
    try:
        programs = _programs()
        with _prometheus(simulated=given.simulated) as (url, since):
            chosen = _chosen(given.dashboards)
            drawn = [_draw(path, url, since, given, programs) for path in chosen]
    except (DemoError, HostError, SpecError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    return 0 if all(drawn) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("dashboards", nargs="*", help="which: farm, plotting, ... (all)")
    parser.add_argument("--simulated", action="store_true", help="of a simulated farm")
    parser.add_argument("--width", type=int, default=1600, help="pixels (1600)")
    return parser.parse_args()


def _chosen(names: list[str]) -> list[Path]:
    paths = sorted(_DASHBOARDS.glob("goplot-*.json"))
    known = {path.stem.removeprefix("goplot-"): path for path in paths}
    for name in names:
        if name not in known:
            raise DemoError(f"no dashboard {name}: there are {', '.join(known)}")
    return [known[name] for name in names or known]


def _programs() -> str:
    """A PATH with Node.js and a browser. Raises HostError."""
    if not any(map(shutil.which, _BROWSERS)):
        install("chromium")
    command = [_ROOT / "tests/tools/node", _CACHE / "node"]
    node = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if node.returncode != 0:
        raise HostError("Node.js can't be installed: install nodejs and npm, 20 or newer")
    return f"{node.stdout.strip()}:{os.environ['PATH']}"


@contextlib.contextmanager
def _prometheus(*, simulated: bool) -> Iterator[tuple[str, str | None]]:
    """Its URL, and since when it knows the farm: None for as long as the dashboards show."""
    if not simulated:
        farm = running_farm()
        yield farm.url(9090), _since(farm)
        return
    print("pictures: simulating a farm for a week (two minutes)", flush=True)
    command = [_ROOT / "tests/tools/prometheus", _CACHE / "prometheus"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    with (
        tempfile.TemporaryDirectory(prefix="goplot-made-farm-") as folder,
        made_farm(*_SIMULATED, Path(folder), Path(done.stdout.strip()), thorough=True) as made,
    ):
        # What is wrong with some of its hosts is raised after as long as on a real farm.
        print("pictures: waiting for its alerts", flush=True)
        wait_until("an alert", partial(_fires, made.prometheus), _ALERT_SECONDS)
        yield made.prometheus.url, None


def _since(farm: Farm) -> str | None:
    """The start of Prometheus, as Grafana writes times; None where it was before all graphs."""
    running = 'time() - process_start_time_seconds{job="prometheus"}'
    minutes = max((float(one["value"][1]) / 60 for one in farm.ask(running)), default=0.0)
    return f"now-{max(5, round(minutes))}m" if minutes < _SHOWN_MINUTES else None


def _fires(prometheus: Prometheus) -> bool:
    return any(alert["state"] == "firing" for alert in prometheus.alerts())


def _draw(
    dashboard: Path, url: str, since: str | None, given: argparse.Namespace, path: str
) -> bool:
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{dashboard.stem.removeprefix('goplot-')}.png"
    command = [str(_ROOT / "tests/tools/dashboard-preview/preview"), str(dashboard)]
    command += ["--prometheus", url, "--out", str(picture), "--width", str(given.width)]
    command += ["--timeout", "180", "--allow-empty"]
    if since:
        command += ["--from", since]
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(_CACHE)}
    # No farm has all that the panels can show: tests.panels says which are empty, and why.
    return subprocess.run(command, env=environment, check=False).returncode == 0


def _stop(*_: object) -> NoReturn:
    raise SystemExit(130)


if __name__ == "__main__":
    sys.exit(main())
