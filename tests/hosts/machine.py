"""One host: a systemd-nspawn machine with its own root, address and disks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from tests.hosts import disks
from tests.hosts.spec import CACHE_ROOT, HostSet, HostSpec
from tests.hosts.system import HostError, mounts_under, remove_tree, run, wait_until

_ARCHIVES = CACHE_ROOT / "archives"
_PIP = CACHE_ROOT / "pip"
_FUSE = Path("/dev/fuse")
_PROPAGATE = Path("/run/systemd/nspawn/propagate")


class Machine:
    """A host of a set, running or not. What it is, is read from the system, never remembered."""

    def __init__(self, hosts: HostSet, host: HostSpec) -> None:
        self.hosts = hosts
        self.host = host
        self.folder = hosts.state / host.name
        self.name = f"gp-{hosts.name}-{host.name}"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def cable(self) -> str:
        """The machine's end of its cable to the bridge; a network interface has 15 letters."""
        return f"gpv-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def _control_group(self) -> Path:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        roots = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
        if not roots:
            raise HostError(
                "no cgroup2 hierarchy is mounted here: mount one, or use a newer kernel"
            )
        return Path(roots[0], self.name)

    def supervisors(self) -> list[int]:
        """Process ids of the nspawn that runs this machine (more than one only after a fault)."""
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and self._is_mine(entry)
        ]

    def _is_mine(self, process: Path) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0].endswith(b"systemd-nspawn") and f"--machine={self.name}".encode() in words

    def leader(self) -> int | None:
        """Process id of the machine's own PID 1, None when it is not running."""
        for supervisor in self.supervisors():
            children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
            with contextlib.suppress(OSError, ValueError):
                for child in children.read_text(encoding="ascii").split():
                    status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
                    numbers = next(line for line in status.splitlines() if line[:6] == "NSpid:")
                    if numbers.split()[-1] == "1":
                        return int(child)
        return None

    def start(self) -> None:
        """Boot the machine if it is not running, and wait until systemd and SSH are there."""
        if self.leader() is None:
            self._clean_up_after_crash()
            self._mount_root()
            self._boot()
        # Also of a machine whose start was interrupted before this.
        run("ip", "link", "set", self.cable, "master", self.hosts.bridge, "up")
        wait_until(f"{self.host.name}: boot", self._booted, 120)
        wait_until(f"{self.host.name}: ssh on {self.host.address}", self._answers, 60)

    def _booted(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).strip()
        return state in ("running", "degraded")

    def _answers(self) -> bool:
        try:
            with socket.create_connection((str(self.host.address), 22), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def run(self, *command: str | Path, check: bool = True, stdin: str | None = None) -> str:
        """Run a program in the machine as root and return what it printed."""
        leader = self.leader()
        if leader is None:
            raise HostError(f"{self.host.name} is not running: start it first")
        enter = ("nsenter", "--target", str(leader), "--all", "--", "/usr/bin/env", "-i")
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return run(*enter, path, "LANG=C.UTF-8", *command, check=check, stdin=stdin)

    def stop(self) -> None:
        """Shut the machine down in order, as its power button would."""
        leader = self.leader()
        if leader is not None:
            # systemd's poweroff request: systemd(1), SIGRTMIN+4.
            os.kill(leader, signal.SIGRTMIN + 4)
            with contextlib.suppress(HostError):
                wait_until(f"{self.host.name}: shutdown", lambda: not self.supervisors(), 40)
        self.cut_power()

    def cut_power(self) -> None:
        """End every process of the machine at once; what it had not synced may be lost."""
        leader = self.leader()
        for process in [leader, *self.supervisors()]:
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        wait_until(f"{self.host.name}: end of its processes", lambda: not self.supervisors(), 20)
        self._clean_up_after_crash()

    def _clean_up_after_crash(self) -> None:
        # The kernel takes a dead machine's network apart when it finds the time.
        if Path("/sys/class/net", self.cable).exists():
            run("ip", "link", "delete", self.cable, check=False)
        group = self._control_group
        if group.exists():
            (group / "cgroup.kill").write_text("1", encoding="ascii")
            events = group / "cgroup.events"
            wait_until(
                f"{self.host.name}: end of its control group",
                lambda: "populated 0" in events.read_text(encoding="ascii"),
                20,
            )
            # nspawn makes it in the named hierarchy of cgroup v1 too, where there is one.
            for root in (group, *Path("/sys/fs/cgroup").glob(f"*/{self.name}")):
                for folder, _, _ in os.walk(root, topdown=False):
                    Path(folder).rmdir()
        for point in mounts_under(self.root):
            run("umount", point)

    def create(self, base: Path) -> None:
        """Make the folder, keys and network settings of a machine that does not exist yet."""
        if (self.folder / "made").exists():
            return
        self._clean_up_after_crash()
        upper = self.folder / "upper"
        remove_tree(upper)
        for folder in (upper / "etc/ssh", upper / "root/.ssh", self.folder / "work", self.root):
            folder.mkdir(parents=True, exist_ok=True)
        (upper / "root").chmod(0o700)
        (upper / "root/.ssh").chmod(0o700)
        shutil.copy(self.hosts.state / "ssh/id_ed25519.pub", upper / "root/.ssh/authorized_keys")
        key = upper / "etc/ssh/ssh_host_ed25519_key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.host.name, "-f", key)
        files = {
            "etc/hostname": f"{self.host.name}\n",
            "etc/machine-id": f"{uuid.uuid4().hex}\n",
            "etc/hosts": self._hosts_file(),
            "etc/systemd/network/10-host0.network": self._network(),
        }
        for name, content in files.items():
            target = upper / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        archives = upper / "var/cache/apt/archives"
        archives.mkdir(parents=True)
        _link_archives(_ARCHIVES, archives)
        (self.folder / "base").write_text(f"{base}\n", encoding="utf-8")
        (self.folder / "made").touch()

    def destroy(self) -> None:
        """Stop the machine and remove all that it had, its disks too."""
        self.cut_power()
        archives = self.folder / "upper/var/cache/apt/archives"
        if archives.exists():
            _link_archives(archives, _ARCHIVES)
        for disk in self.host.disks:
            disks.detach(self.hosts, self.host, disk)
        remove_tree(self.folder)
        # nspawn leaves its own folder of a machine where /run is not a tmpfs.
        remove_tree(_PROPAGATE / self.name)

    def detached(self) -> set[str]:
        """Names of the disks that are pulled out: they come back with the next ``plug``."""
        folder = self.folder / "detached"
        return {entry.name for entry in folder.iterdir()} if folder.exists() else set()

    def unplug(self, disk: str) -> None:
        """Leave a disk out from the next start on."""
        self._disk(disk)
        (self.folder / "detached").mkdir(exist_ok=True)
        (self.folder / "detached" / disk).touch()

    def plug(self, disk: str) -> None:
        """Have a disk again from the next start on."""
        self._disk(disk)
        (self.folder / "detached" / disk).unlink(missing_ok=True)

    def _disk(self, name: str) -> None:
        if name not in {disk.name for disk in self.host.disks}:
            known = ", ".join(disk.name for disk in self.host.disks)
            raise HostError(f"{self.host.name} has no disk {name}: it has {known}")

    def cut_network(self, cut: bool) -> None:
        """Take the host off the network, or put it back, by its end of the cable."""
        self.run("ip", "link", "set", "host0", "down" if cut else "up")

    def _mount_root(self) -> None:
        base = Path((self.folder / "base").read_text(encoding="utf-8").strip())
        if not base.exists():
            raise HostError(f"{base} is gone: remove the hosts (down) and make them again (up)")
        layers = f"lowerdir={base},upperdir={self.folder}/upper,workdir={self.folder}/work"
        run("mount", "-t", "overlay", "-o", layers, self.name, self.root)

    def _boot(self) -> None:
        _PIP.mkdir(parents=True, exist_ok=True)
        binds = [f"--bind={_PIP}:/var/cache/pip"]
        if _FUSE.exists():
            binds.append(f"--bind={_FUSE}")
        links = []
        for disk in self.host.disks:
            if disk.name not in self.detached():
                loop = disks.attach(self.hosts, self.host, disk)
                # blkid and libmount look a UUID up by the kernel's name of the device.
                binds.append(f"--bind={loop}")
                links += [f"L {name} - - - - {loop}\n" for name in disk.names]
            else:
                disks.detach(self.hosts, self.host, disk)
        (self.root / "etc/tmpfiles.d").mkdir(exist_ok=True)
        (self.root / "etc/tmpfiles.d/disks.conf").write_text("".join(links), encoding="utf-8")
        # A control group of its own: nspawn puts every machine of one group into the same payload,
        # and their units would stop and freeze each other.
        self._control_group.mkdir(exist_ok=True)
        enter = f'echo $$ > "{self._control_group}/cgroup.procs" && exec "$@"'
        command = [
            *("sh", "-c", enter, "sh"),
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--boot",
            "--console=pipe",
            f"--machine={self.name}",
            f"--hostname={self.host.name}",
            f"--directory={self.root}",
            f"--network-veth-extra={self.cable}:host0",
            "--resolv-conf=bind-host",
            "--link-journal=no",
            *binds,
        ]
        environment = {"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with (self.folder / "console.log").open("ab") as console:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment,
                start_new_session=True,
            )
        wait_until(
            f"{self.host.name}: start",
            lambda: process.poll() is not None or self.leader() is not None,
            30,
        )
        if process.poll() is not None:
            output = (self.folder / "console.log").read_text(errors="replace")
            last = " | ".join(output.strip().splitlines()[-4:])
            raise HostError(f"{self.host.name} did not start: {last or 'no word'}")
        # nspawn makes the cable a moment after the leader.
        there = Path("/sys/class/net", self.cable).exists
        wait_until(f"{self.host.name}: its cable", there, 10)

    def _network(self) -> str:
        return f"""[Match]
Name=host0

[Network]
Address={self.host.address}/{self.hosts.network.prefixlen}
Gateway={self.hosts.gateway}
LinkLocalAddressing=no
"""

    def _hosts_file(self) -> str:
        lines = ["127.0.0.1 localhost"]
        lines += [f"{host.address} {host.name}" for host in self.hosts.hosts]
        return "\n".join([*lines, ""])


def ensure_keys(hosts: HostSet) -> None:
    """The key that opens the hosts of a set by SSH."""
    folder = hosts.state / "ssh"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    key = folder / "id_ed25519"
    if not key.with_suffix(".pub").exists():
        key.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"goplot-{hosts.name}", "-f", key)


def write_ssh_settings(hosts: HostSet) -> None:
    """known_hosts and an ssh_config, for Ansible and for a person: ssh -F FILE HOST."""
    folder = hosts.state / "ssh"
    known = []
    blocks = []
    for host in hosts.hosts:
        public = hosts.state / host.name / "upper/etc/ssh/ssh_host_ed25519_key.pub"
        kind, key, _ = public.read_text(encoding="utf-8").split(" ", 2)
        known.append(f"{host.address},{host.name} {kind} {key}\n")
        blocks.append(f"Host {host.name} {host.address}\n    HostName {host.address}\n")
    common = f"""    User root
    IdentityFile {folder}/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    StrictHostKeyChecking yes
"""
    (folder / "known_hosts").write_text("".join(known), encoding="utf-8")
    (folder / "config").write_text("".join(block + common for block in blocks), encoding="utf-8")


def _link_archives(source: Path, target: Path) -> None:
    """Share downloaded packages by hard link: the second host and the second run fetch nothing."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        return
    for package in source.glob("*.deb"):
        with contextlib.suppress(FileExistsError):
            os.link(package, target / package.name)


def summary(hosts: HostSet) -> str:
    """What of a set is there, as JSON."""
    rows = []
    for host in hosts.hosts:
        machine = Machine(hosts, host)
        rows.append(
            {
                "host": host.name,
                "address": str(host.address),
                "running": machine.leader() is not None,
                "detached": sorted(machine.detached()),
            }
        )
    return json.dumps(rows, indent=2)
