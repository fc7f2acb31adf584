"""Where the packages of a farm without internet come from."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import run_module
from tests.support.plays import ROLES

_APT = """#!/bin/sh
case "$*" in
*indextargets*) printf 'Debian\\tDebian\\thttp://mirror.example/debian/\\n' ;;
*update*)
    for word in "$@"; do
        case "$word" in -o=Dir::Etc::SourceList=*) cp "${{word#*SourceList=}}" {seen} ;; esac
    done ;;
esac
"""


def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *sources: str) -> dict[str, Any]:
    """The module's answer where apt knows of one mirror; `seen` gets the sources that apt reads."""
    apt = tmp_path / "bin/apt-get"
    apt.parent.mkdir()
    apt.write_text(_APT.format(seen=tmp_path / "seen"))
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{apt.parent}:/usr/bin:/bin")
    module = ROLES / "offline/library/offline_packages.py"
    return run_module(module, dest=str(tmp_path / "dest"), sources=list(sources), packages=["xfs"])


def test_the_mirrors_are_those_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "deb [signed-by=/x.asc] http://own.example stable main"
    assert "msg" not in fetch(tmp_path, monkeypatch, "deb DEBIAN bookworm main", own)
    assert (tmp_path / "seen").read_text().splitlines() == [
        "deb http://mirror.example/debian/ bookworm main",
        own,
    ]


def test_a_mirror_that_is_not_known_is_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = fetch(tmp_path, monkeypatch, "deb DEBIAN-SECURITY bookworm-security main")
    assert "no mirror here for DEBIAN-SECURITY" in answer["msg"]
    assert "offline_apt_sources" in answer["msg"]
    assert not (tmp_path / "seen").exists()
