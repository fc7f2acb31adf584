"""The harvester collector: what is farmed against what lies on the disks."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from goplot.chia.rpc import Certificates
from goplot.collectors import harvester as collector
from goplot.collectors.harvester import Files, format_of, scan
from goplot.host.mounts import Mount, read_mounts
from goplot.host.textfile import Samples, read_samples
from tests.support import rpc_server
from tests.support.farm_root import FarmRoot
from tests.support.farmer import value
from tests.support.processes import add_process
from tests.support.rpc_server import COMMON, Answer, Server, Service

NAME = "plot-k32-2026-11-22-17-53-" + "ab" * 32


@pytest.fixture
def service(ca: Certificates) -> Iterator[Service]:
    with Server(ca, COMMON) as made:
        yield made


def add_plot(root: FarmRoot, disk: str, name: str, size: int = 1000) -> Path:
    """A plot file."""
    path = root.disk(int(disk[0]), disk[2:]) / "plots" / name
    path.write_bytes(b"x" * size)
    return path


def plot(path: Path, size: int = 32, level: int = 0) -> dict[str, object]:
    """An entry of get_plots."""
    return {
        "filename": str(path),
        "size": size,
        "file_size": 1000,
        "compression_level": level,
    }


def collect(root: FarmRoot, service: Service, ca: Certificates) -> Samples:
    """One run."""
    address = f"{service.address.host}:{service.address.port}"
    root.configure(more=f'[harvester_collector]\nharvester = "{address}"\ntimeout_seconds = 1\n')
    settings = root.settings
    assert settings.harvester_collector is not None
    return read_samples(collector.collect(settings, settings.harvester_collector, ca).render())


def test_plots_by_format_and_disk(root: FarmRoot, service: Service, ca: Certificates) -> None:
    first = add_plot(root, "1/disk1", f"{NAME}.plot")
    second = add_plot(root, "1/disk1", "plot-k32-c05-x.plot")
    third = add_plot(root, "2/disk2", "plot-k28-x.plot2")
    beside = root.disk(2, "disk2") / "plot-k32-beside.plot"
    beside.write_bytes(bytes(1000))
    add_plot(root, "2/disk2", "plot-k32-unseen.plot")
    add_plot(root, "2/disk2", "plot-k32-x.plot.2.tmp")
    service.answers["get_plots"] = {
        "plots": [
            plot(first),
            plot(second, level=5),
            plot(third, size=0x82),
            plot(beside),
            plot(Path("/elsewhere/x.plot")),
        ],
        "failed_to_open_filenames": ["a", "b"],
        "not_found_filenames": [],
    }
    samples = collect(root, service, ca)
    assert value(samples, "chia_harvester_up") == 1
    assert value(samples, "chia_harvester_plots", version="v1", k="32", compression="0") == 3
    assert value(samples, "chia_harvester_plots", version="v1", k="32", compression="5") == 1
    assert value(samples, "chia_harvester_plots", version="v2", k="28", compression="0") == 1
    assert value(samples, "chia_harvester_disk_plots", farm="1", disk="disk1") == 2
    assert value(samples, "chia_harvester_disk_plots", farm="2", disk="disk2") == 2
    assert value(samples, "chia_harvester_disk_plots", farm="1", disk="disk3") == 0
    assert value(samples, "chia_harvester_disk_plots", farm="", disk="other") == 1
    assert value(samples, "goplot_harvester_disk_plot_files", farm="2", disk="disk2") == 3
    assert value(samples, "goplot_harvester_disk_plot_files_bytes", farm="1", disk="disk1") == 2000
    assert value(samples, "chia_harvester_failed_plots") == 2
    assert value(samples, "chia_harvester_farmer_connections") == 1
    release = {"service": "harvester", "version": "2.7.5", "protocol": "0.0.38"}
    assert value(samples, "chia_protocol_info", **release) == 1


def test_a_disk_that_fell_out_shows_at_once(
    root: FarmRoot, service: Service, ca: Certificates
) -> None:
    path = add_plot(root, "1/disk1", f"{NAME}.plot")
    service.answers["get_plots"] = {"plots": [plot(path)]}
    root.unmount(root.disk(1, "disk1"))
    samples = collect(root, service, ca)
    labels = {"farm": "1", "disk": "disk1"}
    assert value(samples, "chia_harvester_disk_plots", **labels) == 1
    assert value(samples, "goplot_harvester_disk_plot_files", **labels) == 0
    assert value(samples, "goplot_harvester_disk_mounted", **labels) == 0
    assert value(samples, "goplot_harvester_disk_up", **labels) == 0


@pytest.mark.parametrize("ill", [rpc_server.hang, rpc_server.die])
def test_it_works_where_the_harvester_is_down(
    root: FarmRoot, service: Service, ca: Certificates, ill: Answer
) -> None:
    add_plot(root, "1/disk1", f"{NAME}.plot")
    for endpoint in [*service.answers, "get_plots"]:
        service.answers[endpoint] = ill
    samples = collect(root, service, ca)
    assert value(samples, "chia_harvester_up") == 0
    assert "chia_harvester_plots" not in samples
    assert "chia_harvester_farmer_connections" not in samples
    assert value(samples, "goplot_harvester_disk_plot_files", farm="1", disk="disk1") == 1


def test_a_harvester_without_its_farmer(root: FarmRoot, service: Service, ca: Certificates) -> None:
    service.answers["get_connections"] = {"connections": []}
    assert value(collect(root, service, ca), "chia_harvester_farmer_connections") == 0


def test_process_states(root: FarmRoot, service: Service, ca: Certificates) -> None:
    for number, name, state in ((7, "chia_harvester", "T"), (8, "chia_farmer", "S")):
        add_process(root.path / "proc", number, name=name, state=state)
    samples = collect(root, service, ca)
    assert value(samples, "chia_harvester_processes", state="stopped") == 1
    assert value(samples, "chia_harvester_processes", state="running") == 0


def test_a_disk_that_hangs_holds_up_no_other(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_plot(root, "1/disk3", f"{NAME}.plot")
    hung, good = root.disk(1, "disk1"), root.disk(1, "disk3")
    released = threading.Event()
    plain = collector._files

    def files(disk: Path, mounts: Mapping[str, Mount]) -> Files:
        if disk == hung:
            released.wait()
        return plain(disk, mounts)

    monkeypatch.setattr(collector, "_files", files)
    found = scan([hung, good], read_mounts(root.path / "mountinfo"), patience=0.3)
    released.set()
    assert found[hung].mounted is None
    assert found[good] == Files(True, 1, 1000)


def test_formats() -> None:
    assert format_of({"size": 33, "compression_level": 7}) == ("v1", "33", "7")
    assert format_of({"size": 0x80, "filename": "/x/plot-k28-ab.plot2"}) == ("v2", "28", "0")
    assert format_of({}) == ("v1", "0", "0")
