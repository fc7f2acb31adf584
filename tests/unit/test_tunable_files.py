"""Which tunables Ansible writes, and which are a person's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from goplot_tunable_files import plan, read_record, read_values

from tests.support.plays import run_playbook

STOP = {"on_toggle": "stop", "load_max": "100"}
RUN = {**STOP, "on_toggle": "run"}


def test_what_ansible_wrote_and_nobody_changed_follows_the_inventory() -> None:
    found = plan(RUN, STOP, STOP, reset=False)
    assert found.write == {"on_toggle": "run"}
    assert found.record == RUN
    assert not found.kept


def test_what_a_person_tuned_stays_and_is_reported() -> None:
    found = plan(RUN, {**STOP, "on_toggle": "off"}, STOP, reset=False)
    assert not found.write
    assert found.kept == {"on_toggle": "off"}
    # Still what Ansible wrote: when the person puts it back, it is Ansible's again.
    assert found.record == STOP


def test_a_reset_takes_all() -> None:
    found = plan(RUN, {**STOP, "load_max": "5"}, {}, reset=True)
    assert found.write == {"on_toggle": "run", "load_max": "100"}
    assert not found.kept


def test_without_a_record_a_value_that_differs_is_a_persons() -> None:
    found = plan(RUN, STOP, {}, reset=False)
    assert not found.write
    assert found.kept == {"on_toggle": "stop"}
    assert found.record == {"load_max": "100"}


def test_a_person_who_sets_the_inventorys_value_leaves_it_to_ansible() -> None:
    found = plan(RUN, RUN, STOP, reset=False)
    assert not found.write
    assert found.record == RUN


@pytest.mark.parametrize("host", ["100.0", "100", "1e2"])
def test_numbers_that_mean_the_same_do_not_differ(host: str) -> None:
    found = plan(STOP, {**STOP, "load_max": host}, {}, reset=False)
    assert not found.write
    assert not found.kept


def test_a_limit_that_the_inventory_no_longer_sets_goes_if_it_is_ansibles() -> None:
    before = {**STOP, "memory_min": "512"}
    assert plan(STOP, before, before, reset=False).remove == ["memory_min"]
    tuned = plan(STOP, {**before, "memory_min": "9"}, before, reset=False)
    assert not tuned.remove
    assert tuned.record == STOP


def test_a_missing_file_is_written() -> None:
    assert plan(STOP, {"on_toggle": "off"}, STOP, reset=False).write == {"load_max": "100"}


def test_a_link_is_not_followed_and_a_broken_record_is_none(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{not a tunable\n")
    (tmp_path / "on_toggle.goplot").symlink_to(secret)
    (tmp_path / "load_max.goplot").write_text("7\n")
    os.mkfifo(tmp_path / "max_plots.goplot")
    names = {"on_toggle", "load_max", "plot_gap", "max_plots"}
    assert read_values(tmp_path, names) == {
        "on_toggle": "a link",
        "max_plots": "",
        "load_max": "7",
    }
    assert read_record(secret) == {}
    assert read_record(tmp_path / "none") == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="the files are given to an owner")
def test_the_module_writes_keeps_tells_and_changes_nothing_twice(tmp_path: Path) -> None:
    config, record = tmp_path / "config", tmp_path / "record.json"
    config.mkdir()
    (tmp_path / "hosts.yml").write_text("all: {hosts: {here: {ansible_connection: local}}}\n")
    play = [
        {
            "hosts": "all",
            "gather_facts": False,
            "roles": [{"role": "goplot", "when": False}],
            "post_tasks": [
                {
                    "name": "Set the tunables",
                    "goplot_tunable_files": {
                        "config": str(config),
                        "record": str(record),
                        "values": "{{ tunables }}",
                        "owner": "root",
                    },
                    "register": "done",
                },
                {"ansible.builtin.debug": {"msg": "DONE {{ done.changed }} {{ done.kept }}"}},
            ],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play))

    def run(on_toggle: str, *options: str) -> str:
        values = json.dumps({"tunables": {"on_toggle": on_toggle, "max_plots": 8}})
        output = run_playbook(tmp_path, "play.yml", "-e", values, *options)
        return next(line for line in output.splitlines() if "DONE" in line)

    toggle = config / "on_toggle.goplot"
    assert "True" in run("stop", "--check")
    assert not toggle.exists()
    assert "True" in run("stop")
    assert "False" in run("stop")
    assert "True" in run("run")
    assert toggle.read_text() == "run\n"
    assert toggle.stat().st_mode & 0o777 == 0o644
    toggle.write_text("off\n")
    printed = run("stop")
    assert "False" in printed
    assert "on_toggle is off on the host and stop in the inventory" in printed
    assert toggle.read_text() == "off\n"
