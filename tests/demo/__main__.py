"""The demo: three real hosts, a farm deployed onto them that plots and farms, from one command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.demo.farm import HOSTS_FILE, DemoError, Farm, demo_farm
from tests.demo.grafana import unreached
from tests.hosts.machine import Machine
from tests.hosts.spec import SpecError
from tests.hosts.system import HostError, require_machine, wait_until
from tests.network.plots import make_plots
from tests.tools.guard import guarded
from tests.tools.plots_check import proofs_found

PLAYBOOKS = ("tests/network/simulator.yml", "site.yml")
INVENTORY = (
    "--inventory=inventory/demo",
    "--vault-password-file=tests/network/vault-password",
)
LOG = Path(".cache/demo/ansible.log")
PLOTS = {"/farm/1/disk11": 2, "/farm/2/disk12": 2}
PLOT_SECONDS = 1800
METRIC_SECONDS = 300


def main() -> int:
    started = time.monotonic()
    try:
        require_machine()
        farm = demo_farm()
        # What another run made, this one does not remove.
        stood = farm.hosts.state.exists()
        with guarded("demo", None if stood else HOSTS_FILE) as made:
            code = _tried(farm, started)
            made.keep()
    except (HostError, SpecError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        left = "its hosts stand: make demo-down removes them" if stood else "its hosts are gone"
        print(f"demo: interrupted; {left}")
        return 130
    return code


def _tried(farm: Farm, started: float) -> int:
    try:
        _demo(farm, started)
    except (DemoError, HostError) as error:
        print(f"demo: {error}", file=sys.stderr)
        print("demo: make demo goes on from here, make demo-down removes it all", file=sys.stderr)
        return 1
    return 0


def _demo(farm: Farm, started: float) -> None:
    _step("1/6 Three hosts")
    _run([sys.executable, "-m", "tests.hosts", str(HOSTS_FILE), "up"])
    repository = unreached(farm.machine("farmer1"))
    if repository:
        print(f"  {repository} can't be reached from here: this farm gets no Grafana")
    plotter = farm.machine("plotter1")
    _step(f"2/6 ansible-playbook {' '.join(PLAYBOOKS)} -i inventory/demo")
    changed = _deploy(grafana=repository is None)
    print(f"  {changed} changed tasks; the whole output is in {LOG}")
    _step("3/6 A farm that farms, on Chia's simulator")
    make_plots(farm.machine("harvester1"), PLOTS)
    _await_farming(farm.machine("farmer1"))
    _step("4/6 A real plot: chia plots create -k 25 --override-k")
    plot = _watch_plot(plotter)
    _step("5/6 Is it a plot? chia plots check on plotter1")
    _check_plot(plotter, plot)
    _step("6/6 The numbers in Prometheus on farmer1")
    _show_metrics(farm)
    _say_goodbye(farm, repository, time.monotonic() - started)


def _step(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        raise DemoError(f"{' '.join(command[1:4])} failed: its words are above")


def _deploy(*, grafana: bool) -> int:
    """Run site.yml, a line a play and a task; returns the number of changed tasks."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), *PLAYBOOKS, *INVENTORY]
    command += ["--extra-vars", json.dumps({"grafana_install": grafana})]
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
        try:
            yield process
        except BaseException:
            # Whoever ends the demo does not wait for the end of the play.
            process.terminate()
            raise


def _await_farming(farmer: Machine) -> None:
    """Show what hinders the farm until it farms, then what it farms with."""
    shown: list[str] = []

    def farms() -> bool:
        nonlocal shown
        found = json.loads(farmer.run("goplot", "farm", "--json", check=False) or "{}")
        problems = found.get("problems", ["goplot farm does not answer yet"])
        if problems != shown:
            for problem in problems:
                print(f"  {problem}", flush=True)
            shown = problems
        plots = {one["harvester"]: one["plots"] or 0 for one in found.get("harvesters", [])}
        return (
            found.get("status") == "farming"
            and len(plots) == 2
            and plots["harvester1"] >= sum(PLOTS.values())
        )

    try:
        wait_until("the farm farms", farms, METRIC_SECONDS)
    except HostError as error:
        raise DemoError(f"{error}: see goplot farm --log on farmer1") from error
    print("  goplot farm on farmer1 says:\n", flush=True)
    # It farms; a problem that is left, such as plots that are still loaded, is shown, too.
    for line in farmer.run("goplot", "farm", check=False).splitlines():
        print(f"    {line}".rstrip(), flush=True)


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


# What has to be in Prometheus before the demo is over, and what it is called on the way.
_AWAITED = {
    "the finished plot": "goplot_plots_finished_total > 0",
    "the plot, farmed": 'chia_farmer_harvester_plots{harvester="plotter1"} > 0',
    "signage points": "chia_full_node_signage_points_total > 0",
    "proofs": "chia_harvester_proofs_found_total > 0",
    "a won block": "chia_full_node_farmed_blocks_total > 0",
    "its reward": "chia_farmed_mojo > 0",
}
_SHOWN = (
    "up",
    "goplot_plots_finished_total",
    "goplot_plot_phase_seconds_sum",
    "goplot_disk_mounted",
    "goplot_disk_used_bytes",
    "chia_full_node_signage_points_total",
    "chia_farmer_harvester_plots",
    "chia_harvester_eligible_plots_total",
    "chia_harvester_proofs_found_total",
    "chia_full_node_farmed_blocks_total",
    "chia_farmed_mojo",
)


def _show_metrics(farm: Farm) -> None:
    """Await what a farm is for in Prometheus, then show some of what is there."""
    print("  waiting for the collectors (every minute) and the scrape (every 15 s)", flush=True)
    end = time.monotonic() + METRIC_SECONDS
    for name, query in _AWAITED.items():
        try:
            wait_until(name, partial(_found, farm, query), end - time.monotonic())
        except HostError as error:
            place = f"{farm.url(9090)}/targets and goplot farm --log on farmer1"
            raise DemoError(f"{error} in Prometheus ({query}): look at {place}") from error
        print(f"  {name}: {query}", flush=True)
    for query in _SHOWN:
        for sample in farm.ask(query):
            labels = sample["metric"]
            hidden = {"__name__", "job", "groups"}
            shown = ", ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in hidden)
            print(f"  {query:<35} {shown:<53} {sample['value'][1]}")


def _found(farm: Farm, query: str) -> bool:
    return farm.ask(query) != []


def _say_goodbye(farm: Farm, repository: str | None, seconds: float) -> None:
    ssh = f"ssh -F {farm.hosts.state / 'ssh/config'}"
    if repository:
        grafana = f"none, for {repository} can't be reached; make pictures shows the dashboards"
    else:
        login = f"log in as admin with {ssh} farmer1 cat /etc/goplot/grafana/admin_password"
        grafana = f"{farm.url(3000)}, {login}"
    print(
        f"""
The farm stands, after {seconds / 60:.1f} minutes.
  what is plotted:            {ssh} plotter1 goplot status
  what is farmed:             {ssh} farmer1 goplot farm
  goplot's log:               {ssh} plotter1 tail -f /etc/chia/goplot/logs/goplot.log
  another plot sooner:        {ssh} plotter1 goplot set plot_gap 10
  Prometheus:                 {farm.url(9090)}
  Grafana:                    {grafana}
  two alerts on purpose:      make demo-fault
  pictures of the dashboards: make pictures
  the inventory:              inventory/demo
  remove it all:              make demo-down"""
    )


if __name__ == "__main__":
    sys.exit(main())
