"""How long a site.yml with nothing to do takes on 3 hosts and on 30, beside a ping of the same run.

Run as `make bench-deploy`, as root: it makes the hosts and removes them. They are a farmer, a
plotter and harvesters with all that goplot installs, Chia's services too, and no disks. What pip
installed on the first harvester is given to the further 27 before they boot, as links to the same
files: their own installations would take an hour, and are not part of what is measured. All hosts
share this machine's cores, which a farm's hosts do not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.measure import Measure
from tests.hosts import base, machine
from tests.hosts.machine import Machine
from tests.hosts.spec import load
from tests.hosts.system import HostError
from tests.support.playbook import PROJECT, run_ansible
from tests.tools.guard import on_hosts

_NAME = "deploy"
_FOLDER = PROJECT / ".cache/bench-deploy"
_FEW, _MANY = 3, 30
#: Most pings that a run on few hosts may take, and most runs on few that one on many may take.
_PINGS, _TIMES = 30.0, 3.0
_VARIABLES: dict[str, Any] = {
    "ansible_user": "root",
    "ansible_ssh_common_args": f"-F /var/lib/goplot-hosts/{_NAME}/ssh/config",
    # This farm meets nobody: its Chia looks for no peers outside.
    "chia_settings": {
        name: {"dns_servers": [], "introducer_peer": {"host": "127.0.0.1"}}
        for name in ("full_node", "wallet")
    },
    "goplot_tunables": {"on_toggle": "stop"},
    "grafana_apt_repository": "http://127.0.0.1:8008",
    "grafana_apt_key": "http://127.0.0.1:8008/gpg-full.key",
}
#: Each host's systemd and its services take some; the kernel's default is enough for ten hosts.
_INOTIFY, _INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances"), 1024
# A plotter needs a temp farm.
_TEMP = {"path": "/plot_temp/1", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=100M"}


def main() -> int:
    """Measure, and print the figures. Exit code 1 when a target is missed."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    instances = int(_INOTIFY.read_text(encoding="ascii"))
    _INOTIFY.write_text(str(max(instances, _INSTANCES)), encoding="ascii")
    try:
        return _on_hosts()
    finally:
        _INOTIFY.write_text(str(instances), encoding="ascii")


def _on_hosts() -> int:
    # The whole set, so that all of it is removed, however this ends.
    return on_hosts("bench-deploy", _hosts_file(_MANY), _measure)


def _measure() -> int:
    _up(_FEW)
    _play(_FEW, "molecule/playbooks/grafana_stand_in.yml")
    few = _deployed(_FEW)
    _boot_as_the_first_harvester()
    _up(_MANY)
    many = _deployed(_MANY)
    ratio = Measure(
        f"ratio: {_MANY} hosts to {_FEW}", many[0].value / few[0].value, "times", _TIMES
    )
    print(ratio)
    found = [*few, *many, ratio]
    return int(any(one.most is not None and one.value > one.most for one in found))


def _deployed(count: int) -> list[Measure]:
    """Deploy, then measure a run that has nothing to do."""
    _play(count, "site.yml")
    pings = [_seconds(lambda: _ping(count)) for _ in range(2)]
    started = time.monotonic()
    output = _play(count, "site.yml")
    seconds = time.monotonic() - started
    pings += [_seconds(lambda: _ping(count)) for _ in range(2)]
    changed = [line for line in output.splitlines() if "changed=" in line]
    if any("changed=0 " not in line for line in changed):
        raise HostError("the second run had something to do:\n" + "\n".join(changed))
    ping = statistics.median(pings)
    most = _PINGS if count == _FEW else None
    found = [
        Measure(f"site.yml with nothing to do, {count} hosts", seconds, "s"),
        Measure("  a ping of all hosts, in this run", ping, "s"),
        Measure("  ratio: site.yml to a ping", seconds / ping, "times", most),
    ]
    for one in found:
        print(one, flush=True)
    return found


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _hosts_file(count: int) -> Path:
    """The first hosts of the set."""
    hosts = "".join(
        f'\n[[hosts]]\nname = "{name}"\nnumber = {number}\n'
        for number, name in enumerate(_names(count), 11)
    )
    path = _FOLDER / f"{count}.toml"
    path.write_text(f'set = "{_NAME}"\nnetwork = "10.77.30.0/24"\n{hosts}', encoding="utf-8")
    return path


def _names(count: int) -> list[str]:
    return ["farmer1", "plotter1", *(f"harv{number}" for number in range(1, count - 1))]


def _up(count: int) -> None:
    command = [sys.executable, "-m", "tests.hosts", str(_hosts_file(count)), "up"]
    subprocess.run(command, check=True)


def _boot_as_the_first_harvester() -> None:
    """Make the further hosts with the installed versions of Chia and goplot, a few at a time."""
    hosts = load(_hosts_file(_MANY))
    machine.ensure_keys(hosts)
    source = Machine(hosts, hosts.host("harv1")).folder / "upper/opt"
    machines = [Machine(hosts, host) for host in hosts.hosts[_FEW:]]
    for one in machines:
        one.create(base.ensure(hosts.suite))
        target = one.folder / "upper"
        subprocess.run(["cp", "--archive", "--link", source, target], check=True)
    with ThreadPoolExecutor(_FEW) as pool:
        list(pool.map(Machine.start, machines))


def _play(count: int, playbook: str) -> str:
    return _run(count, "ansible-playbook", PROJECT / playbook)


def _ping(count: int) -> str:
    return _run(count, "ansible", "all", "-m", "ansible.builtin.ping")


def _run(count: int, program: str, *arguments: str | Path) -> str:
    names = _names(count)
    addresses = {host.name: str(host.address) for host in load(_hosts_file(count)).hosts}
    inventory = {
        "all": {
            "vars": _VARIABLES,
            "hosts": {name: {"ansible_host": addresses[name]} for name in names},
            "children": {
                "farmer": {"hosts": {names[0]: {}}},
                "plotter": {"hosts": {names[1]: {"farm_layout_mounts": [_TEMP]}}},
                "harvester": {"hosts": {name: {} for name in names[2:]}},
            },
        }
    }
    path = _FOLDER / f"{count}.json"
    path.write_text(json.dumps(inventory), encoding="utf-8")
    done = run_ansible("-i", path, *arguments, program=program)
    if done.returncode:
        raise HostError(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
