"""goplot is upgraded and every service of it restarted while plots run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.campaign.checks import faults
from tests.campaign.farm import Farm
from tests.hosts.system import wait_until

PROJECT = Path(__file__).parents[2]
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
    for name in ("pyproject.toml", "goplot/__init__.py"):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r'^(version|__version__) = ".*"$', rf'\1 = "{version}"', text, flags=re.M),
            encoding="utf-8",
        )
    return folder


def deploy(sources: Path) -> str:
    """Run the goplot role as a person does, only with other sources; returns its words."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/goplot.yml"]
    command += ["-i", "tests/campaign/inventory", "-e", f"_goplot_sources={sources}"]
    environment = {**os.environ, "ANSIBLE_CONFIG": "ansible.cfg", "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


def test_an_upgrade_and_a_restart_of_everything_harm_no_plot(farm: Farm, tmp_path: Path) -> None:
    farm.await_quiet()
    farm.set(max_plots=0, on_toggle="run")
    indexes = [farm.start_by_hand() for _ in range(PLOTS)]
    wait_until("every plotter", lambda: all(map(farm.plotter_pid, indexes)), 60)
    plotters = {index: farm.plotter_pid(index) for index in indexes}
    for process in plotters.values():
        farm.run("kill", "-STOP", str(process))
    tractors = {index: farm.main_pid(f"goplot-plot@{index}.service") for index in indexes}
    pacer = farm.main_pid("goplot-pacer.service")

    assert "Install the package itself" in deploy(newer_sources(tmp_path / "services"))
    assert farm.run("goplot", "--version").split() == ["goplot", VERSION]
    # The tractors go on in the build that they started with.
    builds = farm.run("ls", "/opt/goplot/venvs").split()
    assert len(builds) == 2
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

    # Nothing runs the first build any more, so the next upgrade takes it away.
    deploy(newer_sources(tmp_path / "again", "9.9.10"))
    left = farm.run("ls", "/opt/goplot/venvs").split()
    assert len(left) == 2
    assert len(set(left) & set(builds)) == 1
