"""The stand-in for Grafana as a package."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.grafana_stand_in.build import FILES, HERE, version


def test_a_change_makes_another_version(tmp_path: Path) -> None:
    for name in FILES:
        shutil.copyfile(HERE / name, tmp_path / name)
    before = version(tmp_path)
    assert before == version(HERE)
    answers = tmp_path / "grafana_answers.py"
    answers.write_text(answers.read_text().replace("Unauthorized", "unauthorizeD"))
    assert version(tmp_path) != before
