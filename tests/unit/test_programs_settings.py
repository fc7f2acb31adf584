"""Each program reads the tables of the settings that it uses: mistakes in others do not stop it."""

import importlib
import signal
import subprocess
import sys

import pytest

from goplot.host.settings import TABLES
from tests.hosts.system import wait_until
from tests.support.farm_root import FarmRoot

#: The tables that each program uses.
PROGRAMS = {
    "pacer.service": set(TABLES),
    "tractor.service": set(TABLES),
    "diskhand.service": {"roots", "host"},
    "grafana": {"roots", "annotations"},
    "harvester_log.service": {"roots", "chia"},
    "collectors.plotter": {"roots", "host"},
    "collectors.farmer": {"roots", "chia", "farmer_collector"},
    "collectors.harvester": {"roots", "host", "chia", "harvester_collector"},
    "collectors.certificates": {"roots"},
}
#: What an inventory may say of plotting that goplot can't use: a line of the settings, and it so.
PLOTTING = {
    "an option that is a number": (
        "[plotters.chiapos]",
        '[plotters.chiapos]\noptions = ["-r", 8]',
    ),
    "a key that no plotter has": ("[plotters.chiapos]", "[plotters.chiapos]\nthreads = 8"),
    "an unknown plotter": ("[host]", '[plotters.mine]\nprogram = "/x"\n[host]'),
    "a plotter that is no table": ("[host]", "[plotters]\nother = 3\n[host]"),
    "a format without a size": ("k = 18", "compression = 8\nk = 18"),
    "a plotter without a table": ("k = 18", 'plotter = "madmax"\nk = 18'),
    "a k that is text": ("k = 18", 'k = "32"'),
}
NOT_PLOTTING = [name for name, tables in PROGRAMS.items() if "plotters" not in tables]
_MORE = (
    '[chia]\nlog = "{root}/debug.log"\n[annotations]\n[farmer_collector]\n[harvester_collector]\n'
)


@pytest.fixture
def farm(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> FarmRoot:
    """A farm whose settings have every table."""
    root.configure(more=_MORE.format(root=root.path))
    (root.path / "debug.log").write_text("")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(root.path / "proc"))
    return root


def change(root: FarmRoot, old: str, new: str) -> None:
    """Change a line of the settings."""
    text = root.settings_path.read_text()
    assert text.count(f"{old}\n") == 1
    root.settings_path.write_text(text.replace(f"{old}\n", f"{new}\n"))


def command(root: FarmRoot, name: str) -> list[str]:
    """A program as its unit runs it, with the settings of a test."""
    code = f"import sys; from goplot.{name} import main; sys.exit(main())"
    index = ["7"] if name == "tractor.service" else []
    return [sys.executable, "-c", code, "--settings", str(root.settings_path), *index]


def end(root: FarmRoot, name: str) -> tuple[int, str]:
    """Run a program to its end, harvester-log until it has written. Returns code and messages."""
    process = subprocess.Popen(
        command(root, name),
        stderr=subprocess.PIPE,
        text=True,
    )
    written = root.path / "textfiles" / "goplot_harvester_log.prom"
    if name == "harvester_log.service":
        wait_until(
            "what harvester-log writes",
            lambda: process.poll() is not None or written.exists(),
            60,
        )
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize("name", NOT_PLOTTING)
def test_a_mistake_about_plotting_stops_no_program_that_does_not_plot(
    farm: FarmRoot, name: str
) -> None:
    for old, new in PLOTTING.values():
        change(farm, old, new)
    code, errors = end(farm, name)
    assert code == 0, errors


@pytest.mark.parametrize("mistake", PLOTTING)
def test_the_pacer_names_a_mistake_about_plotting(
    farm: FarmRoot,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    mistake: str,
) -> None:
    change(farm, *PLOTTING[mistake])
    monkeypatch.setattr(sys, "argv", ["goplot-pacer", "--settings", str(farm.settings_path)])
    assert importlib.import_module("goplot.pacer.service").main() == 78
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{farm.settings_path}: plot")


@pytest.mark.parametrize(
    ("name", "table"),
    [(name, table) for name, tables in PROGRAMS.items() for table in sorted(tables)],
)
def test_a_program_refuses_mistakes_in_its_own_tables(
    farm: FarmRoot,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    table: str,
) -> None:
    head = "[plotters.chiapos]" if table == "plotters" else f"[{table}]"
    change(farm, head, f"{head}\nnonsense = 1")
    monkeypatch.setattr(sys, "argv", command(farm, name)[2:])
    assert importlib.import_module(f"goplot.{name}").main() == 78
    assert f"{head[1:-1]}.nonsense: is not known" in capsys.readouterr().err


def test_settings_that_are_no_toml_stop_every_program(
    farm: FarmRoot, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    farm.settings_path.write_text("[plot\n")
    for name in PROGRAMS:
        monkeypatch.setattr(sys, "argv", command(farm, name)[2:])
        assert importlib.import_module(f"goplot.{name}").main() == 78
        assert "is not valid TOML" in capsys.readouterr().err
