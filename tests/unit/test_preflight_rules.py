"""The rules of roles/preflight, without Ansible."""

from __future__ import annotations

from typing import Any

import pytest
from goplot_preflight.mounts import check_mounts
from goplot_preflight.names import unknown_names
from goplot_preflight.report import Mistake, lines
from goplot_preflight.values import check_value
from hypothesis import given
from hypothesis import strategies as st

from goplot.host.tunables import NUMBERS
from tests.support.inventory import CATALOGUE, DISK, GROUPS, TEMP, mistakes_of


def test_a_good_inventory_has_no_mistake() -> None:
    system = ("Debian", "12.12")
    values = {
        "goplot_tunables": {"max_plots": 0, "plot_gap": "4500", "load_max": 7.5},
        "node_exporter_arguments": ["-r", "2"],
    }
    assert (
        mistakes_of(values, system=system, names=frozenset({"my_variable", "ansible_host"})) == []
    )


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("farm_layot_mounts", "did you mean farm_layout_mounts?"),
        ("farm_layout_mount", "did you mean farm_layout_mounts?"),
        ("farmlayout_mounts", "did you mean farm_layout_mounts?"),
        ("goplt_k", "did you mean goplot_k?"),
        ("goplot-k", "did you mean goplot_k?"),
        ("GOPLOT_K", "did you mean goplot_k?"),
        ("goplot_max_plots", "it is a key: goplot_tunables: {max_plots: ...}"),
        ("goplot_colour", "see roles/goplot/README.md"),
        ("goplot_farm_layout_mounts", "did you mean farm_layout_mounts?"),
        ("chai_version", "did you mean chia_version?"),
        ("node_exporter_adress", "did you mean node_exporter_listen_address?"),
    ],
)
def test_misspelt_variables_get_the_name_that_was_meant(name: str, cure: str) -> None:
    assert cure in unknown_names([name], CATALOGUE)[name]


@pytest.mark.parametrize(
    "name",
    [
        "goplot_k",
        "farmhouse_layout",
        "chiapos_version",
        "plotter_location",
        "k",
        "_goplot_x",
        "common_packages",
    ],
)
def test_other_variables_are_left_alone(name: str) -> None:
    assert unknown_names([name], CATALOGUE) == {}


@pytest.mark.parametrize(
    ("variable", "value", "cure"),
    [
        ("goplot_k", 17, "from 18 to 50"),
        ("goplot_k", 51, "from 18 to 50"),
        ("goplot_k", "thirty", "a whole number"),
        ("goplot_k", 32.5, "a whole number"),
        ("goplot_k", True, "a whole number"),
        ("goplot_k", None, "delete the line"),
        ("goplot_compression", 10, "from 0 to 9"),
        ("goplot_tunables", {"max_plots": -1}, "from 0 to 10000 (0 starts no plot)"),
        ("goplot_tunables", {"plot_poll": 0}, "from 1 to 86400"),
        ("goplot_tunables", {"plot_gap": -5}, "from 0 to 31536000"),
        ("goplot_tunables", {"load_max": 0}, "above 0 and at most 100000"),
        ("goplot_tunables", {"plot_gap": 99999999}, "from 0 to 31536000"),
        ("goplot_tunables", {"max_plots": 20000}, "from 0 to 10000"),
        ("goplot_tunables", {"dest_plots_max": 20000}, "from 0 to 10000"),
        ("goplot_tunables", {"early_phase": 12}, "from 0 to 9"),
        ("goplot_tunables", {"load_max": 200000}, "at most 100000"),
        ("goplot_tunables", {"on_toggle": False}, "put it in quotes"),
        ("goplot_tunables", {"max_plot": 3}, "did you mean max_plots?"),
        ("goplot_tunables", ["max_plots"], "a mapping"),
        ("node_exporter_arguments", "-r 2", "a list"),
        ("node_exporter_arguments", ["-r", ["2"]], "text"),
        ("chia_version", "latest", "a released version"),
        ("goplot_pool_contract_address", "xch1short", "62 characters"),
        ("farm_layout_format", "maybe", "true or false"),
    ],
)
def test_a_value_that_cannot_be_is_reported_with_its_cure(
    variable: str, value: object, cure: str
) -> None:
    found = list(check_value(variable, CATALOGUE.options[variable], value))
    assert len(found) == 1
    assert cure in found[0][2]


@given(st.integers())
def test_every_k_out_of_the_range_is_a_mistake_and_no_other(k: int) -> None:
    found = list(check_value("goplot_k", CATALOGUE.options["goplot_k"], k))
    assert bool(found) == (k < 18 or k > 50)


@given(st.sampled_from(sorted(NUMBERS)), st.integers(-10, 2 * 10**9))
def test_preflight_takes_what_the_services_take(name: str, number: int) -> None:
    spec = CATALOGUE.options["goplot_tunables"]
    found = list(check_value("goplot_tunables", spec, {name: number}))
    try:
        NUMBERS[name].parse(f"{number}\n")
        accepted = True
    except ValueError:
        accepted = False
    # A load_max of 0 is a way to stop; in an inventory it is a mistake.
    assert (not found) == (accepted and (name, number) != ("load_max", 0))


def test_a_line_names_host_variable_value_and_cure() -> None:
    assert mistakes_of({"goplot_tunables": {"max_plots": -1}}) == [
        "one: goplot_tunables.max_plots is -1: must be a whole number from 0 to 10000 "
        "(0 starts no plot)"
    ]


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"plotter": ["one"], "harvester": ["one"]}, "group farmer has no host"),
        ({**GROUPS, "farmer": ["one", "two"]}, "group farmer has one, two"),
        ({**GROUPS, "harvestors": ["three"]}, "did you mean harvester?"),
    ],
)
def test_groups_that_make_no_farm_are_mistakes(groups: dict[str, list[str]], words: str) -> None:
    found = mistakes_of({}, groups)
    assert len(found) == 1
    assert found[0].startswith("inventory: group ")
    assert words in found[0]


def test_a_parent_of_a_group_may_have_a_name_like_it() -> None:
    assert mistakes_of({}, {**GROUPS, "plotters": ["one"]}) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"farm_layout_mounts": [DISK]}, "has no /plot_temp mount"),
        ({"goplot_pool_public_key": ""}, "goplot_pool_contract_address is not set"),
        (
            {"goplot_pool_contract_address": "xch1" + "q" * 58},
            "goplot_pool_public_key is set with goplot_pool_contract_address: remove one",
        ),
        (
            {"goplot_compression": 5},
            "chiapos makes no compressed plots; set goplot_compression to 0",
        ),
    ],
)
def test_a_plotter_that_cannot_plot_is_a_mistake(change: dict[str, Any], words: str) -> None:
    found = mistakes_of(change)
    assert len(found) == 1
    assert words in found[0]


def test_a_plotter_may_leave_the_farmer_public_key_to_the_farmer() -> None:
    assert mistakes_of({"goplot_farmer_public_key": ""}) == []


def test_a_plotter_without_keys_is_fine_while_it_does_not_run() -> None:
    values = {
        "goplot_farmer_public_key": "",
        "goplot_pool_public_key": "",
        "goplot_tunables": {"on_toggle": "stop"},
    }
    assert mistakes_of(values) == []


@pytest.mark.parametrize(
    ("system", "fine"),
    [
        (("Debian", "11.9"), False),
        (("Debian", "12"), True),
        (("Debian", "13.1"), True),
        (("Debian", "trixie/sid"), True),
        (("Ubuntu", "22.04"), False),
        (("Ubuntu", "24.04"), True),
        (("Ubuntu", "26.04"), True),
        (("Fedora", "43"), False),
        (None, True),
    ],
)
def test_unsupported_systems_are_mistakes(system: tuple[str, str] | None, fine: bool) -> None:
    found = mistakes_of({}, system=system)
    assert found == [] if fine else "operating system is " in found[0]


def test_keys_and_encrypted_values_are_never_shown() -> None:
    values = {
        "goplot_farmer_public_key": "hush-farmer",
        "goplot_k": "hush-k",
        "goplot_tunables": {"max_plots": "hush-max"},
        "goplot_compression": "987654",
        "farm_layout_mounts": [
            TEMP,
            {**DISK, "path": "/farm/hush/hush disk", "src": "hush", "opts": "hush hush"},
            {"path": "/farm/1/hush", "src": "hush"},
        ],
    }
    found = mistakes_of(values, secrets=frozenset(values))
    assert len(found) > 8
    assert not any("987654" in line for line in found)
    assert not any("hush" in line for line in found)


@pytest.mark.parametrize(
    ("receivers", "line"),
    [
        ([{"name": "me"}], "alertmanager_receivers[0] has no channel: add one or more: email, "),
        (
            [{"name": "me", "ntfy": {"url": "u"}}, {"name": "me", "ntfy": {"url": "u"}}],
            "alertmanager_receivers[1].name is that of alertmanager_receivers[0] too: change one",
        ),
        ([{"name": "nobody", "ntfy": {"url": "u"}}], ".name is a name that goplot reserves"),
        ([{"name": "me", "telegram": {"bot_token": "t"}}], ".telegram.chat_id is missing: add it"),
        ([{"name": "me", "ntfy": {"uri": "u"}}], ".ntfy.uri is not known: did you mean url?"),
        (
            [{"name": "me", "severities": ["urgent"], "ntfy": {"url": "u"}}],
            ".severities[0] is 'urgent': must be one of critical, warning, info, summary",
        ),
        (
            [{"name": "me", "severities": ["critical"], "ntfy": {"url": "u"}}],
            "alertmanager_receivers has no receiver of the daily summary: add summary",
        ),
    ],
)
def test_a_receiver_that_cannot_be_is_a_mistake(receivers: list[Any], line: str) -> None:
    assert line in "\n".join(mistakes_of({"alertmanager_receivers": receivers}))


def test_receivers_that_can_be_are_fine() -> None:
    ways = {"ntfy": {"url": "u"}, "slack": {"webhook_url": "u"}}
    mail = {"to": "a", "from": "b", "smarthost": "c:25"}
    night = {"name": "night", "severities": ["critical"], "email": mail}
    assert mistakes_of({"alertmanager_receivers": [{"name": "me", **ways}, night]}) == []
    only_night = {"alertmanager_receivers": [night], "alertmanager_summary_time": ""}
    assert mistakes_of(only_night) == []


def test_how_a_receiver_is_reached_is_never_shown() -> None:
    for receivers in (
        "https://hooks/hidden",
        ["https://hooks/hidden"],
        [{"name": "me", "webhook": "https://hooks/hidden"}],
        [{"name": "me", "webhook": {"url": ["https://hooks/hidden"]}}],
        [{"name": "me", "telegram": {"bot_token": "hidden", "chat_id": "hidden"}}],
    ):
        lines = "\n".join(mistakes_of({"alertmanager_receivers": receivers}))
        assert "alertmanager_receivers" in lines
        assert "hidden" not in lines


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"alertmanager_summary_time": 1080}, 'must be a time of day in quotes such as "08:00"'),
        ({"alertmanager_summary_time": "24:00"}, "must be a time of day"),
        ({"alertmanager_group_wait": "30"}, "must be a time with its unit such as 30s"),
        ({"alertmanager_repeat_warning": "0h"}, "must be a time with its unit"),
    ],
)
def test_times_of_alerts_that_cannot_be_are_mistakes(values: dict[str, Any], cure: str) -> None:
    (line,) = mistakes_of(values)
    assert cure in line


def test_a_template_that_fails_is_a_mistake() -> None:
    assert mistakes_of({}, failures={"goplot_k": "'kk' is undefined"}) == [
        "one: goplot_k cannot be evaluated ('kk' is undefined): correct the template or what it "
        "refers to"
    ]


def test_one_mistake_in_a_group_variable_is_one_line() -> None:
    mistakes = [Mistake(f"host{i}", "goplot_k", "is 1", "more") for i in range(7)]
    assert lines(mistakes) == ["host0, host1, host2, host3, host4 and 2 more: goplot_k is 1: more"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_value_whatever_breaks_the_rules(value: object) -> None:
    for name, option in CATALOGUE.options.items():
        for variable, problem, cure in check_value(name, option, value):
            assert variable.startswith(name)
            assert problem
            assert cure
    list(check_mounts(value))
    list(check_mounts([{"path": value, "src": value, "fstype": value, "opts": value}]))
