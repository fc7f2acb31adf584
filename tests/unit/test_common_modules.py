"""The modules of roles/common, as Ansible runs them on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.plays import run_playbook

#: Runs a task, with further options of ansible-playbook; returns what it changed (0 or 1).
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs one task of a role that depends on common."""
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"here": {}}}}))

    def once(task: dict[str, Any], *options: str) -> int:
        play = {
            "hosts": "all",
            "gather_facts": False,
            "connection": "local",
            "roles": ["common"],
            "tasks": [{"name": "Do it", **task}],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]))
        output = run_playbook(tmp_path, "play.yml", *options)
        (changed,) = re.findall(r"changed=(\d)", output)
        return int(changed)

    return once


def _folder(path: Path, files: dict[str, str], **options: object) -> dict[str, Any]:
    return {"common_folder": {"path": str(path), "files": files, "mode": "0640", **options}}


def test_a_folder_has_its_files_and_no_others(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "new/folder"
    task = _folder(folder, {"a": "1\n", "b": "{% raw %}{{ $labels }}{% endraw %}"}, exclusive=True)
    task["common_folder"]["folder_mode"] = "0750"
    assert run(task, "--check") == 1
    assert not folder.exists()
    assert run(task) == 1
    assert run(task) == run(task, "--check") == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "a": "1\n",
        "b": "{{ $labels }}",
    }
    assert [oct(path.stat().st_mode)[-4:] for path in (folder, folder / "a")] == ["0750", "0640"]
    (folder / "c").write_text("old")
    (folder / "a").chmod(0o644)
    assert run(task, "--check") == 1
    assert (folder / "c").exists()
    assert run(task) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b"]
    assert oct((folder / "a").stat().st_mode)[-3:] == "640"
    assert run(task) == 0


def test_other_files_stay_unless_the_folder_is_exclusive(tmp_path: Path, run: Run) -> None:
    (tmp_path / "of_a_person").write_text("mine")
    task = _folder(tmp_path, {"a": "1"})
    assert run(task) == 1
    assert run(task) == 0
    assert (tmp_path / "of_a_person").read_text() == "mine"


def test_an_invalid_file_replaces_nothing(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "folder"
    good = _folder(folder, {"a": "good"}, validate="grep good %s")
    assert run(good) == 1
    with pytest.raises(AssertionError, match="grep"):
        run(_folder(folder, {"a": "bad"}, validate="grep good %s"))
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


def test_units_are_stopped_and_removed_with_their_files(
    tmp_path: Path, run: Run, systemctl: Path
) -> None:
    units = tmp_path / "units"
    units.mkdir()
    for name in ("a.service", "a.timer", "kept.service"):
        (units / name).write_text("[Unit]\n")
    metrics = tmp_path / "a.prom"
    other = tmp_path / "b.prom"
    for file in (metrics, other):
        file.write_text("x 1\n")
    files = {"a.service": str(metrics), "b.service": str(other)}
    names = ["a.service", "a.timer", "b.service"]
    task = {"common_units_absent": {"units": names, "files": files, "folder": str(units)}}
    assert run(task, "--check") == 1
    assert not systemctl.exists()
    assert (units / "a.service").exists()
    assert run(task) == 1
    assert systemctl.read_text().splitlines() == [
        "stop a.service a.timer",
        "disable a.service a.timer",
        "daemon-reload",
    ]
    assert [path.name for path in units.iterdir()] == ["kept.service"]
    assert (metrics.exists(), other.exists()) == (False, True)
    assert run(task) == 0
    assert len(systemctl.read_text().splitlines()) == 3


def test_a_file_of_a_person_is_kept_once_under_another_name(tmp_path: Path, run: Run) -> None:
    file, absent = tmp_path / "prometheus.yml", tmp_path / "absent.yml"
    file.write_text("scrape_configs: []\n")
    file.chmod(0o640)
    task = {"common_backup": {"host": "here", "paths": [str(file), str(absent)]}}
    copy = tmp_path / "prometheus.yml.before-goplot"
    assert run(task, "--check") == 1
    assert not copy.exists()
    assert run(task) == 1
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == ("scrape_configs: []\n", 0o640)
    file.write_text("goplot's own\n")
    assert run(task) == 0
    copy.rename(tmp_path / "elsewhere")
    task["common_backup"]["unless"] = str(file)
    assert run(task) == 0
    (tmp_path / "elsewhere").rename(copy)
    assert copy.read_text() == "scrape_configs: []\n"
