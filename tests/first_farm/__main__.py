"""Follow README's "Your first farm" from a clean clone, up to keys and a first plot.

These hosts meet no other node: Chia can't sync here. That a farm with keys farms is tested on the
closed network.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.first_farm.commands import README, commands
from tests.hosts.machine import Machine
from tests.hosts.spec import load
from tests.hosts.system import HostError, wait_until
from tests.support.terminal import on_a_terminal
from tests.tools.guard import on_hosts

HOSTS_FILE = Path("tests/first_farm/hosts.toml")
#: Nobody's wallet, from the tests of BIP-39.
WORDS = " ".join(["abandon"] * 23 + ["art"])
PLOT_SECONDS = 900
#: What differs from a farm on mainnet: Chia's own command makes k25 at least, and these hosts meet
#: no other nodes and reach no repository of Grafana.
CLOSED = {
    "chia_settings": {
        "full_node": {"dns_servers": [], "introducer_peer": {"host": "127.0.0.1"}},
        "wallet": {"dns_servers": [], "introducer_peer": {"host": "127.0.0.1"}},
    },
    "goplot_k": 25,
    "goplot_plotters": {"chiapos": {"options": ["--override-k"]}},
    "grafana_install": False,
}


class Owner:
    """Who follows the README: in a clone of this repository, with a terminal."""

    def __init__(self, folder: Path) -> None:
        self.hosts = load(HOSTS_FILE)
        self.clone = folder / "goplot"
        self.inventory = self.clone / "inventory/farm"
        self.ssh = ["ssh", "-tt", "-F", str(self.hosts.state / "ssh/config")]
        self.edits = [self.decide, self.start_plotting]

    def machine(self, name: str) -> Machine:
        """A host."""
        return Machine(self.hosts, self.hosts.host(name))

    def run(self, command: str) -> None:
        """Do what a line of the README says. Raises HostError when it fails."""
        print(f"== {command}", flush=True)
        if command.startswith("git clone"):
            self.call(["git", "clone", "-q", str(Path.cwd()), str(self.clone)], Path.cwd())
        elif command.startswith("$EDITOR"):
            self.edits.pop(0)()
        elif command.startswith("make inventory"):
            addresses = [f"root@{host.address}" for host in self.hosts.hosts]
            self.call(["make", "inventory", f"HOSTS={','.join(addresses)}"], self.clone)
        elif command.startswith("sudo goplot keys add"):
            self.on_farmer("goplot keys add", "nothing is shown", f"{WORDS}\n")
        elif command.startswith("sudo goplot "):
            self.on_farmer(command.removeprefix("sudo "))
        elif command.startswith("goplot farm"):
            status, screen = on_a_terminal([*self.ssh, "farmer1", "goplot farm"])
            # A node without peers is never synced: that is what it says.
            if status not in (0, 3) or "next: wait until the full node is synced" not in screen:
                raise HostError(f"goplot farm: {screen}")
        elif command.startswith("goplot status"):
            self.await_plot()
        elif command.startswith("ansible-playbook"):
            self.call(shlex.split(command), self.clone)
        else:
            raise HostError(f"README has a command that this test does not know: {command}")

    def call(self, command: list[str], folder: Path) -> None:
        """Run a program on the controller."""
        config = self.hosts.state / "ssh/config"
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(self.clone / "ansible.cfg"),
            "ANSIBLE_SSH_ARGS": f"-F {config} -o ControlMaster=auto -o ControlPersist=120s",
        }
        if subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
            raise HostError(f"{shlex.join(command)} failed: its words are above")

    def on_farmer(self, command: str, prompt: str = "", typed: str = "") -> str:
        """Run a command in a terminal on the farmer."""
        status, screen = on_a_terminal([*self.ssh, "farmer1", command], prompt, typed)
        print(screen, flush=True)
        if status:
            raise HostError(f"{command}: {screen}")
        return screen

    def decide(self) -> None:
        """Enable every line that is marked: these disks are small, and plots of k25 fit on them.

        Whether a drive is fast enough for temporary files does not show on a loop device.
        """
        for path in self.inventory.glob("host_vars/*.yml"):
            text = path.read_text()
            if "  #- {" in text:
                text = text.replace("farm_layout_mounts: []", "farm_layout_mounts:")
                text = text.replace("/farm/1/temp", "/plot_temp/")
                path.write_text(text.replace("  #- {", "  - {"))
        path = self.inventory / "hosts.yml"
        groups = path.read_text().replace("  hosts: {}\n", "  hosts:\n")
        groups = groups.replace("#plotter1:", "  plotter1:").replace(
            "#harvester1:", "  harvester1:"
        )
        path.write_text(re.sub(r"(?m)^(plotter:.*\n  hosts:\n)", r"\1    plotter1:\n", groups))
        (self.inventory / "group_vars/all/closed.yml").write_text(yaml.safe_dump(CLOSED))
        plotter = self.inventory / "group_vars/plotter.yml"
        plotter.write_text(plotter.read_text().replace("goplot_k: 32", "goplot_k: 25"))

    def start_plotting(self) -> None:
        """Solo plots, from the pool public key that `goplot keys` printed."""
        shown = self.on_farmer("goplot keys")
        key = shown.split("pool public key", 1)[1].split()[0]
        path = self.inventory / "group_vars/plotter.yml"
        text = path.read_text().replace("on_toggle: stop", "on_toggle: run")
        text = text.replace('# goplot_pool_public_key: ""', f"goplot_pool_public_key: {key}")
        path.write_text(text)

    def await_plot(self) -> None:
        """`goplot status` says what goes on; in the end there is a plot of the farmer's key."""
        plotter = self.machine("plotter1")

        def finished() -> bool:
            return bool(plotter.run("find", "/farm", "-name", "plot-k25-*.plot").split())

        print(plotter.run("goplot", "status", check=False), flush=True)
        wait_until("the first plot", finished, PLOT_SECONDS)
        print(plotter.run("goplot", "status", check=False), flush=True)


def main() -> int:
    return on_hosts("first-farm", HOSTS_FILE, _follow)


def _follow() -> int:
    command = [sys.executable, "-m", "tests.hosts", str(HOSTS_FILE), "up"]
    if subprocess.run(command, check=False).returncode:
        return 1
    with tempfile.TemporaryDirectory(prefix="first-farm-") as folder:
        owner = Owner(Path(folder))
        for line in commands(README.read_text(encoding="utf-8")):
            owner.run(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
