"""diskhand: the file of every disk, and whose value it is."""

from pathlib import Path

import pytest

from goplot.diskhand.service import main, read_plots
from tests.unit.farm_root import PLOT_ID, FarmRoot

OUT = 9_999_999_999_999


@pytest.fixture(autouse=True)
def arguments(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """goplot-diskhand is called for the root."""
    monkeypatch.setattr("sys.argv", ["goplot-diskhand", "--settings", str(root.settings_path)])


def disk_file(root: FarmRoot, name: str) -> Path:
    """A disk's file."""
    return root.path / "disks" / f"{name}.goplot"


def value(root: FarmRoot, name: str) -> int:
    """What a disk's file holds."""
    return int(disk_file(root, name).read_text())


def log(root: FarmRoot) -> str:
    """diskhand.log."""
    return (root.path / "logs" / "diskhand.log").read_text()


def test_disks_with_room_get_their_used_space(root: FarmRoot) -> None:
    assert main() == 0
    assert 0 < value(root, "disk1") < OUT
    assert value(root, "disk4") == OUT
    text = log(root)
    assert "diskhand : farms found: 1 2" in text
    assert f"{root.disk(1, 'disk1')} has 0 space committed" in text
    assert "used/total/available" in text
    assert "disk4 is not mounted" in text


def test_a_disk_without_room_is_taken_out(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    assert value(root, "disk1") == OUT
    assert "does not have room for plotting" in log(root)


def test_what_diskhand_took_out_comes_back_by_itself(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    root.configure(k=18)
    disk4 = root.disk(2, "disk4")
    (disk4 / "plots").mkdir()
    (disk4 / "logs").mkdir()
    root.mount(disk4)
    main()
    assert value(root, "disk1") < OUT
    assert value(root, "disk4") < OUT


@pytest.mark.parametrize("text", ["9999999999999", "99999999999999", "10000000000000", "out"])
def test_a_persons_value_is_kept_until_the_file_is_deleted(root: FarmRoot, text: str) -> None:
    main()
    disk_file(root, "disk1").write_text(text + "\n")
    main()
    main()
    assert disk_file(root, "disk1").read_text() == text + "\n"
    assert "not using disk1" in log(root)
    disk_file(root, "disk1").unlink()
    main()
    assert value(root, "disk1") < OUT


def test_a_person_may_take_out_a_disk_that_is_full(root: FarmRoot) -> None:
    root.configure(k=45)
    main()
    disk_file(root, "disk1").write_text(f"{OUT}\n")
    root.configure(k=18)
    main()
    assert value(root, "disk1") == OUT
    assert value(root, "disk3") < OUT


def test_a_value_of_before_goplot_is_a_persons(root: FarmRoot) -> None:
    disk_file(root, "disk1").write_text("99999999999999\n")
    main()
    assert value(root, "disk1") == 99999999999999


def test_a_lost_state_makes_no_full_disk_a_surprise(root: FarmRoot) -> None:
    main()
    (root.path / "state" / "diskhand.json").unlink()
    main()
    assert value(root, "disk1") < OUT


def test_plots_are_counted(root: FarmRoot) -> None:
    plots = root.disk(1, "disk1") / "plots"
    (plots / f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot").write_bytes(b"12345")
    (plots / f"plot-k18-2026-11-22-17-53-{PLOT_ID}.plot.tmp").write_bytes(b"123")
    main()
    assert read_plots(root.path / "state")[str(root.disk(1, "disk1"))] == 1
