"""Make, use and remove test hosts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.hosts import base, disks, machine, network
from tests.hosts.machine import Machine
from tests.hosts.spec import STATE_ROOT, HostSet, SpecError, load
from tests.hosts.system import HostError, locked, remove_tree, require_machine, say

#: What a command does.
Act = Callable[[HostSet, argparse.Namespace], None]


def main() -> int:
    arguments = _parser().parse_args()
    try:
        hosts = load(arguments.spec)
        require_machine()
        with locked(STATE_ROOT / f"{hosts.name}.lock"):
            arguments.act(hosts, arguments)
        if arguments.act is _ssh:
            os.execvp(
                "ssh",
                ["ssh", "-F", str(hosts.state / "ssh/config"), arguments.host, *arguments.command],
            )
    except (HostError, SpecError) as error:
        print(f"hosts: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tests.hosts", description=__doc__)
    parser.add_argument("spec", type=Path, metavar="HOSTS.TOML", help="which hosts")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    act: Act
    for name, act, words in (
        ("up", _up, "make and boot the hosts; does nothing where they stand"),
        ("down", _down, "remove the hosts and all that was made for them"),
        ("status", _status, "what is there, as JSON"),
    ):
        commands.add_parser(name, help=words).set_defaults(act=act)
    for name, act, words in (
        ("start", _start, "boot a host"),
        ("stop", _stop, "shut a host down in order"),
        ("restart", _restart, "stop and start a host"),
        ("kill", _kill, "cut a host's power"),
        ("cut", _cut, "take a host off the network"),
        ("join", _join, "put a host back on the network"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("host")
        command.set_defaults(act=act)
    for name, act, words in (
        ("unplug", _unplug, "leave a disk out from the next start on"),
        ("plug", _plug, "have a disk again from the next start on"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("host")
        command.add_argument("disk")
        command.set_defaults(act=act)
    ssh = commands.add_parser("ssh", help="a shell or a command on a host")
    ssh.add_argument("host")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    ssh.set_defaults(act=_ssh)
    return parser


def _up(hosts: HostSet, _: argparse.Namespace) -> None:
    tree = base.ensure(hosts.suite)
    machine.ensure_keys(hosts)
    network.up(hosts)
    machines = [Machine(hosts, host) for host in hosts.hosts]
    for one in machines:
        one.create(tree)
    machine.write_ssh_settings(hosts)
    # Loop devices are claimed one after the other: two at once may be given the same one.
    for one in machines:
        for disk in one.host.disks:
            if disk.name not in one.detached():
                disks.attach(hosts, one.host, disk)
    with ThreadPoolExecutor(len(machines)) as pool:
        list(pool.map(Machine.start, machines))
    for one in machines:
        say(f"{one.host.name} is up at {one.host.address}")


def _down(hosts: HostSet, _: argparse.Namespace) -> None:
    for host in hosts.hosts:
        Machine(hosts, host).destroy()
    network.down(hosts)
    remove_tree(hosts.state)
    say(f"the {hosts.name} hosts are gone")


def _status(hosts: HostSet, _: argparse.Namespace) -> None:
    print(machine.summary(hosts))


def _start(hosts: HostSet, arguments: argparse.Namespace) -> None:
    network.up(hosts)
    Machine(hosts, hosts.host(arguments.host)).start()


def _stop(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).stop()


def _restart(hosts: HostSet, arguments: argparse.Namespace) -> None:
    _stop(hosts, arguments)
    _start(hosts, arguments)


def _kill(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).cut_power()


def _cut(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).cut_network(True)


def _join(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).cut_network(False)


def _unplug(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).unplug(arguments.disk)


def _plug(hosts: HostSet, arguments: argparse.Namespace) -> None:
    Machine(hosts, hosts.host(arguments.host)).plug(arguments.disk)


def _ssh(hosts: HostSet, arguments: argparse.Namespace) -> None:
    hosts.host(arguments.host)


if __name__ == "__main__":
    sys.exit(main())
