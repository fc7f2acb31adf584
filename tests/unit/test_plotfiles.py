"""The finished plot file: header, size for its format; and what a plot file is at all."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.collectors.harvester import Files, scan
from goplot.collectors.plotter import collect
from goplot.diskhand.service import look_into
from goplot.diskhand.service import main as diskhand
from goplot.farm.formats import PlotFormat
from goplot.host.diskstate import read_plots
from goplot.host.mounts import Mount, mount_id, read_mounts
from goplot.host.plotfiles import (
    Header,
    NotWholeError,
    clean,
    find_plots,
    read_header,
    verify,
)
from tests.support.farm_root import PLOT_ID, FarmRoot

K18 = f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot"
C05 = f"plot-k32-c05-2026-11-22-17-53-{PLOT_ID}.plot"
V1 = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID)
V2 = b"PLOT" + (2).to_bytes(4, "little") + bytes.fromhex(PLOT_ID)
# The first 64 bytes of a k18 plot of the next proof of space, made by chia_rs 0.48.0.
POS2_ID = "0cddf22db1a27fad8ca1846a71cef6b95c070092b7fa1015c6b5deefc7953737"
POS2 = bytes.fromhex(f"706f733201{POS2_ID}12020000008085695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf")


def make(path: Path, header: bytes, size: int) -> Path:
    """A file that begins with a header."""
    with path.open("wb") as file:
        file.write(header)
        file.truncate(size)
    return path


def test_a_whole_plot(tmp_path: Path) -> None:
    plot = make(tmp_path / K18, V1 + bytes([18]), 3889102)
    assert verify(plot, PlotFormat(18)) == PLOT_ID


def test_a_whole_compressed_plot(tmp_path: Path) -> None:
    compressed = PlotFormat(32, 5)
    plot = make(tmp_path / C05, V2 + bytes([32]), compressed.expected_bytes)
    assert verify(plot, compressed) == PLOT_ID


@pytest.mark.parametrize("magic", [b"pos2", b"PoS2"])
def test_the_header_of_the_next_proof_of_space(tmp_path: Path, magic: bytes) -> None:
    name = f"plot-k18-{POS2_ID}.plot2"
    plot = make(tmp_path / name, magic + POS2[len(magic) :], 638425)
    with plot.open("rb") as file:
        assert read_header(file.fileno()) == Header(POS2_ID, 18)
    with pytest.raises(NotWholeError, match="is k18 by its header, not k28"):
        verify(plot, PlotFormat(28))
    # The sizes of formats are those of v1 plots.
    with pytest.raises(NotWholeError, match="638425 bytes"):
        verify(plot, PlotFormat(18))
    # A file that ends within its header.
    os.truncate(plot, 37)
    with plot.open("rb") as file:
        assert read_header(file.fileno()) is None


@pytest.mark.parametrize(
    ("name", "header", "size", "words"),
    [
        (K18.replace("k18", "k19"), V1 + bytes([19]), 3889102, "is k19 by its header, not k18"),
        (C05, V2 + bytes([32]), 3889102, "is k32 by its header, not k18"),
        (K18, V1 + bytes([18]), 2_000_000, "2000000 bytes"),
        (K18, V1 + bytes([18]), 9_000_000, "9000000 bytes"),
        (K18, b"\0" * 52, 3889102, "no known plot header"),
        (K18, V1[:-1] + b"\0" + bytes([18]), 3889102, "another id"),
        (K18, V1, 51, "no known plot header"),
        ("mine.plot", V1 + bytes([18]), 2_000_000, "2000000 bytes"),
        ("x-c19-x.plot", V1 + bytes([18]), 9_000_000, "9000000 bytes"),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, name: str, header: bytes, size: int, words: str
) -> None:
    with pytest.raises(NotWholeError, match=words):
        verify(make(tmp_path / name, header, size), PlotFormat(18))


@pytest.mark.parametrize("level", ["7", "07", "19", "30"])
def test_a_smaller_plot_whose_name_says_that_it_is_compressed(tmp_path: Path, level: str) -> None:
    name = f"plot-k32-c{level}-2026-11-22-17-53-{PLOT_ID}.plot"
    small = PlotFormat(32, 7).expected_bytes
    assert verify(make(tmp_path / name, V1 + bytes([32]), small), PlotFormat(32)) == PLOT_ID


def test_only_what_is_named_a_plot_is_found(tmp_path: Path) -> None:
    for name in (f"{K18}.2.tmp", f"{K18}.table1.tmp", f"._{K18}", "notes"):
        (tmp_path / name).touch()
    (tmp_path / "folder.plot").mkdir()
    (tmp_path / "gone.plot").symlink_to(tmp_path / "nowhere")
    assert find_plots(tmp_path) == []
    (tmp_path / "folder.plot" / K18).touch()
    (tmp_path / "other.plot").symlink_to(tmp_path / "notes")
    assert find_plots(tmp_path) == [tmp_path / "folder.plot" / K18, tmp_path / "other.plot"]
    assert find_plots(tmp_path / "none") == []


# Endings that look like a plot's, and whatever else a file may be called.
NAMES = st.builds(
    lambda start, rest, end: start + rest + end,
    st.sampled_from([b"", b"._", b"plot-k32-", b"."]),
    st.binary(max_size=12).map(lambda raw: raw.replace(b"/", b"").replace(b"\0", b"")),
    st.sampled_from([b"", b".plot", b".plot2", b".gplot", b".PLOT", b".plot.tmp", b"plot"]),
).filter(lambda name: name not in (b"", b".", b".."))


def farmed(name: bytes) -> bool:
    """Chia's own rule for the name of a file."""
    return name.endswith((b".plot", b".plot2", b".gplot")) and not name.startswith(b"._")


@given(name=NAMES, kind=st.sampled_from(["file", "folder", "link", "dangling"]))
def test_all_programs_agree_with_chia_on_what_a_plot_is(name: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder, "disk")
        path = disk / "plots" / os.fsdecode(name)
        path.parent.mkdir(parents=True)
        if kind == "file":
            path.write_bytes(b"x")
        elif kind == "folder":
            path.mkdir()
        elif kind == "link":
            (Path(folder) / "there").write_bytes(b"x")
            path.symlink_to(Path(folder) / "there")
        else:
            path.symlink_to(Path(folder) / "nowhere")
        counted = int(farmed(name) and kind in ("file", "link"))
        assert look_into(path.parent)[0] == counted
        descriptor = os.open(folder, os.O_RDONLY)
        mounts = {str(disk): Mount(disk, mount_id(descriptor), False, "8:1", "8:1")}
        os.close(descriptor)
        assert scan([disk], mounts)[disk] == Files(True, counted, counted)
        assert len(find_plots(path.parent)) == counted
        clean(path.parent)
        assert os.path.lexists(path) or not counted


def test_nine_names_in_one_folder(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = root.disk(1, "disk1")
    dated = f"plot-k32-2021-04-28-13-45-{PLOT_ID}.plot"
    plots = (
        dated,
        f"plot-k28-{PLOT_ID}.plot2",
        f"plot-k32-c7-2023-02-26-16-58-{PLOT_ID}.plot",
        f"{PLOT_ID}.plot",
        f"nft-{dated}",
        "mine.plot",
    )
    for name in (*plots, f"._{dated}", f"{dated}.tmp", f"{dated}.2.tmp"):
        (disk / "plots" / name).touch()
    monkeypatch.setattr("sys.argv", ["goplot-diskhand", "--settings", str(root.settings_path)])
    assert diskhand() == 0
    assert read_plots(root.path / "state")[str(disk)] == 6
    assert scan([disk], read_mounts(root.path / "mountinfo"))[disk].plots == 6
    assert 'goplot_disk_plots{disk="disk1",farm="1"} 6.0' in collect(root.settings).render()
