"""goplot is upgraded and every service of it restarted while plots run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.campaign.checks import faults
from tests.campaign.farm import Farm
from tests.hosts.system import wait_until
from tests.support.history import services_before
from tests.support.playbook import PROJECT, run_ansible

SERVICES = (
    "goplot-pacer.service",
    "goplot-diskhand.service",
    "goplot-plotter-collector.service",
    "goplot-diskhand.timer",
    "goplot-plotter-collector.timer",
)
VERSION = "9.9.9"
PLOTS = 3


def newer_sources(folder: Path, version: str = VERSION) -> Path:
    """A copy of the package with another version."""
    built = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    shutil.copytree(PROJECT / "services", folder, ignore=built)
    path = folder / "goplot/__init__.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', text))
    return folder


def deploy(sources: Path) -> str:
    """Run the goplot role as a person does, only with other sources; returns its words."""
    given = ("-i", "tests/campaign/inventory", "-e", f"_goplot_sources={sources}")
    done = run_ansible("playbooks/goplot.yml", *given)
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def upgrade_under_plots(farm: Farm, sources: Path) -> str:
    """Deploy sources while plots run, restart everything: no plot notices, all count on."""
    farm.await_quiet()
    farm.set(max_plots=0, on_toggle="run")
    ended = farm.results()
    indexes = [farm.start_by_hand() for _ in range(PLOTS)]
    wait_until("every plotter", lambda: all(map(farm.plotter_pid, indexes)), 60)
    plotters = {index: farm.plotter_pid(index) for index in indexes}
    for process in plotters.values():
        farm.run("kill", "-STOP", str(process))
    tractors = {index: farm.main_pid(f"goplot-plot@{index}.service") for index in indexes}
    pacer = farm.main_pid("goplot-pacer.service")

    words = deploy(sources)
    # The tractors go on in the build that they started with.
    assert len(farm.run("ls", "/opt/goplot/venvs").split()) == 2
    assert farm.main_pid("goplot-pacer.service") != pacer
    farm.run("systemctl", "restart", *SERVICES)

    assert {index: farm.plotter_pid(index) for index in indexes} == plotters
    now = {index: farm.main_pid(f"goplot-plot@{index}.service") for index in indexes}
    assert now == tractors
    for process in plotters.values():
        farm.run("kill", "-CONT", str(process))
    results = [farm.result(index) for index in indexes]
    assert [result["done"] for result in results] == [True] * PLOTS
    farm.await_quiet()
    assert faults(farm) == []
    assert farm.results()[: len(ended)] == ended
    return words


def test_an_upgrade_and_a_restart_of_everything_harm_no_plot(farm: Farm, tmp_path: Path) -> None:
    words = upgrade_under_plots(farm, newer_sources(tmp_path / "services"))
    assert "Install the package itself" in words
    assert farm.run("goplot", "--version").split() == ["goplot", VERSION]
    builds = farm.run("ls", "/opt/goplot/venvs").split()

    # Nothing runs the first build any more, so the next upgrade takes it away.
    deploy(newer_sources(tmp_path / "again", "9.9.10"))
    left = farm.run("ls", "/opt/goplot/venvs").split()
    assert len(left) == 2
    assert len(set(left) & set(builds)) == 1


def test_a_farm_of_the_first_release_is_upgraded_under_its_plots(
    farm: Farm, tmp_path: Path
) -> None:
    farm.await_quiet()
    deploy(services_before(tmp_path))
    # A plot whose state is the first release's from its start to its end.
    farm.set(max_plots=0, on_toggle="run")
    assert farm.result(farm.start_by_hand())["done"]
    upgrade_under_plots(farm, PROJECT / "services")
