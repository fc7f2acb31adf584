"""Running programs, and what must be on the machine before hosts can be made."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "mkfs.xfs": "xfsprogs",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.ext4": "e2fsprogs",
    "ssh": "openssh-client",
    "nsenter": "util-linux",
}


class HostError(Exception):
    """Hosts can't be made or reached; the message is one line with the cure."""


def say(text: str) -> None:
    """A progress line."""
    print(f"hosts: {text}", flush=True)


def run(
    *command: str | Path,
    stdin: str | None = None,
    check: bool = True,
    pass_fds: Sequence[int] = (),
) -> str:
    """Run a program and return what it printed; HostError with its last words if it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=pass_fds,
        )
    except FileNotFoundError as error:
        raise HostError(f"{command[0]} is not installed") from error
    if check and done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise HostError(f"{' '.join(map(str, command))}: {words[-1] if words else 'failed'}")
    return done.stdout


def wait_until(what: str, condition: Callable[[], bool], seconds: float) -> None:
    """Poll a condition; HostError that names it when it does not come true in time."""
    end = time.monotonic() + seconds
    pause = 0.02
    while not condition():
        if time.monotonic() > end:
            raise HostError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a lock file; yields its descriptor.

    A program that gets the descriptor (pass_fds) holds the lock too: when this process is killed,
    the next run waits for what is still at work.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run to release {path}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def mounts_under(path: Path) -> list[Path]:
    """Mount points at or below a path, deepest first."""
    found = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        point = Path(line.split()[1].replace("\\040", " "))
        if point == path or path in point.parents:
            found.append(point)
    return sorted(found, key=lambda point: len(point.parts), reverse=True)


def remove_tree(path: Path) -> None:
    """Remove a tree, its immutable folders too, after unmounting whatever is mounted in it."""
    for point in mounts_under(path):
        run("umount", point)
    if not path.exists():
        return
    for folder, _, _ in os.walk(path):
        _clear_immutable(Path(folder))
    shutil.rmtree(path)


def _clear_immutable(folder: Path) -> None:
    get_flags, set_flags, immutable = 0x80086601, 0x40086602, 0x10
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flags = int.from_bytes(fcntl.ioctl(handle, get_flags, bytes(8)), sys.byteorder)
        if flags & immutable:
            fcntl.ioctl(handle, set_flags, (flags & ~immutable).to_bytes(8, sys.byteorder))
    finally:
        os.close(handle)


def require_machine() -> None:
    """Check that this machine can host, and install what is missing. Raises HostError."""
    if os.geteuid() != 0:
        raise HostError("test hosts need root: run the same command with sudo or as root")
    filesystems = Path("/proc/filesystems").read_text(encoding="utf-8").split()
    if "overlay" not in filesystems:
        run("modprobe", "overlay", check=False)
        if "overlay" not in Path("/proc/filesystems").read_text(encoding="utf-8").split():
            raise HostError(
                "this kernel has no overlayfs: use a machine with a stock Debian kernel"
            )
    if not Path("/dev/loop-control").exists():
        run("modprobe", "loop", check=False)
        if not Path("/dev/loop-control").exists():
            raise HostError("no loop devices here: use a machine or container that has them")
    missing = sorted({PACKAGES[tool] for tool in PACKAGES if shutil.which(tool) is None})
    if missing:
        install(*missing)


def install(*packages: str) -> None:
    """Install Debian packages on this machine. Raises HostError where that can't be done."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise HostError(f"install {' '.join(packages)}: only root with apt-get can do it from here")
    say(f"installing {' '.join(packages)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-q", "-y", "--no-install-recommends", *packages)
