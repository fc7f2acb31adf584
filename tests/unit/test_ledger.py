"""The space ledger over random orders of events: no disk and no temp farm is ever promised twice.

Jobs start where placement puts them, write, finish, fail and crash in any order, disks come and
go, people take them out. What jobs really write never exceeds what was reserved for them, so if
the ledger is right nothing ever runs full.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from goplot.farm.disks import (
    NOT_MOUNTED,
    OUT_OF_ROTATION_KIB,
    READ_ONLY,
    Disk,
    Space,
    TempFarm,
    Trouble,
)
from goplot.farm.formats import PlotFormat
from goplot.farm.jobs import Claim, Job, Stage, Start, Written, claim_of, ledger
from goplot.farm.placement import Limits, Need, Placement, place


@dataclass
class Volume:
    """A file system of the model: its size and what it holds."""

    name: str
    size: int
    used: int = 0


@dataclass
class Folder:
    """A disk or a temp farm of the model, and the file system that it is on."""

    volume: Volume
    trouble: Trouble | None = None
    taken_out: bool = False


@dataclass
class Run:
    """A job of the model and what it has written."""

    job: Job
    temp: int = 0
    dest: int = 0


class Farm(RuleBasedStateMachine):
    """A farm whose pacer starts as many plots as placement allows."""

    @initialize(
        sizes=st.lists(st.integers(0, 400), min_size=1, max_size=6),
        disks=st.lists(st.integers(0, 5), min_size=1, max_size=6),
        temps=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    )
    def build(self, sizes: list[int], disks: list[int], temps: list[int]) -> None:
        """Disks spread over two farms, and temp farms; several may be on one file system."""
        self.volumes = [Volume(f"8:{n}", size) for n, size in enumerate(sizes)]
        on = [self.volumes[n % len(sizes)] for n in (*disks, *temps)]
        self.disks = {
            Path(f"/farm/{n % 2 + 1}/d{n}"): Folder(volume)
            for n, volume in enumerate(on[: len(disks)])
        }
        self.temps = {
            Path(f"/plot_temp/{n}"): Folder(volume) for n, volume in enumerate(on[len(disks) :], 1)
        }
        self.runs: list[Run] = []
        self.by_hand: list[Claim] = []
        self.last = (0, 0)
        self.index = 0

    def look(self) -> tuple[list[Disk], list[TempFarm]]:
        """The farm as goplot sees it."""
        claims = [claim_of(run.job, Written(run.temp, run.dest)) for run in self.runs]
        folders = {**self.disks, **self.temps}
        volumes = {path: folder.volume.name for path, folder in folders.items()}
        book = ledger([*claims, *self.by_hand], volumes)
        disks = []
        for path, folder in self.disks.items():
            volume = folder.volume
            entry = book.of_disk(path, volume.name)
            disks.append(
                Disk(
                    farm=int(path.parts[2]),
                    name=path.name,
                    path=path,
                    space=Space(volume.used, volume.size - volume.used),
                    trouble=folder.trouble,
                    disk_file_kib=OUT_OF_ROTATION_KIB if folder.taken_out else None,
                    committed=entry.bytes,
                    jobs=len(entry.phases),
                    elsewhere=entry.elsewhere,
                    volume=volume.name,
                )
            )
        temps = []
        for path, folder in self.temps.items():
            volume = folder.volume
            entry = book.of_temp(path, volume.name)
            temps.append(
                TempFarm(
                    farm=int(path.name),
                    path=path,
                    space=Space(volume.used, volume.size - volume.used),
                    trouble=folder.trouble,
                    committed=entry.bytes,
                    phases=entry.phases,
                    elsewhere=entry.elsewhere,
                    volume=volume.name,
                )
            )
        return disks, temps

    @rule(plot=st.integers(1, 120), more_temp=st.integers(0, 120))
    def start(self, plot: int, more_temp: int) -> None:
        """Start a plot if there is room; the temp farm needs at least the plot's own size."""
        disks, temps = self.look()
        found = place(disks, temps, Need(plot, plot + more_temp), *self.last, Limits())
        assert found == place(disks, temps, Need(plot, plot + more_temp), *self.last, Limits())
        if not isinstance(found, Placement):
            return
        assert not self.disks[found.disk.path].taken_out
        assert self.disks[found.disk.path].trouble is None
        self.index += 1
        self.last = (found.disk.farm, found.temp.farm)
        job = Job(
            index=self.index,
            plotter="chiapos",
            format=PlotFormat(32),
            temp_farm=found.temp.farm,
            temp_path=found.temp.path,
            dest_farm=found.disk.farm,
            disk=found.disk.name,
            disk_path=found.disk.path,
            plot_bytes=plot,
            temp_bytes=plot + more_temp,
            start=Start(0, 0, ""),
            origin="pacer",
        )
        self.runs.append(Run(job))

    @rule(size=st.integers(1, 100), data=st.data())
    def start_by_hand(self, size: int, data: st.DataObject) -> None:
        """Somebody starts a plotter; it writes nothing yet, and its space is committed."""
        disks, temps = self.look()
        disk, temp = data.draw(st.sampled_from(disks)), data.draw(st.sampled_from(temps))
        together = 3 * size if disk.volume == temp.volume else 2 * size
        if disk.available >= size and temp.available >= together:
            self.by_hand.append(Claim(temp.path, 2 * size, disk.path, size, "start"))

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def write_temp(self, data: st.DataObject) -> None:
        """A plotter writes, up to what was reserved for it, or deletes."""
        run = data.draw(st.sampled_from(self.runs))
        if run.job.stage in (Stage.PLACED, Stage.PLOTTING):
            amount = data.draw(st.integers(0, run.job.temp_bytes))
            self.temps[run.job.temp_path].volume.used += amount - run.temp
            run.temp = amount
            run.job = replace(run.job, stage=Stage.PLOTTING)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def finish_plotting(self, data: st.DataObject) -> None:
        """Only the finished plot is left on temp."""
        run = data.draw(st.sampled_from(self.runs))
        if run.job.stage is Stage.PLOTTING:
            self.temps[run.job.temp_path].volume.used += run.job.plot_bytes - run.temp
            run.temp = run.job.plot_bytes
            run.job = replace(run.job, stage=Stage.DELIVERING)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        """Part of the plot, or all of it, is at the destination."""
        run = data.draw(st.sampled_from(self.runs))
        disk = self.disks[run.job.disk_path]
        if run.job.stage is Stage.DELIVERING and disk.trouble is None:
            amount = data.draw(st.integers(run.dest, run.job.plot_bytes))
            disk.volume.used += amount - run.dest
            run.dest = amount
            if amount == run.job.plot_bytes:
                self.temps[run.job.temp_path].volume.used -= run.temp
                self.runs.remove(run)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A job ends without a plot and its files go; its reservation goes with it."""
        run = data.draw(st.sampled_from(self.runs))
        self.temps[run.job.temp_path].volume.used -= run.temp
        self.disks[run.job.disk_path].volume.used -= run.dest
        self.runs.remove(run)

    @precondition(lambda self: self.by_hand)
    @rule()
    def end_by_hand(self) -> None:
        """A plotter that was started by hand writes its plot."""
        claim = self.by_hand.pop()
        assert claim.disk_path is not None
        self.disks[claim.disk_path].volume.used += claim.dest_bytes

    @rule(data=st.data(), trouble=st.sampled_from([None, NOT_MOUNTED, READ_ONLY]))
    def disk_changes(self, data: st.DataObject, trouble: Trouble | None) -> None:
        """A disk goes away, comes back, turns read-only."""
        self.disks[data.draw(st.sampled_from(sorted(self.disks)))].trouble = trouble

    @rule(data=st.data())
    def person_takes_out(self, data: st.DataObject) -> None:
        """A person takes a disk out, or brings it back."""
        disk = self.disks[data.draw(st.sampled_from(sorted(self.disks)))]
        disk.taken_out = not disk.taken_out

    @invariant()
    def nothing_runs_full(self) -> None:
        """What is written fits."""
        if hasattr(self, "disks"):
            for volume in self.volumes:
                assert 0 <= volume.used <= volume.size

    @invariant()
    def committed_never_exceeds_what_fits(self) -> None:
        """What is promised fits beside what is written."""
        if hasattr(self, "disks"):
            disks, temps = self.look()
            for disk in disks:
                assert disk.space is not None
                assert disk.committed + disk.elsewhere <= disk.space.free
            for temp in temps:
                assert temp.space is not None
                assert temp.committed + temp.elsewhere <= temp.space.free


TestLedger = Farm.TestCase


def test_a_job_commits_what_it_will_still_write() -> None:
    path = Path("/farm/1/a")
    job = Job(
        index=1,
        plotter="chiapos",
        format=PlotFormat(32),
        temp_farm=1,
        temp_path=Path("/plot_temp/1"),
        dest_farm=1,
        disk="a",
        disk_path=path,
        plot_bytes=100,
        temp_bytes=250,
        start=Start(0, 0, ""),
        origin="pacer",
    )
    plotting = claim_of(replace(job, stage=Stage.PLOTTING), Written(70, 0))
    assert (plotting.temp_bytes, plotting.dest_bytes) == (180, 100)
    copying = claim_of(replace(job, stage=Stage.DELIVERING), Written(100, 40))
    assert (copying.temp_bytes, copying.dest_bytes) == (0, 60)
    stranded = claim_of(replace(job, stage=Stage.STRANDED), Written(100, 0))
    assert (stranded.temp_bytes, stranded.disk_path) == (0, None)


def test_second_temporary_files_are_committed_to_their_temp_farm() -> None:
    first, second, disk = Path("/plot_temp/1"), Path("/plot_temp/9"), Path("/farm/1/a")
    claim = Claim(first, 70, disk, 100, "1", second, 30)
    book = ledger([claim], {first: "8:1", second: "0:9", disk: "8:2"})
    assert book.of_temp(second, "0:9").bytes == 30
    assert book.of_temp(first, "8:1").bytes == 70
    together = ledger([claim], {first: "8:1", second: "8:1", disk: "8:2"})
    assert together.of_temp(first, "8:1").elsewhere == 30
