"""The plotter under test: what is on it, what it reports, and what a person would do to it."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

from goplot.host.plotfiles import is_plot_name
from tests.campaign import power
from tests.hosts import disks
from tests.hosts.machine import Machine
from tests.hosts.system import wait_until

#: Disks that are subvolumes of one file system, as /plot_temp/3 is.
POOL = {"disk5": "/farm/3/disk5", "disk6": "/farm/3/disk6"}
DISKS = {
    "disk1": "/farm/1/disk1",
    "disk2": "/farm/1/disk2",
    "disk3": "/farm/2/disk3",
    "disk4": "/farm/2/disk4",
    **POOL,
}
TEMPS = {"temp1": "/plot_temp/1", "temp2": "/plot_temp/2", "temp3": "/plot_temp/3"}
STATE = "/var/lib/goplot"
SETTINGS = "/etc/goplot/settings.toml"
TEXTFILE = "/var/lib/prometheus/node-exporter/goplot_plotter.prom"
#: What is on temp farms beside plots: of file systems, and of diskhand.
_KNOWN_ON_TEMP = ("lost+found", ".goplot-probe")
#: What a power cut takes the unwritten bytes of; the state first, so that no result is written
#: about what the others have just lost. The pool has no call for it and loses its device.
_POOL_MOUNTS = (*POOL.values(), TEMPS["temp3"])
MOUNTS = [point for point in (STATE, *TEMPS.values(), *DISKS.values()) if point not in _POOL_MOUNTS]
_CLOCK_FILE = "/etc/goplot-clock"
# tests/campaign/clock.c, compiled by prepare.yml.
_CLOCK = "LD_PRELOAD=/opt/goplot-clock.so"

Json = dict[str, Any]


class Farm:
    """One host and its farm. Every answer is looked up; only results are read once."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        #: Seconds by which the host's clock is set ahead.
        self.clock = 0.0
        self._leader: int | None = None
        self._results: list[Json] = []
        self._results_end = 0

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program on the host as root and return what it printed."""
        if self.clock:
            command = ("env", _CLOCK, *command)
        return self.machine.run(*command, check=check)

    def inside(self, path: str) -> Path:
        """A path of the host, seen from outside."""
        if self._leader is None or not Path(f"/proc/{self._leader}/root/etc").exists():
            self._leader = self.machine.leader()
            # A power cut may have taken a result that was not synced.
            self._results, self._results_end = [], 0
        return Path(f"/proc/{self._leader}/root") / path.lstrip("/")

    def has_own_clock(self, has: bool) -> None:
        """Whether goplot's services see the time that `set_clock` sets; the pacer starts again."""
        drop_in = self.inside("/etc/systemd/system/goplot-.service.d/clock.conf")
        if has:
            self.set_clock(0)
            drop_in.parent.mkdir(exist_ok=True)
            drop_in.write_text(f"[Service]\nEnvironment={_CLOCK}\n", encoding="utf-8")
        else:
            drop_in.unlink()
            drop_in.parent.rmdir()
        self.run("systemctl", "daemon-reload")
        self.run("systemctl", "restart", "goplot-pacer.service")

    def set_clock(self, ahead: float) -> None:
        """Set the host's clock so many seconds ahead of, or back from, the right time."""
        self.clock = ahead
        self.inside(_CLOCK_FILE).write_text(f"{ahead:+.0f}\n", encoding="ascii")

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
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._results_end)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._results += [json.loads(line) for line in whole.splitlines() if line]
        self._results_end += len(whole + newline)
        return list(self._results)

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
        return {path for path in self._beside_plots() if is_plot_name(Path(path).name)}

    def partial_plots(self) -> list[str]:
        """Whatever lies beside the plots."""
        return [path for path in self._beside_plots() if not is_plot_name(Path(path).name)]

    def _beside_plots(self) -> list[str]:
        return [
            f"{disk}/plots/{path.name}"
            for disk in DISKS.values()
            for path in self.inside(f"{disk}/plots").iterdir()
        ]

    def _listed(self, pattern: str) -> list[str]:
        root = self.inside("/")
        return [f"/{path.relative_to(root)}" for path in root.glob(pattern)]

    def logs(self) -> list[str]:
        """The plotters' logs on all disks."""
        return self._listed("farm/*/*/logs/plot.*.log")

    def left_on_temp(self) -> list[str]:
        """Whatever lies on the temp farms but what belongs to file systems and to diskhand."""
        return [
            f"{temp}/{path.name}"
            for temp in TEMPS.values()
            for path in self.inside(temp).iterdir()
            if path.name not in _KNOWN_ON_TEMP
        ]

    def beneath(self) -> list[Path]:
        """Files that are not on a disk but underneath a mount point."""
        upper = self.machine.folder / "upper"
        folders = (upper / "farm", upper / "plot_temp")
        return [path for top in folders for path in top.rglob("*") if not path.is_dir()]

    def goplot_log(self) -> str:
        """All of goplot.log."""
        return self.inside("/var/log/goplot/goplot.log").read_text(encoding="utf-8")

    def remove(self, path: str) -> None:
        """Remove a file or folder for good: no power cut brings it back."""
        self.run("sh", "-c", 'rm -rf "$1" && sync -f "$(dirname "$1")"', "sh", path)

    def main_pid(self, unit: str) -> int:
        """Process id, on the host, of a unit's main process; 0 when it does not run."""
        shown = self.run("systemctl", "show", "-p", "MainPID", "--value", unit, check=False)
        return int(shown.strip() or 0)

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
        power.cut_power(self.machine, MOUNTS, {TEMPS["temp3"]: self.loop("pool")})

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
