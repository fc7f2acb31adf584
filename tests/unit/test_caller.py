"""goplot for a user without rights, on hosts that do not plot, and for a reader that leaves."""

import json
import os
import subprocess
import sys

import pytest

from goplot.cli import main
from goplot.host import clock
from goplot.host.diskstate import temp_faults_path
from goplot.host.report import Report, write_report
from tests.support.farm_root import FarmRoot
from tests.support.jobs import reserve
from tests.support.other_user import goplot_as_other, open_to_all


@pytest.fixture
def farm(root: FarmRoot) -> FarmRoot:
    """A farm as it is deployed: its temp farms are closed to others."""
    root.unmount(root.disk(2, "disk4"))
    root.disk(2, "disk4").rmdir()
    for number in (1, 2):
        root.temp(number).chmod(0o700)
    open_to_all(root.path)
    write_report(root.path / "state", Report("plot_gap", "12 s since the last start"), clock.now())
    # The child must find every module already loaded.
    main(["status", "--settings", str(root.settings_path)])
    return root


def as_other(root: FarmRoot, *arguments: str) -> tuple[int, str]:
    """Run goplot as another user."""
    return goplot_as_other([*arguments, "--settings", str(root.settings_path)], root.path / "out")


def test_what_is_hidden_is_not_a_problem(farm: FarmRoot) -> None:
    reserve(farm)
    code, text = as_other(farm, "status")
    assert (code, "PROBLEMS" in text) == (0, False), text
    assert text.count("not visible to you") == 2
    assert "Permission denied" not in text
    # Who sees no temp farm can't say where the next plot goes: the pacer can.
    assert "waits for plot_gap: 12 s since the last start" in text
    code, text = as_other(farm, "status", "--json")
    document = json.loads(text)
    assert (code, document["problems"]) == (0, [])
    assert [temp["state"] for temp in document["temps"]] == ["not visible to you"] * 2
    assert [temp["committed"] for temp in document["temps"]] == [None, None]
    assert document["temps"][0]["size"] > 0
    assert document["next"]["reason"] == "plot_gap"


def test_a_trouble_that_goplot_has_with_a_temp_farm_stays_one(farm: FarmRoot) -> None:
    faults = {str(farm.temp(1)): os.strerror(13)}
    temp_faults_path(farm.path / "state").write_text(json.dumps(faults))
    code, text = as_other(farm, "status")
    assert code == 3
    assert f"temp farm {farm.temp(1)} is failing: Permission denied" in text
    assert text.count("not visible to you") == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["set", "max_plots", "3"], "config"),
        (["set", "on_toggle", "two words"], "config"),
        (["plot"], "state"),
        (["stop", "1"], "state"),
        (["pause", "1"], "state"),
        (["resume", "1"], "state"),
    ],
)
def test_what_needs_rights_names_sudo(farm: FarmRoot, arguments: list[str], what: str) -> None:
    reserve(farm)
    code, text = as_other(farm, *arguments)
    words = " ".join(f"'{word}'" if " " in word else word for word in arguments)
    assert code == 1
    assert text == (
        f"goplot: {farm.path / what}: Permission denied; "
        f"run: sudo goplot {words} --settings {farm.settings_path}\n"
    )


def test_a_host_that_does_not_plot_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (root.path / "config").iterdir():
        path.unlink()
    root.settings_path.write_text(root.settings_path.read_text().replace('"aa"', '""'))
    root.unmount(root.disk(2, "disk4"))
    root.disk(2, "disk4").rmdir()
    assert main(["status", "--settings", str(root.settings_path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("this host does not plot: there are no tunables in")
    assert "PROBLEMS" not in text
    assert "disk1" in text
    assert main(["status", "--json", "--settings", str(root.settings_path)]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
    # A plotter that has lost its tunables is not such a host.
    write_report(root.path / "state", Report("toggle", ""), clock.now())
    assert main(["status", "--settings", str(root.settings_path)]) == 3
    assert "max_plots.goplot is missing" in capsys.readouterr().out


def test_a_disk_without_a_mount_is_a_problem_where_nothing_plots(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (root.path / "config").iterdir():
        path.unlink()
    assert main(["status", "--settings", str(root.settings_path)]) == 3
    assert capsys.readouterr().out.startswith("PROBLEMS\n  disk ")


@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [
        ("status --settings FILE", ""),
        ("status --settings FILE", "1"),
        ("disks --json --settings FILE", ""),
        ("disks --json --settings FILE", "1"),
        ("completion", ""),
        ("--help", ""),
    ],
)
def test_a_reader_that_leaves_is_not_an_error(
    root: FarmRoot, arguments: str, unbuffered: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = arguments.replace("FILE", str(root.settings_path)).split()
    code = "import sys; from goplot.cli import main; sys.exit(main())"
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")
