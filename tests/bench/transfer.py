"""How fast plots travel to another host's disks: the ways that there are, in one run.

Run as `python -m tests.bench.transfer FOLDER`: three plots of 1 GiB are read from FOLDER/temp and
written to FOLDER/disk1 to 3, which should be on storage that is faster than what is measured
(/dev/shm is). Sender and receiver share this machine's cores, as two hosts do not. Every way ends
with each file on its disk (fsync); the stream and rsync also compare a checksum of the whole file.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

from goplot.chia.rpc import Certificates
from tests.bench.measure import Measure
from tests.hosts.system import install
from tests.support.rpc_server import make_ca

PLOTS = 3
PLOT_BYTES = 1 << 30
#: Three hard disks at 250 MB/s each.
GOAL = 750.0
#: rsync is taken if it has this share of the stream's rate, because it is the simpler way.
RSYNC_SHARE = 0.6
_CHUNK = 1 << 20
_FORK = get_context("fork")
# The folder that sshd wants for its separated privileges.
_PRIVILEGES = Path("/run/sshd")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.transfer", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="where plots are read and written, on fast storage"
    )
    folder: Path = parser.parse_args().folder
    missing = {"rsync": "rsync", "sshd": "openssh-server"}
    if packages := [name for tool, name in missing.items() if _program(tool) is None]:
        install(*packages)
    with tempfile.TemporaryDirectory(prefix="goplot-transfer-", dir=folder) as made:
        for measure in _measures(Path(made)):
            print(measure, flush=True)
    return 0


def _measures(folder: Path) -> Sequence[Measure]:
    sources = _make_plots(folder)
    certificates = make_ca(folder / "tls")
    ways: dict[str, Callable[[Sequence[Path]], None]] = {
        "dd": _dd,
        "plain TCP, sendfile, no checksum": lambda plots: _stream(plots, None),
        "stream over TLS 1.3, SHA-256 compared": lambda plots: _stream(plots, certificates),
    }
    found = []
    rates: dict[str, float] = {}
    with _Sshd(folder / "ssh") as sshd:
        ways["rsync over SSH, checksum compared"] = lambda plots: _rsync(plots, sshd)
        for name, way in ways.items():
            for plots in (sources[:1], sources):
                rate = max(_rate(way, plots, folder) for _ in range(2))
                key = f"{name}, {len(plots)} at once"
                rates[key] = rate
                found.append(Measure(key, rate, "MB/s"))
    baseline = rates[f"dd, {PLOTS} at once"]
    for name in ways:
        rate = rates[f"{name}, {PLOTS} at once"]
        found.append(Measure(f"ratio: {name} to dd, {PLOTS} at once", rate / baseline, "times"))
    rsync, stream = (rates[f"{name}, {PLOTS} at once"] for name in list(ways)[:1:-1])
    found.append(Measure("ratio: rsync to the stream (0.6: take rsync)", rsync / stream, "times"))
    found.append(
        Measure("the goal, as a share of the better one", GOAL / max(rsync, stream), "", 1)
    )
    return found


def _rate(way: Callable[[Sequence[Path]], None], plots: Sequence[Path], folder: Path) -> float:
    """MB/s of all plots together, until the last one is on its disk."""
    begin = time.monotonic()
    way(plots)
    seconds = time.monotonic() - begin
    for plot in plots:
        copy = _target(plot)
        if copy.stat().st_size != PLOT_BYTES:
            raise RuntimeError(f"{copy} did not arrive whole")
        copy.unlink()
    return len(plots) * PLOT_BYTES / seconds / 1e6


def _make_plots(folder: Path) -> list[Path]:
    (folder / "temp").mkdir()
    plots = []
    for number in range(1, PLOTS + 1):
        (folder / f"disk{number}").mkdir()
        plot = folder / "temp" / f"{number}.plot"
        block = os.urandom(_CHUNK)
        with plot.open("wb") as file:
            for _ in range(PLOT_BYTES // _CHUNK):
                file.write(block)
        plots.append(plot)
    return plots


def _target(plot: Path) -> Path:
    return plot.parents[1] / f"disk{plot.stem}" / plot.name


def _dd(plots: Sequence[Path]) -> None:
    _all(
        [
            ["dd", f"if={plot}", f"of={_target(plot)}", "bs=1M", "conv=fsync", "status=none"]
            for plot in plots
        ]
    )


def _all(commands: Sequence[Sequence[str]]) -> None:
    running = [subprocess.Popen(command) for command in commands]
    # Each is awaited, also after one that failed.
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"{commands[0][0]} failed")


def _stream(plots: Sequence[Path], certificates: Certificates | None) -> None:
    """One connection a plot; the receiver acknowledges when the file is on its disk."""
    with socket.create_server(("127.0.0.1", 0), backlog=len(plots)) as server:
        port = server.getsockname()[1]
        receivers = [_FORK.Process(target=_receive, args=(server, certificates)) for _ in plots]
        senders = [_FORK.Process(target=_send, args=(plot, port, certificates)) for plot in plots]
        for process in [*receivers, *senders]:
            process.start()
        for process in [*receivers, *senders]:
            process.join()
            if process.exitcode:
                raise RuntimeError("a stream failed")


def _send(plot: Path, port: int, certificates: Certificates | None) -> None:
    with socket.create_connection(("127.0.0.1", port)) as plain, plot.open("rb") as file:
        plain.sendall(str(_target(plot)).encode().ljust(512))
        if certificates is None:
            plain.sendfile(file)
            plain.shutdown(socket.SHUT_WR)
            _acknowledged(plain.recv(64), b"stored")
            return
        context = ssl.create_default_context(cafile=str(certificates.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.load_cert_chain(certificates.certificate, certificates.key)
        with context.wrap_socket(plain) as tls:
            digest = hashlib.sha256()
            block = memoryview(bytearray(_CHUNK))
            while count := file.readinto(block):
                digest.update(block[:count])
                tls.sendall(block[:count])
            _acknowledged(tls.recv(64), digest.digest())


def _acknowledged(answer: bytes, expected: bytes) -> None:
    if answer != expected:
        raise RuntimeError("the receiver has something else")


def _receive(server: socket.socket, certificates: Certificates | None) -> None:
    plain, _ = server.accept()
    with plain:
        target = plain.recv(512, socket.MSG_WAITALL).decode().strip()
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        os.posix_fallocate(descriptor, 0, PLOT_BYTES)
        if certificates is None:
            block = memoryview(bytearray(_CHUNK))
            while count := plain.recv_into(block):
                os.write(descriptor, block[:count])
            os.fsync(descriptor)
            plain.sendall(b"stored")
            return
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificates.certificate, certificates.key)
        with context.wrap_socket(plain, server_side=True) as tls:
            tls.sendall(_take(tls, descriptor))


def _take(tls: ssl.SSLSocket, descriptor: int) -> bytes:
    """Write what comes. Returns its checksum when it is on the disk."""
    digest = hashlib.sha256()
    block = memoryview(bytearray(_CHUNK))
    left = PLOT_BYTES
    while left:
        filled = 0
        # A record of TLS is at most 16 KiB.
        while filled < min(_CHUNK, left):
            filled += tls.recv_into(block[filled:])
        digest.update(block[:filled])
        os.write(descriptor, block[:filled])
        left -= filled
    os.fsync(descriptor)
    return digest.digest()


class _Sshd:
    """An SSH server of this user on the loopback, with keys of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self._folder = folder
        for name in ("host", "user"):
            self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    @property
    def shell(self) -> str:
        """The remote shell of rsync."""
        return (
            f"ssh -p {self._port} -i {self._folder}/user -o BatchMode=yes -o LogLevel=ERROR "
            "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o Compression=no "
            "-c aes128-gcm@openssh.com"
        )

    def __enter__(self) -> _Sshd:
        # Of its unit, which does not run where only this server is wanted.
        self._made = not _PRIVILEGES.exists()
        _PRIVILEGES.mkdir(exist_ok=True)
        options = (
            f"Port={self._port}",
            "ListenAddress=127.0.0.1",
            f"HostKey={self._folder}/host",
            f"AuthorizedKeysFile={self._folder}/authorized",
            "StrictModes=no",
            "PidFile=none",
            "LogLevel=QUIET",
        )
        program = _program("sshd") or "sshd"
        flags = [flag for option in options for flag in ("-o", option)]
        self._server = subprocess.Popen([program, "-D", "-e", "-f", "/dev/null", *flags])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except ConnectionRefusedError:
                if self._server.poll() is not None:
                    raise RuntimeError("sshd did not start") from None
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()
        if self._made:
            _PRIVILEGES.rmdir()

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True)


def _rsync(plots: Sequence[Path], sshd: _Sshd) -> None:
    """Rsync compares its own checksum of each whole file."""
    options = ["--whole-file", "--inplace", "--preallocate", "--fsync", "-e", sshd.shell]
    user = getpass.getuser()
    _all([["rsync", *options, str(plot), f"{user}@127.0.0.1:{_target(plot)}"] for plot in plots])


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


if __name__ == "__main__":
    sys.exit(main())
