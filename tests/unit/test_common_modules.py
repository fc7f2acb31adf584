"""The modules of roles/common."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import run_module
from tests.support.plays import ROLES, run_playbook

LIBRARY = ROLES / "common/library"
OWNED = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}
#: Runs common_units; returns its answer.
Units = Callable[..., dict[str, Any]]


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
                "common_files": {
                    "directories": [
                        {
                            **OWNED,
                            "path": str(tmp_path / "folder"),
                            "files": {"a": "{% raw %}{{ $labels }}{% endraw %}"},
                        }
                    ]
                },
            },
            {"name": "Remove a unit", "common_units": {"absent": ["none.service"]}},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    assert re.findall(r"changed=(\d)", run_playbook(tmp_path, "play.yml")) == ["1"]
    assert (tmp_path / "folder/a").read_text() == "{{ $labels }}"


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that keeps its calls in the file that is returned, and shows what it is given."""
    calls, shown = tmp_path / "calls", tmp_path / "shown"
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    show = f'[ "$1" = show ] && exec sh {shown} "$*"'
    program.write_text(f'#!/bin/sh\n{show}\necho "$*" >> {calls}\n')
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
def run(tmp_path: Path, units: Path, systemctl: Path) -> Units:
    """Runs common_units on the folder of units."""
    text = (LIBRARY / "common_units.py").read_text()
    module = tmp_path / "common_units.py"
    module.write_text(text.replace('Path("/etc/systemd/system")', f'Path("{units}")'))
    assert module.read_text() != text
    return partial(run_module, module)


def test_units_are_stopped_and_removed_with_their_files(
    tmp_path: Path, units: Path, systemctl: Path, run: Units
) -> None:
    metrics = tmp_path / "a.prom"
    other = tmp_path / "b.prom"
    for file in (metrics, other):
        file.write_text("x 1\n")
    files = {"a.service": str(metrics), "b.service": str(other)}
    names = ["a.service", "a.timer", "b.service"]
    assert run(absent=names, files=files, check=True)["changed"]
    assert not systemctl.exists()
    assert (units / "a.service").exists()
    assert run(absent=names, files=files)["removed"] == ["a.service", "a.timer"]
    assert systemctl.read_text().splitlines() == [
        "stop a.service a.timer",
        "disable a.service a.timer",
        "daemon-reload",
    ]
    assert [path.name for path in units.iterdir()] == ["kept.service"]
    assert (metrics.exists(), other.exists()) == (False, True)
    assert not run(absent=names, files=files)["changed"]
    assert len(systemctl.read_text().splitlines()) == 3


def _state(unit: str, active: str, file: str, reload: str = "no") -> str:
    return f"NeedDaemonReload={reload}\nId={unit}\nActiveState={active}\nUnitFileState={file}\n"


def _shows(systemctl: Path, loaded: list[str], named: list[str]) -> None:
    """What systemctl shows of all that is loaded, and of the units that are named."""
    texts = {"all": loaded, "named": named}
    for name, states in texts.items():
        systemctl.with_name(name).write_text("\n".join(states))
    script = (
        f'case "$1" in *" *") cat {systemctl.parent}/all;; *) cat {systemctl.parent}/named;; esac'
    )
    systemctl.with_name("shown").write_text(script)


def test_units_that_run_are_left_and_others_are_enabled_and_started_in_order(
    systemctl: Path, run: Units
) -> None:
    states = [
        _state("a.service", "active", "enabled"),
        _state("b.service", "failed", "enabled"),
        _state("c.timer", "inactive", "disabled"),
        _state("d.timer", "active", "enabled"),
    ]
    _shows(systemctl, states[:1], states)
    names: dict[str, Any] = {
        "started": ["a.service", "b.service", "c.timer"],
        "stopped": ["d.timer"],
    }
    assert run(check=True, **names)["started"] == ["b.service", "c.timer"]
    assert not systemctl.exists()
    answer = run(**names)
    assert (answer["changed"], answer["started"]) == (True, ["b.service", "c.timer"])
    assert systemctl.read_text().splitlines() == [
        "stop d.timer",
        "disable d.timer",
        "enable c.timer",
        "start b.service",
        "start c.timer",
    ]
    systemctl.unlink()
    good = [_state(name, "active", "enabled") for name in names["started"]]
    _shows(systemctl, good, [*good, _state("d.timer", "inactive", "disabled")])
    assert not run(**names)["changed"]
    assert not systemctl.exists()


def test_systemd_reads_units_again_that_are_newer_than_what_it_has(
    systemctl: Path, run: Units
) -> None:
    running = _state("a.timer", "active", "enabled")
    _shows(systemctl, [running, _state("a.service", "inactive", "static", "yes")], [running])
    assert not run(started=["a.timer"])["changed"]
    assert systemctl.read_text().splitlines() == ["daemon-reload"]


def test_links_files_and_nothing_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("")
    (tmp_path / "current").symlink_to("build")
    (tmp_path / "dangling").symlink_to("none")
    paths = [str(tmp_path / name) for name in ("build", "current", "dangling", "none")]
    found = run_module(LIBRARY / "common_look.py", paths=paths)["paths"]
    empty = hashlib.sha256(b"").hexdigest()
    build, current, dangling, _ = (found[path] for path in paths)
    assert (build["exists"], build["target"], build["checksum"]) == (True, "", empty)
    assert build["group"] == OWNED["group"]
    assert (current["target"], current["source"]) == ("build", paths[0])
    assert (dangling["exists"], dangling["target"]) == (False, "none")
    (tmp_path / "token").write_text("secret")
    read = [str(tmp_path / "token"), paths[3]]
    token, none = run_module(LIBRARY / "common_look.py", paths=read, contents=True)[
        "paths"
    ].values()
    assert (token["content"], none.pop("content")) == ("secret", "")
    assert none == dict.fromkeys(("target", "source", "group", "checksum"), "") | {"exists": False}


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
