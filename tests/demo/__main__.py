"""The demo: three real hosts, goplot deployed onto them, and a real plot, from one command."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet, SpecError, load
from tests.hosts.system import HostError, require_machine, wait_until
from tests.tools.guard import guarded
from tests.tools.plots_check import proofs_found

HOSTS_FILE = Path("tests/demo/hosts.toml")
LOG = Path(".cache/demo/ansible.log")
PLOT_SECONDS = 900
METRIC_SECONDS = 180


class DemoError(Exception):
    """The demo can't go on; the message says why and where to look."""


def main() -> int:
    started = time.monotonic()
    try:
        require_machine()
        with guarded("demo"):
            _demo(started)
    except (DemoError, HostError, SpecError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; make demo goes on from here, make demo-down removes it all")
        return 130
    return 0


def _demo(started: float) -> None:
    _step("1/5 Three hosts")
    _run([sys.executable, "-m", "tests.hosts", str(HOSTS_FILE), "up"])
    hosts = load(HOSTS_FILE)
    plotter = Machine(hosts, hosts.host("plotter1"))
    _step("2/5 ansible-playbook site.yml -i inventory/demo")
    changed = _deploy()
    print(f"  {changed} changed tasks; the whole output is in {LOG}")
    _step("3/5 A real plot: chia plots create -k 25 --override-k")
    plot = _watch_plot(plotter)
    _step("4/5 Is it a plot? chia plots check on plotter1")
    _check_plot(plotter, plot)
    _step("5/5 The numbers in Prometheus on farmer1")
    prometheus = f"http://{hosts.host('farmer1').address}:9090"
    _show_metrics(prometheus)
    _say_goodbye(hosts, prometheus, time.monotonic() - started)


def _step(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        raise DemoError(f"{' '.join(command[1:4])} failed: its words are above")


def _deploy() -> int:
    """Run site.yml, a line a play and a task; returns the number of changed tasks."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "site.yml",
        "-i",
        "inventory/demo",
    ]
    changed = 0
    with LOG.open("w", encoding="utf-8") as log, _process(command) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            if line.startswith(("PLAY [", "TASK [", "RUNNING HANDLER [")):
                indent = "  " if line.startswith("PLAY") else "    "
                print(indent + line[line.index("[") + 1 : line.rindex("]")], flush=True)
            elif line.startswith(("fatal:", "[ERROR]", "failed:")):
                print(f"  {line.rstrip()}", flush=True)
            elif " changed=" in line and " unreachable=" in line:
                changed += int(line.split("changed=")[1].split()[0])
    if process.returncode != 0:
        raise DemoError(f"ansible-playbook failed: see {LOG}")
    return changed


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process


def _watch_plot(plotter: Machine) -> Path:
    """Show the plot grow until it lies on its disk; returns its path on the plotter."""
    shown = ""

    def finished() -> bool:
        nonlocal shown
        status = plotter.run("goplot", "status", "--json", check=False)
        words = _progress(json.loads(status or "{}"))
        if words != shown:
            print(f"  {words}", flush=True)
            shown = words
        return bool(_plots(plotter))

    try:
        wait_until("a plot", finished, PLOT_SECONDS)
    except HostError as error:
        raise DemoError(f"{error}: see /etc/chia/goplot/logs/goplot.log on plotter1") from error
    plot = _plots(plotter)[0]
    print(f"  done: {plot}", flush=True)
    return plot


def _plots(plotter: Machine) -> list[Path]:
    found = plotter.run("find", "/farm", "-name", "plot-k25-*.plot")
    return [Path(line) for line in found.splitlines()]


def _progress(status: dict[str, Any]) -> str:
    """One line on what goplot does now."""
    for plot in status.get("plots", []):
        return (
            f"plot {plot['index']}: phase {plot['phase']}, {plot['progress']:.0%}, "
            f"{plot['temp']} -> {plot['disk_path']}"
        )
    if "next" in status:
        return f"waits for {status['next']['reason']}: {status['next']['detail']}"
    return "goplot status does not answer yet"


def _check_plot(plotter: Machine, plot: Path) -> None:
    proofs, challenges = proofs_found(plotter, [plot.parent], 30).get(plot.name, (0, 30))
    if proofs == 0:
        raise DemoError(f"chia plots check finds no proofs in {plot}")
    print(f"  {proofs} proofs for {challenges} challenges", flush=True)


def _show_metrics(prometheus: str) -> None:
    """Await the finished plot in Prometheus, then show some of what is there."""
    print("  waiting for the collector (every minute) and the scrape (every 15 s)", flush=True)
    with contextlib.suppress(HostError):
        wait_until(
            "the plot in Prometheus",
            lambda: _ask(prometheus, "goplot_plots_finished_total > 0") != [],
            METRIC_SECONDS,
        )
    if not _ask(prometheus, "goplot_plots_finished_total > 0"):
        raise DemoError(f"no finished plot in {prometheus}: look at its page Status, Targets")
    for query in (
        "up",
        "goplot_plots_finished_total",
        "goplot_plot_phase_seconds_sum",
        "goplot_disk_mounted",
        "goplot_disk_used_bytes",
        "goplot_load",
    ):
        for sample in _ask(prometheus, query):
            labels = sample["metric"]
            hidden = {"__name__", "job", "groups"}
            shown = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in hidden)
            print(f"  {query:<30} {shown:<58} {sample['value'][1]}")


def _ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    """Instant query of Prometheus: its result vector, empty while it does not answer."""
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            data: list[dict[str, Any]] = json.load(answer)["data"]["result"]
            return data
    except (urllib.error.URLError, TimeoutError):
        return []


def _say_goodbye(hosts: HostSet, prometheus: str, seconds: float) -> None:
    config = hosts.state / "ssh/config"
    print(
        f"""
The farm stands, after {seconds / 60:.1f} minutes.
  goplot status on the plotter:  ssh -F {config} plotter1 goplot status
  goplot's log:                  ssh -F {config} plotter1 tail -f /etc/chia/goplot/logs/goplot.log
  Prometheus:                    {prometheus}
  the inventory:                 inventory/demo
  another plot sooner:           ssh -F {config} plotter1 goplot set plot_gap 10
  remove it all:                 make demo-down"""
    )


if __name__ == "__main__":
    sys.exit(main())
