"""Which hosts an upgrade of Chia switches, and when it switches none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from chia_answers import fallen
from chia_host import lacks
from chia_switch import link, linked
from chia_upgrade import upgrade_plan

OLD, NEW = "2.7.3", "2.7.5"
TASKS = Path(__file__).parents[2] / "roles/chia/tasks"


def host(now: str, wanted: str = NEW, *, harvests: bool = True) -> dict[str, Any]:
    return {"now": now, "wanted": wanted, "harvests": harvests}


def farm(**others: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"farmer": host(OLD, harvests=False), "h1": host(OLD), **others}


def test_all_hosts_of_another_version_are_named_with_it() -> None:
    plan = upgrade_plan(farm(h2=host("2.5.4"), new=host(""), same=host(NEW)), farmer="farmer")
    assert plan == {
        "steps": ["Chia 2.5.4 -> 2.7.5: h2", "Chia 2.7.3 -> 2.7.5: farmer, h1"],
        "notes": [],
        "refusals": [],
    }


def test_nothing_to_switch_is_no_upgrade() -> None:
    hosts = {"farmer": host(NEW), "h1": host(NEW), "h2": host("")}
    plan = upgrade_plan(hosts, farmer="farmer", failed=["h3"], on_failure="all_back")
    assert plan == {"steps": [], "notes": [], "refusals": []}


def test_who_can_not_be_upgraded_is_named_and_stops_only_who_wants_all_or_none() -> None:
    plan = upgrade_plan(farm(), farmer="farmer", failed=["h2"], on_failure="go_on")
    assert plan["refusals"] == []
    assert [note.split()[0] for note in plan["notes"]] == ["h2"]
    plan = upgrade_plan(farm(), farmer="farmer", failed=["h2"], on_failure="all_back")
    assert plan["refusals"] == ["h2 can't be upgraded, and chia_upgrade_on_failure is all_back"]


def test_no_harvester_leaves_the_protocol_of_a_farmer_that_stays() -> None:
    hosts = {"h1": host(OLD), "h2": host("2.7.2", OLD)}
    plan = upgrade_plan(hosts, farmer="farmer", farmer_now=OLD)
    assert [refusal.split()[0] for refusal in plan["refusals"]] == ["h1"]
    # A farmer of which nothing is known may be of any.
    plan = upgrade_plan(hosts, farmer="farmer")
    assert plan["refusals"] == ["h1 would change its protocol, and farmer does not answer"]
    # One that was away follows its farmer.
    assert upgrade_plan(hosts, farmer="farmer", farmer_now=NEW)["refusals"] == [
        "h2 would farm nothing: farmer farms with Chia 2.7.5, which does not work with a "
        "harvester of 2.7.3"
    ]


def test_a_harvester_that_is_to_keep_an_old_version_stops_the_upgrade() -> None:
    hosts = farm(h2=host(OLD, OLD), h3=host("2.5.4", "2.5.4"), p1=host(OLD, OLD, harvests=False))
    plan = upgrade_plan(hosts, farmer="farmer")
    assert [refusal.split()[0] for refusal in plan["refusals"]] == ["h2"]


def test_a_farmer_changes_its_protocol_only_with_its_harvesters() -> None:
    plan = upgrade_plan(farm(), farmer="farmer", left_out=["h2"])
    assert plan["refusals"] == [
        "farmer would change its protocol without h2: run the play without --limit"
    ]
    hosts = {"farmer": host("2.7.4", harvests=False)}
    assert upgrade_plan(hosts, farmer="farmer", left_out=["h2"])["refusals"] == []


@pytest.mark.parametrize(
    ("python", "machine", "libc", "free", "names"),
    [
        ((3, 11), "x86_64", ("glibc", "2.36"), 700_000_000, []),
        ((3, 13), "aarch64", ("glibc", "2.41"), 10**12, []),
        ((3, 9), "armv7l", ("", ""), 10**8, ["Python", "processor", "glibc", "free space"]),
        ((3, 11), "x86_64", ("glibc", "2.27"), 10**12, ["glibc"]),
    ],
)
def test_what_a_host_lacks(
    python: tuple[int, int], machine: str, libc: tuple[str, str], free: int, names: list[str]
) -> None:
    found = lacks(python, machine, libc, free)
    assert len(found) == len(names)
    assert all(name in text for name, text in zip(names, found, strict=True))


def test_the_link_is_replaced_by_one_to_an_installed_version(tmp_path: Path) -> None:
    assert linked(tmp_path) == ""
    for version in (OLD, NEW):
        (tmp_path / version).mkdir()
        (tmp_path / version / "installed").touch()
        link(tmp_path, version)
        assert linked(tmp_path) == version
    (tmp_path / "2.7.6").mkdir()
    with pytest.raises(FileNotFoundError):
        link(tmp_path, "2.7.6")
    assert linked(tmp_path) == NEW
    assert sorted(path.name for path in tmp_path.iterdir()) == [OLD, NEW, "2.7.6", "current"]


@pytest.mark.parametrize(
    ("state", "is_fallen"),
    [
        ("NRestarts=0\nActiveState=active\nSubState=running\n", False),
        ("NRestarts=0\nActiveState=activating\nSubState=start\n", False),
        ("NRestarts=1\nActiveState=active\nSubState=running\n", True),
        ("NRestarts=0\nActiveState=failed\nSubState=failed\n", True),
        ("NRestarts=0\nActiveState=activating\nSubState=auto-restart\n", True),
    ],
)
def test_a_service_that_ended_is_fallen(state: str, is_fallen: bool) -> None:
    assert fallen(state) == is_fallen


def place(tasks: list[dict[str, Any]], text: str) -> int:
    """The first task that has a text."""
    return next(number for number, task in enumerate(tasks) if text in str(task))


def test_units_are_installed_once_it_is_known_where_chia_writes() -> None:
    tasks = yaml.safe_load((TASKS / "configure.yml").read_text(encoding="utf-8"))
    assert place(tasks, "'register': '__chia_config'") < place(tasks, "_chia_unit_files")


def test_one_restart_serves_the_units_and_the_version() -> None:
    tasks = yaml.safe_load((TASKS / "upgrade.yml").read_text(encoding="utf-8"))
    block = next(task["block"] for task in tasks if "block" in task)
    known, units = place(block, "'register': '__chia_config'"), place(block, "_chia_unit_files")
    assert known < units < place(block, "chia_switch")
    # Nothing of it may restart Chia once more.
    assert "notify" not in str(block)
