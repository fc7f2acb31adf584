"""The modules of roles/common for files, units and packages, as Ansible runs them here."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.plays import run_playbook

#: Runs a task, with further options of ansible-playbook; returns what it changed (0 or 1).
Run = Callable[..., int]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """What Ansible printed at the last run."""
    return tmp_path / "output"


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
        (tmp_path / "output").write_text(output)
        (changed,) = re.findall(r"changed=(\d)", output)
        return int(changed)

    return once


OWNED = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}


def _folder(path: Path, files: dict[str, str], **options: object) -> dict[str, Any]:
    folder = {**OWNED, "path": str(path), "files": files, "file_mode": "0640", **options}
    return {"common_files": {"directories": [folder]}}


def test_a_folder_has_its_files_and_no_others(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "new/folder"
    files = {"a": "1\n", "b": "{% raw %}{{ $labels }}{% endraw %}"}
    task = _folder(folder, files, exclusive=True, mode="0750")
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


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_an_invalid_file_replaces_nothing(tmp_path: Path, run: Run, options: list[str]) -> None:
    folder = tmp_path / "folder"
    good = _folder(folder, {"a": "good"}, validate="grep good %s")
    assert run(good) == 1
    with pytest.raises(AssertionError, match="grep"):
        run(_folder(folder, {"a": "bad"}, validate="grep good %s"), *options)
    assert [path.read_text() for path in folder.iterdir()] == ["good"]


def test_a_new_host_is_checked_without_its_programs_and_users(tmp_path: Path, run: Run) -> None:
    file = {"path": str(tmp_path / "new/a"), "content": "1", "validate": "not-installed-yet %s"}
    directory = {"path": str(tmp_path / "other"), "owner": "nobody-yet"}
    task = {"common_files": {"directories": [directory], "files": [file]}}
    assert run(task, "--check") == 1
    assert not {"new", "other"} & {path.name for path in tmp_path.iterdir()}


def _file(path: Path, content: str, **options: object) -> dict[str, Any]:
    return {**OWNED, "path": str(path), "content": content, **options}


def test_files_and_links_that_a_person_changed_are_put_right(tmp_path: Path, run: Run) -> None:
    text, secret, link = (tmp_path / name for name in ("text", "secret", "link"))
    files = [_file(text, "right\n"), _file(secret, "hidden\n", mode="0600")]
    links = [{"path": str(link), "target": "text"}]
    task = {"common_files": {"files": files, "links": links}}
    assert run(task) == 1
    assert run(task) == run(task, "--check") == 0

    def lead_astray() -> None:
        link.unlink()
        link.symlink_to("/nowhere")

    def write_other() -> None:
        text.write_text("wrong\n")

    for spoil in (write_other, lambda: secret.chmod(0o644), text.unlink, lead_astray):
        spoil()
        assert (run(task, "--check"), run(task), run(task)) == (1, 1, 0)
        assert (text.read_text(), secret.read_text()) == ("right\n", "hidden\n")
        assert [oct(path.stat().st_mode)[-3:] for path in (text, secret)] == ["644", "600"]
        assert str(link.readlink()) == "text"
    assert {path.name for path in tmp_path.iterdir()} >= {"text", "secret", "link"}
    assert not list(tmp_path.glob(".*.new"))


def test_differences_are_shown_but_none_of_a_secret(tmp_path: Path, run: Run, output: Path) -> None:
    files = [_file(tmp_path / "text", "for all"), _file(tmp_path / "key", "for me", mode="0640")]
    run({"common_files": {"files": files}}, "--diff")
    assert "+for all" in output.read_text()
    assert "for me" not in output.read_text()


def test_what_is_no_longer_wanted_is_removed(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "old"
    file.write_text("1")
    task = {"common_files": {"absent": [str(file)]}}
    assert (run(task, "--check"), file.exists()) == (1, True)
    assert (run(task), file.exists(), run(task)) == (1, False, 0)


def test_nothing_that_is_no_file_or_link_is_replaced(tmp_path: Path, run: Run) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs"
    with pytest.raises(AssertionError, match="is not a link: move it away"):
        run({"common_files": {"links": [{"path": str(path), "target": "/var/log"}]}})
    with pytest.raises(AssertionError, match="is a directory, not a file"):
        run({"common_files": {"files": [_file(path, "1")]}})
    assert path.is_dir()


def test_installed_packages_are_known(run: Run, output: Path) -> None:
    run({"common_system": {}}, "-v")
    assert re.search(r"^\s+dpkg: \S+", output.read_text(), re.MULTILINE)
