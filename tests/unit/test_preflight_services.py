"""Preflight refuses what the services would refuse of their settings, before they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.host.settings import SettingsError, parse
from goplot.plotters.registry import PLOTTERS
from tests.support.inventory import mistakes_of, scalar

MADMAX = {"program": "/usr/local/bin/chia_plot"}
OWN = {"command": ["/opt/plot", "{k}"], "grammar": "madmax", "temp_gib": 256}


@pytest.mark.parametrize(
    ("plotters", "lines"),
    [
        (
            {"madmax": {**MADMAX, "options": ["-r", 8]}},
            ['goplot_plotters.madmax.options[1] is 8: put it in quotes: "8"'],
        ),
        (
            {"madmax": {**MADMAX, "environment": {"OMP_NUM_THREADS": 8, "BIND": True}}},
            [
                'goplot_plotters.madmax.environment.OMP_NUM_THREADS is 8: put it in quotes: "8"',
                "goplot_plotters.madmax.environment.BIND is True: put it in quotes; YAML reads on",
            ],
        ),
        (
            {"madmax": {**MADMAX, "optoins": ["-r", "8"]}},
            ["goplot_plotters.madmax.optoins is not known: known here: program, options"],
        ),
        ({"madmax": {}}, ["goplot_plotters.madmax.program is missing: name the plotter's program"]),
        ({"madmax": {**MADMAX, "options": "-r 8"}}, ["goplot_plotters.madmax.options is '-r 8'"]),
        ({"madmax": ["-r"]}, ["goplot_plotters.madmax is ['-r']"]),
        ({"madmx": MADMAX}, ["goplot_plotters.madmx is not a known plotter"]),
        ({"mine": {**OWN, "grammar": "madmx"}}, ["goplot_plotters.mine.grammar "]),
        ({"mine": {**OWN, "command": ["{kk}"]}}, ["goplot_plotters.mine.command can't be used: "]),
        ({"mine": {**OWN, "temp_gib": "much"}}, ["goplot_plotters.mine.temp_gib is 'much'"]),
        (
            {"chiapos": OWN},
            ["goplot_plotters.chiapos.command would replace Chia's own program: give that plotter"],
        ),
        ({"chiapos": {"options": ["-r", "4"]}, "madmax": MADMAX, "mine": OWN}, []),
        (
            {"madmax": {"options": [1]}, "madmx": {}, "mine": {**OWN, "colour": "red"}},
            [
                "goplot_plotters.madmax.options[0] is 1",
                "goplot_plotters.madmax.program is missing",
                "goplot_plotters.madmx is not a known plotter",
                "goplot_plotters.mine.colour is not known",
            ],
        ),
    ],
)
def test_plotters_that_the_services_refuse_are_mistakes(
    plotters: dict[str, Any], lines: list[str]
) -> None:
    found = mistakes_of({"goplot_plotters": plotters})
    assert len(found) == len(lines), found
    for line in lines:
        assert any(one.startswith(f"one: {line}") for one in found), (line, found)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"goplot_plotter": "madmax"}, "goplot_plotter is 'madmax', but goplot_plotters.madmax is"),
        ({"goplot_plotter": "madmax", "goplot_compression": 5}, "madmax makes no compressed plots"),
        (
            {"goplot_plotter": "bladebit-ramplot", "goplot_k": 33},
            "goplot_k can't be used: bladebit",
        ),
        ({"goplot_plotter": "bladebit-ramplot", "goplot_compression": 8}, "no known size for k32"),
        ({"goplot_plotter": "bladebit-ramplot", "goplot_compression": 5}, ""),
    ],
)
def test_a_plot_that_its_plotter_cannot_make_is_a_mistake(
    values: dict[str, Any], words: str
) -> None:
    plotters = {"bladebit-ramplot": {"program": "/usr/bin/bladebit"}}
    if "compressed" in words:
        plotters["madmax"] = MADMAX
    found = mistakes_of({"goplot_plotters": plotters, **values})
    assert len(found) == bool(words), found
    assert words in "".join(found)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"goplot_grafana_url": "farmer1:3000"}, "goplot_grafana_url is 'farmer1:3000': it must"),
        ({"watch_full_node_rpc": "192.168.1.5"}, "watch_full_node_rpc is '192.168.1.5': it must"),
        ({"watch_full_node_rpc": "[fd00::5]:8555"}, ""),
        ({"watch_quiet_seconds": 0}, "watch_quiet_seconds is 0"),
        ({"watch_timeout_seconds": "-1"}, "watch_timeout_seconds is -1"),
        ({"chia_root": "chia"}, "chia_root is 'chia': it must be an absolute path"),
        (
            {
                "goplot_pool_contract_address": "xch1" + "q" * 58,
                "goplot_tunables": {"on_toggle": "no"},
            },
            "goplot_pool_public_key is set with goplot_pool_contract_address: remove one",
        ),
    ],
)
def test_settings_that_the_services_refuse_are_mistakes(values: dict[str, Any], line: str) -> None:
    found = mistakes_of(values)
    assert len(found) == bool(line), found
    assert line in "".join(found)


def test_an_option_is_quoted_as_it_is_written() -> None:
    variable = "goplot_plotters.madmax.options[1]"
    plotters = {"madmax": {**MADMAX, "options": ["-r", scalar("010").value]}}
    (line,) = mistakes_of({"goplot_plotters": plotters}, written={variable: scalar("010")})
    assert line.endswith('put it in quotes: "010"')
    own = {"mine": {**OWN, "temp_gib": scalar("0400").value}}
    (line,) = mistakes_of(
        {"goplot_plotters": own}, written={"goplot_plotters.mine.temp_gib": scalar("0400")}
    )
    assert "is written 0400 in all.yml:3, which is read as 256: write the plain number" in line


def test_encrypted_plotters_are_not_shown() -> None:
    plotters = {"madmax": {**MADMAX, "options": ["-r", 987], "hush": "hush"}}
    found = mistakes_of({"goplot_plotters": plotters}, secrets=frozenset({"goplot_plotters"}))
    assert len(found) == 2
    assert not any("987" in line or "hush: " in line for line in found)


SCALARS = st.none() | st.booleans() | st.integers(0, 99) | st.text("ab{}k", max_size=4)
ENTRIES = st.dictionaries(
    st.sampled_from(
        ["program", "options", "command", "grammar", "temp_gib", "environment", "other"]
    ),
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text("AB", max_size=2), SCALARS),
)


@given(
    st.dictionaries(st.sampled_from([*PLOTTERS, "mine"]), ENTRIES | SCALARS, max_size=2),
)
def test_what_preflight_takes_the_services_take(plotters: dict[str, Any]) -> None:
    own = plotters.get("chiapos", {})
    usual = {"program": "chia", **own} if isinstance(own, dict) else own
    document = {"plotters": {**plotters, "chiapos": usual}}
    try:
        parse(document, Path("settings.toml"))
        accepted = True
    except SettingsError:
        accepted = False
    assert (mistakes_of({"goplot_plotters": plotters}) == []) == accepted
