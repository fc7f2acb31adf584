"""The test hosts themselves: made twice, interrupted, powered off, and gone without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet, load
from tests.hosts.system import HostError, mounts_under, run, wait_until
from tests.tools.guard import guarded

UUIDS = "6d0c0004-0000-4000-8000-00000000000"
SPEC = """
set = "selftest"
network = "10.77.4.0/24"

[[hosts]]
name = "one"
number = 11
disks = [
    {name = "ext", device = "/dev/vdb", size = "300M", fstype = "ext4", uuid = "@1"},
    {name = "xfs", device = "/dev/vdc", size = "300M", fstype = "xfs", uuid = "@2"},
    {name = "blank", device = "/dev/vdd", size = "300M"},
]

[[hosts]]
name = "two"
number = 12
""".replace("@", UUIDS)


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "hosts.toml"
    path.write_text(SPEC, encoding="utf-8")
    with guarded("selftest", path):
        yield path
    assert left_over(load(path)) == []


def command(spec: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "tests.hosts", str(spec), *words], check=True)


def left_over(hosts: HostSet) -> list[str]:
    """Whatever of a set is still on this machine."""
    found = [str(point) for point in mounts_under(hosts.state)]
    found += [
        str(process) for host in hosts.hosts for process in Machine(hosts, host).supervisors()
    ]
    links = json.loads(run("ip", "-j", "link"))
    found += [link["ifname"] for link in links if link["ifname"] == hosts.bridge]
    found += [line for line in run("nft", "list", "tables").splitlines() if hosts.table in line]
    found += [line for line in run("losetup", "-a").splitlines() if str(hosts.state) in line]
    found += [str(hosts.state)] if hosts.state.exists() else []
    for folder in ("/sys/fs/cgroup", "/run/systemd/nspawn"):
        # Unlike rglob, walk doesn't mind what goes away meanwhile.
        for top, folders, files in os.walk(folder):
            found += [f"{top}/{one}" for one in folders + files if _is_of(hosts, one)]
    return found


def _is_of(hosts: HostSet, name: str) -> bool:
    return name.startswith(f"gp-{hosts.name}-")


def test_hosts_are_made_once_and_keep_running(spec: Path) -> None:
    command(spec, "up")
    hosts = load(spec)
    leaders = [Machine(hosts, host).leader() for host in hosts.hosts]
    assert None not in leaders
    command(spec, "up")
    assert [Machine(hosts, host).leader() for host in hosts.hosts] == leaders


def test_units_of_one_host_are_no_matter_of_another(spec: Path) -> None:
    command(spec, "up")
    hosts = load(spec)
    one, two = (Machine(hosts, host) for host in hosts.hosts)
    for machine in (one, two):
        machine.run("systemd-run", "--quiet", "--unit=same", "cat", "/dev/zero")
    one.run("systemctl", "freeze", "same")
    assert two.run("systemctl", "show", "-p", "FreezerState", "--value", "same") == "running\n"
    frozen = "cat /sys/fs/cgroup/system.slice/same.service/cgroup.events"
    assert "frozen 0" in two.run("sh", "-c", frozen)
    one.run("systemctl", "thaw", "same")
    one.run("systemctl", "stop", "same")
    assert two.run("systemctl", "is-active", "same") == "active\n"


def test_disks_are_real_and_survive_a_power_cut(spec: Path) -> None:
    command(spec, "up")
    hosts = load(spec)
    one = Machine(hosts, hosts.host("one"))
    types = {name: one.run("blkid", "-p", "-s", "TYPE", "-o", "value", f"/dev/{name}", check=False)
             for name in ("vdb", "vdc", "vdd")}  # fmt: skip
    assert {name: kind.strip() for name, kind in types.items()} == {
        "vdb": "ext4",
        "vdc": "xfs",
        "vdd": "",
    }
    one.run("sh", "-c", "mount /dev/vdc /mnt && echo kept > /mnt/file && sync")
    command(spec, "kill", "one")
    command(spec, "start", "one")
    one.run("mount", f"UUID={UUIDS}2", "/mnt")
    assert one.run("cat", "/mnt/file") == "kept\n"


def test_an_unplugged_disk_is_gone_until_it_is_plugged_in(spec: Path) -> None:
    command(spec, "up")
    hosts = load(spec)
    one = Machine(hosts, hosts.host("one"))
    command(spec, "unplug", "one", "ext")
    command(spec, "restart", "one")
    assert one.run("sh", "-c", "ls /dev/vd?").split() == ["/dev/vdc", "/dev/vdd"]
    command(spec, "plug", "one", "ext")
    command(spec, "restart", "one")
    assert one.run("sh", "-c", "ls /dev/vd?").split() == ["/dev/vdb", "/dev/vdc", "/dev/vdd"]


def test_a_host_that_is_cut_off_answers_nobody(spec: Path) -> None:
    command(spec, "up")
    hosts = load(spec)
    two = Machine(hosts, hosts.host("two"))
    ping = ("sh", "-c", f"exec 3<>/dev/tcp/{hosts.host('one').address}/22")
    reach = ("timeout", "2", "bash", "-c", ping[2])
    two.run(*reach)
    command(spec, "cut", "one")
    with pytest.raises(HostError):
        two.run(*reach)
    command(spec, "join", "one")
    two.run(*reach)


@pytest.mark.parametrize("moment", ["the bridge is there", "a host has its disks", "a host runs"])
def test_an_interrupted_start_is_taken_up_again(spec: Path, moment: str) -> None:
    hosts = load(spec)
    one = Machine(hosts, hosts.host("one"))
    conditions = {
        "the bridge is there": lambda: Path("/sys/class/net", hosts.bridge).exists(),
        "a host has its disks": lambda: str(hosts.state) in run("losetup", "-a"),
        "a host runs": lambda: one.leader() is not None,
    }
    process = subprocess.Popen([sys.executable, "-m", "tests.hosts", str(spec), "up"])
    wait_until(moment, conditions[moment], 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    command(spec, "up")
    assert "ok" in one.run("echo", "ok")


KILLED_RUN = """
import subprocess, sys
from pathlib import Path
from tests.tools.guard import on_hosts
up = [sys.executable, "-m", "tests.hosts", sys.argv[1], "up"]
on_hosts("killed-run", Path(sys.argv[1]), lambda: subprocess.run(up).returncode)
"""


def test_a_killed_run_leaves_nothing(spec: Path) -> None:
    hosts = load(spec)
    one = Machine(hosts, hosts.host("one"))
    process = subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(spec)])
    wait_until("a host runs", lambda: one.leader() is not None, 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until("nothing is left", lambda: left_over(hosts) == [], 120)


def test_a_run_that_is_asked_twice_to_end_leaves_nothing(spec: Path) -> None:
    hosts = load(spec)
    one = Machine(hosts, hosts.host("one"))
    process = subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(spec)])
    wait_until("a host runs", lambda: one.leader() is not None, 120)
    process.terminate()
    removal = ("pgrep", "-f", f"tests.hosts {spec} down")
    wait_until("it removes its hosts", lambda: run(*removal, check=False) != "", 60)
    process.terminate()
    process.wait()
    wait_until("nothing is left", lambda: left_over(hosts) == [], 120)
