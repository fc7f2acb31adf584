"""Units through systemctl, with a systemctl of the tests."""

from pathlib import Path

import pytest

from goplot.host.units import SystemdUnits, UnitError

SHOW = """Id=goplot-plot@7.service
ActiveState=active
FreezerState=running

Id=goplot-plot@8.service
ActiveState=active
FreezerState=frozen

Id=goplot-plot@9.service
ActiveState=failed
FreezerState=running

Id=goplot-plot@10.service
ActiveState=activating
FreezerState=running

Id=goplot-plot@11.service
ActiveState=inactive
FreezerState=running
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that shows SHOW and keeps its calls in the file that is returned."""
    (tmp_path / "show").write_text(SHOW)
    program = tmp_path / "systemctl"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n'
        f'case "$*" in *show*) cat {tmp_path}/show ;; *@99*) echo "no such" >&2; exit 5 ;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_what_runs(calls: Path) -> None:
    assert SystemdUnits().running() == {7: False, 8: True, 10: False}
    (calls.parent / "show").write_text("")
    assert SystemdUnits().running() == {}


def test_a_start_does_not_wait(calls: Path) -> None:
    SystemdUnits().start(12)
    assert calls.read_text().split()[-3:] == ["start", "--no-block", "goplot-plot@12.service"]


def test_a_frozen_unit_is_thawed_before_it_stops(calls: Path) -> None:
    SystemdUnits().stop(8)
    verbs = [line.split()[2] for line in calls.read_text().splitlines()]
    assert verbs == ["show", "thaw", "stop"]


def test_freeze_and_thaw(calls: Path) -> None:
    SystemdUnits().freeze(7)
    SystemdUnits().thaw(7)
    assert [line.split()[2] for line in calls.read_text().splitlines()] == ["freeze", "thaw"]


def test_what_systemd_says_is_passed_on(calls: Path) -> None:
    with pytest.raises(UnitError, match="no such"):
        SystemdUnits().start(99)
    assert calls.exists()


def test_without_systemctl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnitError, match="systemctl"):
        SystemdUnits().running()
