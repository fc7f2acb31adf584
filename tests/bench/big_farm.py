"""Large farms in a folder of their own."""

from pathlib import Path

from goplot.farm.formats import PlotFormat
from goplot.farm.jobs import Job
from goplot.host import clock
from goplot.host.jobstore import write_job
from tests.support.farm_root import FarmRoot, make_farm_root

FARMS = 10


def make_big_farm(path: Path, disks: int, plots: int, jobs: int) -> FarmRoot:
    """A farm of that many disks, plots (spread evenly, empty files) and running jobs."""
    path.mkdir()
    root = make_farm_root(path)
    root.mounted = {farm for farm in root.mounted if "plot_temp" in farm.parts}
    places: list[tuple[int, str, Path]] = []
    for number in range(disks):
        farm, name = number % FARMS + 1, f"d{number}"
        disk = root.disk(farm, name)
        (disk / "plots").mkdir(parents=True)
        (disk / "logs").mkdir()
        places.append((farm, name, disk))
        root.mounted.add(disk)
        for plot in range(number, plots, disks):
            name_of_plot = f"plot-k32-2026-11-22-17-53-{plot:064x}.plot"
            (disk / "plots" / name_of_plot).touch()
    root.write_mountinfo()
    for index in range(1, jobs + 1):
        farm, name, disk = places[index % disks]
        job = Job(
            index=index,
            plotter="chiapos",
            format=PlotFormat(32),
            temp_farm=1,
            temp_path=root.temp(1),
            dest_farm=farm,
            disk=name,
            disk_path=disk,
            plot_bytes=1 << 20,
            temp_bytes=1 << 20,
            start=clock.now(),
            origin="pacer",
        )
        write_job(root.path / "state" / "jobs", job)
    return root
