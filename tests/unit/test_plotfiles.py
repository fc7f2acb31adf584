"""The finished plot file: name, size for its format, id in its header."""

from pathlib import Path

import pytest

from goplot.farm.formats import PlotFormat
from goplot.host.plotfiles import NotWholeError, finished_plot, verify
from tests.support.farm_root import PLOT_ID

K18 = f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot"
C05 = f"plot-k32-c05-2026-11-22-17-53-{PLOT_ID}.plot"
V1 = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID)
V2 = b"PLOT" + (2).to_bytes(4, "little") + bytes.fromhex(PLOT_ID)


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


@pytest.mark.parametrize(
    ("name", "header", "size", "words"),
    [
        ("plot.plot", V1 + bytes([18]), 3889102, "not the name of a plot"),
        (K18.replace("k18", "k19"), V1 + bytes([19]), 3889102, "is not k18"),
        (C05, V2 + bytes([32]), 3889102, "is not k18"),
        (K18, V1 + bytes([18]), 2_000_000, "2000000 bytes"),
        (K18, V1 + bytes([18]), 9_000_000, "9000000 bytes"),
        (K18, b"\0" * 52, 3889102, "no plot header"),
        (K18, V1[:-1] + b"\0" + bytes([18]), 3889102, "another id"),
        (K18, V1 + bytes([19]), 3889102, "k19 in its header"),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, name: str, header: bytes, size: int, words: str
) -> None:
    with pytest.raises(NotWholeError, match=words):
        verify(make(tmp_path / name, header, size), PlotFormat(18))


def test_only_a_finished_plot_is_found(tmp_path: Path) -> None:
    for name in (f"{K18}.2.tmp", f"{K18}.table1.tmp", "other.plot"):
        (tmp_path / name).touch()
    assert finished_plot(tmp_path) is None
    (tmp_path / K18).touch()
    assert finished_plot(tmp_path) == tmp_path / K18
    assert finished_plot(tmp_path / "none") is None
