"""What happens to farms besides kills: each mishap begins at a step and ends some seconds later.

Each is what a person, a program or a file system really does. While it lasts, and after it,
everything of tests/campaign/watch.py holds. Two disks and a temp farm on one file system are not a
mishap here: the farm has them all the time.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from goplot.host.mounts import read_space
from tests.campaign.farm import DISKS, POOL, SETTINGS, STATE, TEMPS, Farm
from tests.campaign.watch import Watch, unpromised
from tests.hosts.system import HostError, wait_until

MAX_PLOTS = 8
_PLOTTER = "/opt/small-plots/chia_small_plots"
# A file on each disk that can go: a refusal ends when somebody makes room.
_SPARE = "spare"
_SPARE_BYTES = 8 << 20
# At least what a plot by hand writes to its disk.
_BY_HAND_BYTES = 8 << 20


class Mishap(ABC):
    """One mishap: how it begins, and how it ends."""

    def __init__(self, farm: Farm, watch: Watch, chance: random.Random) -> None:
        self.farm = farm
        self.watch = watch
        self.chance = chance

    @abstractmethod
    def begin(self) -> bool:
        """Let it happen. False if that is not possible now: it is tried again later."""

    def end(self) -> None:  # noqa: B027 - not every mishap lasts
        """Undo it."""


class OwnNames(Mishap):
    """Plots have names that goplot did not choose; one in four is not UTF-8."""

    def begin(self) -> bool:
        self._use("own")
        return True

    def end(self) -> None:
        self._use("chiapos")

    def _use(self, plotter: str) -> None:
        self.farm.run("sed", "-i", f's/^plotter = .*/plotter = "{plotter}"/', SETTINGS)


class NotUtf8(Mishap):
    """Files and folders whose names are not UTF-8, wherever goplot looks."""

    _FOLDERS = (b"/farm/1/cass\xe9", b"/plot_temp/2/\xff\xfe", b"/farm/2/disk3/plots/\xe9t\xe9")
    _FILES = (b"/farm/2/disk4/logs/plot.\xe9.log", b"/etc/chia/goplot/disks/cass\xe9.goplot")

    def begin(self) -> bool:
        try:
            for folder in self._FOLDERS:
                self._inside(folder).mkdir(exist_ok=True)
            for file in self._FILES:
                self._inside(file).touch()
        except OSError as error:
            # A disk may be full, or hold no further file, at this moment.
            if error.errno != errno.ENOSPC:
                raise
            self.end()
            return False
        self.watch.foreign |= {os.fsdecode(path) for path in self._FOLDERS}
        # Every program looks there.
        self.farm.run("goplot", "diskhand")
        self.farm.status()
        return True

    def end(self) -> None:
        for path in (*self._FOLDERS, *self._FILES):
            self.farm.remove(os.fsdecode(path))
        self.watch.foreign -= {os.fsdecode(path) for path in self._FOLDERS}

    def _inside(self, path: bytes) -> Path:
        return self.farm.inside(os.fsdecode(path))


class Clock(Mishap):
    """The clock is set ahead or back, and is right again later."""

    _STEPS = (-86400 * 40, -86400, -3600, -90, 90, 3600, 86400, 86400 * 40)

    def begin(self) -> bool:
        self.farm.set_clock(float(self.chance.choice(self._STEPS)))
        return True

    def end(self) -> None:
        self.farm.set_clock(0.0)


class Limit(Mishap):
    """A disk shows room and refuses a plot for its size: EFBIG, as with a limit of 4 GiB."""

    def begin(self) -> bool:
        farm = self.farm
        for index, job in sorted(farm.jobs().items()):
            tractor = farm.main_pid(f"goplot-plot@{index}.service")
            # The plotter that runs already keeps its own limits.
            if tractor and job["stage"] == "plotting" and farm.plotter_pid(index):
                before = _refusals(farm)
                limit(farm, tractor, str(1 << 20))
                with contextlib.suppress(HostError):
                    wait_until(
                        "a refusal",
                        lambda: _refusals(farm) != before or index not in farm.jobs(),  # noqa: B023
                        10,
                    )
                return _refusals(farm) != before
        return False

    def end(self) -> None:
        for index in self.farm.jobs():
            if tractor := self.farm.main_pid(f"goplot-plot@{index}.service"):
                limit(self.farm, tractor, "unlimited")
        make_room(self.farm)


class Quota(Mishap):
    """A disk shows room and refuses a plot for a quota: EDQUOT."""

    def begin(self) -> bool:
        self._disk = self.chance.choice(list(POOL.values()))
        self.farm.run("btrfs", "quota", "enable", self._disk)
        self.farm.run("btrfs", "quota", "rescan", "-w", self._disk, check=False)
        shown = self.farm.run("btrfs", "qgroup", "show", "--sync", "--raw", "-f", self._disk)
        used = int(shown.splitlines()[-1].split()[1])
        # Room for logs and for what is there, and for no plot.
        self.farm.run("btrfs", "qgroup", "limit", str(used + (1 << 20)), self._disk)
        return True

    def end(self) -> None:
        # After a power cut the quota may be gone.
        self.farm.run("btrfs", "quota", "disable", self._disk, check=False)
        make_room(self.farm)


class NoInodes(Mishap):
    """A disk with room holds as many files as it can."""

    _DISK = DISKS["disk4"]

    def begin(self) -> bool:
        folder = self.farm.inside(f"{self._DISK}/many")
        folder.mkdir()
        with contextlib.suppress(OSError):
            for number in itertools.count():
                (folder / f"{number}").touch()
        assert os.statvfs(folder).f_favail == 0
        return True

    def end(self) -> None:
        self.farm.remove(f"{self._DISK}/many")
        make_room(self.farm)


class Full(Mishap):
    """Somebody fills a disk, but for what plots under way will still write and less than a plot.

    Plots by hand are under way, too: without room they would wait for it for ever.
    """

    def begin(self) -> bool:
        self._disk = DISKS[self.chance.choice(["disk2", "disk3", "disk4"])]
        with starts_held(self.farm):
            left = unpromised(self.farm, self._disk) - self.watch.by_hand.get(self._disk, 0)
            size = left - (2 << 20)
            if size <= 0:
                return False
            self.farm.run("fallocate", "-l", str(size), f"{self._disk}/filler")
        return True

    def end(self) -> None:
        self.farm.remove(f"{self._disk}/filler")
        make_room(self.farm)


class RootsHand(Mishap):
    """Root runs the programs of goplot by hand, beside its services."""

    _COMMANDS = (
        ("goplot", "diskhand"),
        ("goplot", "collect"),
        ("goplot", "set", "max_plots", f"{MAX_PLOTS}"),
        ("/opt/goplot/current/bin/goplot-diskhand",),
        ("/opt/goplot/current/bin/goplot-plotter-collector",),
    )
    #: They end with a status of their own where there are problems.
    _QUESTIONS = (("goplot", "status"), ("goplot", "disks"), ("goplot", "plot", "--dry-run"))

    def begin(self) -> bool:
        self.farm.run("systemctl", "reset-failed", "goplot-plotter-collector.service")
        for command in self.chance.sample(self._COMMANDS, 2):
            self.farm.run(*command)
        self.farm.run(*self.chance.choice(self._QUESTIONS), check=False)
        return True


class ForeignPlotter(Mishap):
    """Somebody makes a plot by hand beside goplot's: plainly, by sh, by sudo, or by both."""

    _TEMP = f"{TEMPS['temp1']}/by-hand"
    _DISK = DISKS["disk3"]
    _SHELL = ("sh", "-c", '"$@"; true', "sh")
    _SUDO = ("sudo", "-n", "--")
    _WRAPPERS: tuple[tuple[str, ...], ...] = ((), _SHELL, _SUDO, (*_SUDO, *_SHELL))

    def begin(self) -> bool:
        farm = self.farm
        if unpromised(farm, self._DISK) < 2 * _BY_HAND_BYTES:
            return False
        settings = farm.inside(SETTINGS).read_text(encoding="utf-8").splitlines()
        keys = [line.split('"')[1] for line in settings if "_public_key = " in line]
        farm.run("mkdir", self._TEMP)
        self.watch.foreign.add(self._TEMP)
        self.watch.by_hand[self._DISK] = _BY_HAND_BYTES
        words: tuple[str, ...]
        words = (_PLOTTER, "plots", "create", "-n", "1", "-k", "18", "-f", keys[0], "-p", keys[1])
        # Relative to its own folder, as people give it.
        words += ("-t", "by-hand", "-2", "by-hand", "-d", f"{self._DISK}/plots")
        wrapper = self.chance.choice(self._WRAPPERS)
        start = f'cd {TEMPS["temp1"]} && setsid "$@" >/dev/null 2>&1 &'
        farm.run("sh", "-c", start, "sh", *wrapper, *words)
        wait_until("a plotter by hand", lambda: self._process() != "", 30)
        farm.run("kill", "-STOP", self._process())
        counted = farm.status()["foreign"]
        assert counted == 1, f"plotters by hand are counted as {counted}, not as 1: {wrapper}"
        return True

    def end(self) -> None:
        farm = self.farm
        if process := self._process():
            farm.run("kill", "-CONT", process)
            # sudo stops itself with what it runs.
            farm.run("pkill", "-CONT", "-x", "sudo", check=False)
            wait_until("the plot by hand", lambda: self._process() == "", 120)
            there = farm.plots() - self.watch.foreign
            known = {job["plot_file"] for job in farm.jobs().values()}
            known |= {result["plot_file"] for result in farm.results()}
            made = {path for path in there if Path(path).name not in known}
            assert len(made) == 1, f"the plotter by hand left {made}"
            farm.run("sync", "-f", self._DISK)
            self.watch.foreign |= made
        farm.remove(self._TEMP)
        self.watch.foreign.discard(self._TEMP)
        self.watch.by_hand.pop(self._DISK, None)

    def _process(self) -> str:
        pattern = r"chia_small_plots\.py plots create .* by-hand"
        return self.farm.run("pgrep", "-o", "-f", pattern, check=False).strip()


KINDS: dict[str, type[Mishap]] = {
    "own names": OwnNames,
    "names no UTF-8": NotUtf8,
    "clock": Clock,
    "size refused": Limit,
    "quota": Quota,
    "no inodes": NoInodes,
    "full": Full,
    "root's hand": RootsHand,
    "plotter by hand": ForeignPlotter,
}


def limit(farm: Farm, process: int, size: str) -> None:
    """Limit the size of the files that a process of goplot writes; it may be over."""
    farm.run(
        "runuser",
        "-u",
        "goplot",
        "--",
        "prlimit",
        f"--pid={process}",
        f"--fsize={size}:unlimited",
        check=False,
    )


def have_spares(farm: Farm) -> None:
    """A file that can go on every disk that takes plots and has room for it."""
    refused = json.loads(_refusals(farm) or "{}")
    for disk in DISKS.values():
        if disk not in refused and not farm.inside(f"{disk}/{_SPARE}").exists():
            with starts_held(farm):
                files = read_space(farm.inside(disk)).inodes
                if files and unpromised(farm, disk) > 8 * _SPARE_BYTES:
                    farm.run("fallocate", "-l", str(_SPARE_BYTES), f"{disk}/{_SPARE}")


def make_room(farm: Farm) -> None:
    """As a person does on a disk that refused a plot; those that found none are tried at once."""
    for disk in json.loads(_refusals(farm) or "{}"):
        farm.remove(f"{disk}/{_SPARE}")
    for index, job in farm.jobs().items():
        if job["stage"] == "stranded":
            farm.run("systemctl", "stop", f"goplot-plot@{index}.service")


def forget_refusals(farm: Farm) -> None:
    """Have every disk that refused a plot as if it were another one, and try it at once."""
    farm.remove(f"{STATE}/refusals.json")
    make_room(farm)


def _refusals(farm: Farm) -> str:
    path = farm.inside(f"{STATE}/refusals.json")
    return path.read_text(encoding="utf-8") if path.exists() else ""


@contextlib.contextmanager
def starts_held(farm: Farm) -> Iterator[None]:
    """No plot gets a place meanwhile: goplot's own lock is held."""
    with farm.inside(f"{STATE}/start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
