"""A bash goplot, after the tests of Chia have deployed goplot over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
FOLDER = "/etc/chia/goplot"


def test_its_loops_and_lines_of_crontabs_are_ended(ssh: Ssh) -> None:
    commands = ssh("farm1").check_output("ps -eo args")
    assert "harvesterlog.sh" not in commands
    assert "# ended by goplot: */5" in ssh("farm1").check_output("crontab -l")


def test_its_plot_goes_on_and_is_counted(ssh: Ssh) -> None:
    farm1 = ssh("farm1")
    jobs = farm1.check_output("pgrep -f 'goplot.sh'").split()
    assert len(jobs) == 1
    farm1.check_output(f"touch {FOLDER}/plotted")
    wait_until(
        "the end of its plot",
        lambda: (
            farm1.file("/var/log/goplot/goplot.log").contains("endplot")
            or farm1.run("pgrep -f goplot.sh").failed
        ),
        300,
    )


def test_its_settings_state_and_logs_are_goplots(ssh: Ssh) -> None:
    farm1 = ssh("farm1")
    for name, text in (
        ("config/plot_gap", "1234"),
        ("config/index", "77"),
        ("disks/disk9", "9999999999999"),
    ):
        assert farm1.check_output(f"cat {FOLDER}/{name}.goplot") == text
        assert farm1.file(f"{FOLDER}/{name}.goplot").user == "goplot"
    assert farm1.file(f"{FOLDER}/logs").is_symlink
    assert farm1.file(f"{FOLDER}/logs/goplot.log").contains("the log of years")
    farm1.check_output("systemctl start goplot-diskhand.service")
    assert farm1.check_output(f"cat {FOLDER}/disks/disk1.goplot") != "4321"
