"""`goplot collect` where systemd runs the collectors: what each wrote, or why it failed."""

import json
import os

import pytest

from goplot.cli import main
from tests.support.farm_root import FarmRoot

SYSTEMCTL = """#!/bin/sh
shift 2
case "$*" in
  list-unit-files*)
    echo "goplot-farmer-collector.service static -"
    echo "goplot-plotter-collector.service static -"
    echo "goplot-other-collector.service static -" ;;
  "start goplot-plotter-collector.service")
    echo "goplot_load 1" > "$TEXTFILES/goplot_plotter.prom" ;;
  "start goplot-farmer-collector.service") echo "Job failed." >&2; exit 1 ;;
  *) exit 9 ;;
esac
"""
JOURNALCTL = """#!/bin/sh
echo "chia.crt is not there"
"""


@pytest.fixture(autouse=True)
def systemd(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of a systemd that has two collectors of goplot."""
    programs = root.path / "bin"
    programs.mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("TEXTFILES", str(root.path / "textfiles"))
    text = root.settings_path.read_text()
    root.settings_path.write_text(text.replace('units = "processes"\n', ""))


def collect(root: FarmRoot, *words: str) -> int:
    """Run `goplot collect`."""
    return main(["collect", *words, "--settings", str(root.settings_path)])


def test_each_is_started_and_shown(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> None:
    assert collect(root) == 1
    shown = capsys.readouterr().out
    (plotter,) = (line for line in shown.splitlines() if "plotter" in line)
    textfile = root.path / "textfiles" / "goplot_plotter.prom"
    assert plotter.split() == ["goplot-plotter-collector", "ok", "1", str(textfile)]
    assert "goplot-farmer-collector: systemctl start: Job failed." in shown
    assert "chia.crt is not there" in shown
    assert "other" not in shown


def test_for_programs(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> None:
    assert collect(root, "--json") == 1
    found = {one["collector"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["goplot-plotter-collector"]["samples"] == 1
    assert "Job failed" in found["goplot-farmer-collector"]["fault"]


def test_a_host_without_collectors_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    (root.path / "bin" / "systemctl").write_text("#!/bin/sh\n")
    assert collect(root) == 0
    assert "no collector is installed on this host" in capsys.readouterr().out
