"""The goplot command: what it reports, and its exit codes."""

import itertools
import json
import subprocess
from pathlib import Path

import pytest

from goplot.cli import main
from goplot.host.tunables import NUMBERS
from tests.support.farm_root import FarmRoot
from tests.support.jobs import reserve


def goplot(root: FarmRoot, *arguments: str) -> int:
    """Run goplot in this process."""
    return main([*arguments, "--settings", str(root.settings_path)])


def test_a_dry_run_shows_where_and_changes_nothing(
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


@pytest.mark.parametrize(
    "words",
    [
        *map(" ".join, itertools.permutations(["--check", "--json", "ONE TWO"])),
        "--check=ONE --check=TWO --json",
        "--check ONE --json TWO",
    ],
)
def test_options_stand_in_any_order(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ONE", "TWO"):
        Path(name).write_text("a line that is not of Chia\n")
    assert main(["harvester-log", *words.split()]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 2


def test_a_check_without_a_file_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--check"], ["--check", "--json"]):
        with pytest.raises(SystemExit) as caught:
            main(["harvester-log", *words])
        assert caught.value.code == 2
        assert "needs a FILE" in capsys.readouterr().err


@pytest.mark.parametrize("place", range(4))
def test_settings_stand_anywhere(root: FarmRoot, place: int) -> None:
    words = ["set", "max_plots", "3"]
    words.insert(place, f"--settings={root.settings_path}")
    assert main(words) == 0
    assert (root.path / "config" / "max_plots.goplot").read_text() == "3\n"


@pytest.mark.parametrize("value", ["RUN", "stop", " off "])
def test_an_on_toggle_that_stops_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert goplot(root, "set", "on_toggle", value) == 0
    expected = f"on_toggle is {value.strip()}: no new plot starts; only run starts plots\n"
    assert capsys.readouterr().out == expected
    assert goplot(root, "set", "on_toggle", "run") == 0
    assert capsys.readouterr().out == ""


BROKEN = {
    "no TOML": "[plot\n",
    "a root that is no path": '[roots]\nstate = "state"\n',
    "a table of another thing": "roots = 3\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_status_without_settings_shows_what_runs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    systemctl = tmp_path / "systemctl"
    show = "Id=goplot-plot@%s.service\\nActiveState=active\\nFreezerState=%s\\n\\n"
    systemctl.write_text(f"#!/bin/sh\nprintf '{show}' 8 frozen 7 running\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["status", "--settings", str(file)]) == 78
    shown = capsys.readouterr()
    assert shown.out == "plots that run, according to systemd: 7, 8 (paused)\n"
    assert str(file) in shown.err
    assert main(["status", "--json", "--settings", str(file)]) == 78
    document = json.loads(capsys.readouterr().out)
    assert document["plots"] == [{"index": 7, "paused": False}, {"index": 8, "paused": True}]
    assert str(file) in document["problems"][0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("k = 18", "k = 12", "plot.k: is 12"),
        ("[plotters.chiapos]", "[plotters.unknown]", "is not a known plotter"),
        ("[host]", "[annotations]\nurl = 3\n[host]", "annotations.url: is 3"),
    ],
)
def test_status_with_a_mistake_in_the_settings_shows_all_else(
    root: FarmRoot, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    reserve(root)
    root.settings_path.write_text(root.settings_path.read_text().replace(old, new))
    assert goplot(root, "status") == 78
    shown = capsys.readouterr().out
    assert shown.startswith(f"PROBLEMS\n  {root.settings_path}: ")
    assert shown.count(words) == 1 + (words in shown.split("next start:")[1])
    assert "disk1" in shown
    assert "plots 1/8" in shown
    # What does not plot needs no settings of plotting, and what plots names them.
    assert goplot(root, "set", "max_plots", "3") == 0
    assert goplot(root, "plot") == 78
    assert words in capsys.readouterr().err
