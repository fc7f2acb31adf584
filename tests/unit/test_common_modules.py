"""The modules of roles/common."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import run_module
from tests.support.plays import ROLES, run_playbook

LIBRARY = ROLES / "common/library"
#: Runs common_units_absent; returns whether it changed anything.
Absent = Callable[..., bool]


def test_a_role_that_depends_on_common_has_its_modules(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"here": {}}}}))
    play = {
        "hosts": "all",
        "gather_facts": False,
        "connection": "local",
        "roles": ["common"],
        "tasks": [
            {
                "name": "Make a folder",
                "common_folder": {
                    "path": str(tmp_path / "folder"),
                    "files": {"a": "{% raw %}{{ $labels }}{% endraw %}"},
                    "mode": "0640",
                },
            },
            {"name": "Remove a unit", "common_units_absent": {"units": ["none.service"]}},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    assert re.findall(r"changed=(\d)", run_playbook(tmp_path, "play.yml")) == ["1"]
    assert (tmp_path / "folder/a").read_text() == "{{ $labels }}"


def run(path: Path, files: dict[str, str], **options: Any) -> bool:
    """Run common_folder; returns whether it changed anything."""
    answer = run_module(
        LIBRARY / "common_folder.py", path=str(path), files=files, mode="0640", **options
    )
    assert not answer.get("failed"), answer["msg"]
    return bool(answer["changed"])


def test_a_folder_has_its_files_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "new/folder"
    files = {"a": "1\n", "b": "{{ $labels }}"}
    options = {"exclusive": True, "folder_mode": "0750"}
    assert run(folder, files, check=True, **options)
    assert not folder.exists()
    assert run(folder, files, **options)
    assert not run(folder, files, **options)
    assert not run(folder, files, check=True, **options)
    assert {path.name: path.read_text() for path in folder.iterdir()} == files
    assert [oct(path.stat().st_mode)[-4:] for path in (folder, folder / "a")] == ["0750", "0640"]
    (folder / "c").write_text("old")
    (folder / "a").chmod(0o644)
    assert run(folder, files, check=True, **options)
    assert (folder / "c").exists()
    assert run(folder, files, **options)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert oct((folder / "a").stat().st_mode)[-3:] == "640"
    assert not run(folder, files, **options)


def test_other_files_stay_unless_the_folder_is_exclusive(tmp_path: Path) -> None:
    (tmp_path / "of_a_person").write_text("mine")
    assert run(tmp_path, {"a": "1"})
    assert not run(tmp_path, {"a": "1"})
    assert (tmp_path / "of_a_person").read_text() == "mine"


def test_an_invalid_file_replaces_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    assert run(folder, {"a": "good"}, validate="grep good %s")
    with pytest.raises(AssertionError, match="grep"):
        run(folder, {"a": "bad"}, validate="grep good %s")
    assert [path.read_text() for path in folder.iterdir()] == ["good"]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that keeps its calls in the file that is returned."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >> {calls}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """What stands for /etc/systemd/system."""
    folder = tmp_path / "units"
    folder.mkdir()
    for name in ("a.service", "a.timer", "kept.service"):
        (folder / name).write_text("[Unit]\n")
    return folder


@pytest.fixture
def absent(tmp_path: Path, units: Path, systemctl: Path) -> Absent:
    """Runs common_units_absent on the folder of units; returns whether it changed anything."""
    text = (LIBRARY / "common_units_absent.py").read_text()
    module = tmp_path / "common_units_absent.py"
    module.write_text(text.replace('Path("/etc/systemd/system")', f'Path("{units}")'))
    assert module.read_text() != text
    return lambda **options: bool(run_module(module, **options)["changed"])


def test_units_are_stopped_and_removed_with_their_files(
    tmp_path: Path, units: Path, systemctl: Path, absent: Absent
) -> None:
    metrics = tmp_path / "a.prom"
    other = tmp_path / "b.prom"
    for file in (metrics, other):
        file.write_text("x 1\n")
    files = {"a.service": str(metrics), "b.service": str(other)}
    names = ["a.service", "a.timer", "b.service"]
    assert absent(units=names, files=files, check=True)
    assert not systemctl.exists()
    assert (units / "a.service").exists()
    assert absent(units=names, files=files)
    assert systemctl.read_text().splitlines() == [
        "stop a.service a.timer",
        "disable a.service a.timer",
        "daemon-reload",
    ]
    assert [path.name for path in units.iterdir()] == ["kept.service"]
    assert (metrics.exists(), other.exists()) == (False, True)
    assert not absent(units=names, files=files)
    assert len(systemctl.read_text().splitlines()) == 3


def test_a_file_of_a_person_is_kept_once_under_another_name(tmp_path: Path) -> None:
    file, absent = tmp_path / "prometheus.yml", tmp_path / "absent.yml"
    file.write_text("scrape_configs: []\n")
    file.chmod(0o640)
    copy = tmp_path / "prometheus.yml.before-goplot"

    def backup(**options: Any) -> bool:
        paths = [str(file), str(absent)]
        answer = run_module(LIBRARY / "common_backup.py", host="here", paths=paths, **options)
        return bool(answer["changed"])

    assert backup(check=True)
    assert not copy.exists()
    assert backup()
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == ("scrape_configs: []\n", 0o640)
    file.write_text("goplot's own\n")
    assert not backup()
    copy.rename(tmp_path / "elsewhere")
    assert not backup(unless=str(file))
    (tmp_path / "elsewhere").rename(copy)
    assert copy.read_text() == "scrape_configs: []\n"
