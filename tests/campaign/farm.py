"""The plotter under test: what it has, what it says, and how a person would treat it."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

from tests.campaign import power
from tests.hosts import disks
from tests.hosts.machine import Machine
from tests.hosts.system import wait_until

DISKS = {
    "disk1": "/farm/1/disk1",
    "disk2": "/farm/1/disk2",
    "disk3": "/farm/2/disk3",
    "disk4": "/farm/2/disk4",
}
TEMPS = {"temp1": "/plot_temp/1", "temp2": "/plot_temp/2"}
STATE = "/var/lib/goplot"
SETTINGS = "/etc/goplot/settings.toml"
#: What a power cut takes the unwritten bytes of; the state first, so that no result is written
#: about what the others have just lost.
MOUNTS = [STATE, *TEMPS.values(), *DISKS.values()]

Json = dict[str, Any]


class Farm:
    """One host and its farm. Nothing is remembered: every answer is looked up."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program on the host as root and return what it printed."""
        return self.machine.run(*command, check=check)

    def inside(self, path: str) -> Path:
        """A path of the host, seen from outside."""
        return power.inside(self.machine, path)

    def set(self, **tunables: object) -> None:
        """`goplot set`, one after the other."""
        for name, value in tunables.items():
            self.run("goplot", "set", name, str(value))

    def status(self) -> Json:
        """`goplot status --json`."""
        answer: Json = json.loads(self.run("goplot", "status", "--json", check=False))
        return answer

    def disk(self, name: str) -> Json:
        """What the status says of one disk."""
        (found,) = [disk for disk in self.status()["disks"] if disk["disk"] == name]
        return dict(found)

    def jobs(self) -> dict[int, Json]:
        """The jobs that are not over, by index."""
        found = {}
        for path in self.inside(f"{STATE}/jobs").glob("[0-9]*.json"):
            try:
                found[int(path.stem)] = json.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
        return found

    def job(self, index: int) -> Json:
        """One job; nothing when it is over."""
        return self.jobs().get(index, {})

    def results(self) -> list[Json]:
        """How jobs ended, in that order."""
        path = self.inside(f"{STATE}/results.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line]

    def result(self, index: int, seconds: float = 120) -> Json:
        """How a job ended; waits for its end."""

        def ended() -> bool:
            return any(result["index"] == index for result in self.results())

        wait_until(f"the end of plot {index}", ended, seconds)
        (result,) = [result for result in self.results() if result["index"] == index]
        return result

    def done(self) -> int:
        """How many plots are done."""
        return sum(1 for result in self.results() if result["done"])

    def plots(self) -> Set[str]:
        """Every file on a disk that has the name of a plot."""
        return set(self._listed("farm/*/*/plots/*.plot"))

    def _listed(self, pattern: str) -> list[str]:
        root = self.inside("/")
        return [f"/{path.relative_to(root)}" for path in root.glob(pattern)]

    def logs(self) -> list[str]:
        """The plotters' logs on all disks."""
        return self._listed("farm/*/*/logs/plot.*.log")

    def left_on_temp(self) -> list[str]:
        """Whatever lies on the temp farms but what belongs to file systems and to diskhand."""
        known = ("/lost+found", "/.goplot-probe")
        return [path for path in self._listed("plot_temp/*/*") if not path.endswith(known)]

    def partial_plots(self) -> list[str]:
        """Whatever lies beside the plots."""
        return [path for path in self._listed("farm/*/*/plots/*") if not path.endswith(".plot")]

    def beneath(self) -> list[Path]:
        """Files that are not on a disk but underneath a mount point."""
        upper = self.machine.folder / "upper"
        folders = (upper / "farm", upper / "plot_temp")
        return [path for top in folders for path in top.rglob("*") if not path.is_dir()]

    def goplot_log(self) -> str:
        """All of goplot.log."""
        return self.inside("/var/log/goplot/goplot.log").read_text(encoding="utf-8")

    def main_pid(self, unit: str) -> int:
        """Process id, on the host, of a unit's main process; 0 when it does not run."""
        said = self.run("systemctl", "show", "-p", "MainPID", "--value", unit, check=False)
        return int(said.strip() or 0)

    def plotter_pid(self, index: int) -> int:
        """Process id, on the host, of a job's plotter; 0 when it does not run."""
        known = self.job(index).get("process") or "0:0"
        pid, started = known.split(":")
        stat = self.inside(f"/proc/{pid}/stat")
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[-1].split()
        except OSError:
            return 0
        return int(pid) if fields[19] == started else 0

    def cut_power(self) -> None:
        """Everything that is not on a disk is lost."""
        power.cut_power(self.machine, MOUNTS)

    def loop(self, name: str) -> Path:
        """The loop device of a disk or temp farm."""
        (spec,) = [disk for disk in self.machine.host.disks if disk.name == name]
        return disks.attach(self.machine.hosts, self.machine.host, spec)

    def start_by_hand(self) -> int:
        """`goplot plot`; returns the index."""
        index: int = json.loads(self.run("goplot", "plot", "--json"))["index"]
        return index

    def diskhand(self) -> None:
        """Run diskhand now, however often it ran in the last seconds."""
        self.run("systemctl", "reset-failed", "goplot-diskhand.service")
        self.run("systemctl", "start", "goplot-diskhand.service")

    def await_quiet(self, seconds: float = 300) -> None:
        """Start no more plots and wait until all that run are over."""
        self.set(on_toggle="stop")

        def quiet() -> bool:
            return not self.jobs() and self.status()["running"] == 0

        wait_until("the end of every plot", quiet, seconds)
