"""The goplot command: what it tells, and its exit codes."""

import json
import subprocess

import pytest

from goplot.cli import main
from goplot.host.tunables import NUMBERS
from tests.support.farm_root import FarmRoot
from tests.support.jobs import reserve


def goplot(root: FarmRoot, *arguments: str) -> int:
    """Run goplot in this process."""
    return main([*arguments, "--settings", str(root.settings_path)])


def test_a_dry_run_tells_where_and_changes_nothing(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert goplot(root, "plot", "--dry-run") == 0
    assert "a plot would start: temp farm 1" in capsys.readouterr().out
    assert goplot(root, "plot", "--dry-run", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["disk"] == str(root.disk(1, "disk1"))
    assert document["temp"] == str(root.temp(1))
    assert (document["starts"], document["index"]) == (True, None)
    assert list((root.path / "state" / "jobs").iterdir()) == []
    assert not (root.path / "config" / "index.goplot").exists()


def test_a_plot_by_hand_waits_for_no_gap_but_for_space_and_toggle(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    root.tune(plot_gap=100000, max_plots=1)
    reserve(root)
    assert goplot(root, "plot", "--dry-run") == 0
    root.tune(on_toggle="stop")
    assert goplot(root, "plot", "--dry-run") == 4
    assert "on_toggle is not run" in capsys.readouterr().out
    root.tune(on_toggle="run")
    root.configure(k=45)
    assert goplot(root, "plot", "--dry-run", "--json") == 4
    assert json.loads(capsys.readouterr().out)["reason"] == "disk_space"


def test_settings_that_make_no_plot_are_named(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    (root.path / "plotter").unlink()
    assert goplot(root, "plot", "--dry-run") == 4
    assert "plotter is not there" in capsys.readouterr().out


def test_disks(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> None:
    (root.path / "disks" / "disk3.goplot").write_text("9999999999999\n")
    assert goplot(root, "disks") == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["farm", "disk", "state"]
    assert [line.split()[1] for line in lines[1:]] == ["disk1", "disk3", "disk2", "disk4"]
    assert "taken out by hand" in lines[2]
    assert "not mounted" in lines[4]
    goplot(root, "disks", "--json")
    disks = {disk["disk"]: disk for disk in json.loads(capsys.readouterr().out)}
    assert disks["disk3"]["in_rotation"] is False
    assert disks["disk1"]["room"] > 0


@pytest.mark.parametrize("command", ["stop", "pause", "resume"])
def test_a_plot_that_is_not_there(
    root: FarmRoot, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert goplot(root, command, "5") == 1
    assert "no such plot: 5" in capsys.readouterr().out


def test_completion_is_good_bash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == 0
    script = capsys.readouterr().out
    script += '\nCOMP_WORDS=(goplot set max_); COMP_CWORD=2; _goplot; echo "${COMPREPLY[@]}"'
    script += '\nCOMP_WORDS=(goplot sta); COMP_CWORD=1; _goplot; echo "${COMPREPLY[@]}"'
    for words in ("plot --d", "harvester-log --c", "farm --h"):
        script += f'\nCOMP_WORDS=(goplot {words}); COMP_CWORD=2; _goplot; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["max_plots", "status", "--dry-run", "--check", ""]


def test_help_says_what_each_tunable_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["set", "--help"])
    shown = capsys.readouterr().out
    for name, tunable in NUMBERS.items():
        (line,) = [line for line in shown.splitlines() if line.strip().startswith(f"{name} ")]
        assert tunable.help in line
        assert f"{tunable.low:.0f} to {tunable.high:.0f}" in line


def test_a_wrong_call_ends_with_2(root: FarmRoot) -> None:
    with pytest.raises(SystemExit) as caught:
        goplot(root, "set", "nothing", "1")
    assert caught.value.code == 2
