"""What the inventory's files say, and what YAML makes of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from goplot_preflight.values import check_value
from goplot_preflight.written import (
    Position,
    Sources,
    Written,
    cure,
    misread,
    scalars,
    written_of,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.inventory import CATALOGUE, mistakes_of, scalar

DIGITS = st.text("0123456789_", min_size=1, max_size=12)
WRITTEN = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["", "+", "-", "0", "0x", "0b", "0o"]), DIGITS),
    st.builds("{}.{}".format, DIGITS, DIGITS),
    st.builds("{}.{}e{}{}".format, DIGITS, DIGITS, st.sampled_from("+-"), st.integers(0, 20)),
    st.builds(":".join, st.lists(st.integers(0, 59).map(str), min_size=2, max_size=3)),
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from([".inf", "-.INF", ".nan", "1e3", "~", "1:30.5", "08", "0x8d", "1.", ".5"]),
)


def read(text: str) -> Written:
    """The scalar, if YAML makes a number or a date of it."""
    try:
        written = scalar(text)
    except ValueError:  # a digit that the base does not have, a month that no year has
        assume(False)
    assume(not isinstance(written.value, (str, bool)) and written.value is not None)
    return written


@given(WRITTEN)
def test_a_text_is_what_is_written_or_what_the_cure_makes_it(text: str) -> None:
    written = read(text)
    wanted = yaml.safe_load(cure("str", written, False).removeprefix("put it in quotes: "))
    assert wanted == text
    assert misread("str", written) == (str(written.value) != text)
    assert cure("str", written, True) == "put it in quotes"


@given(WRITTEN)
def test_a_number_is_what_people_read_or_what_the_cure_makes_it(text: str) -> None:
    written = read(text)
    wrong = misread("int", written)
    if isinstance(written.value, (int, float)) and math.isfinite(written.value) and not wrong:
        assert float(text) == float(written.value)
    if wrong:
        numbers = cure("int", written, False).removeprefix("write the plain number: ")
        for number in numbers.removesuffix(" if that is meant").split(", or "):
            assert not misread("int", read(number))
        assert not any(character.isdigit() for character in cure("int", written, True))


@given(WRITTEN)
def test_what_may_be_either_is_wrong_only_if_it_is_wrong_as_both(text: str) -> None:
    written = read(text)
    assert misread("raw", written) == (misread("str", written) and misread("float", written))


@given(WRITTEN, st.sampled_from(["- {}", "[1, {}]", "a: {{b: {}, c: 1}}", "x:\n  - y: {}  # z"]))
def test_a_scalar_is_found_where_it_stands(text: str, around: str) -> None:
    read(text)
    whole = around.format(text)
    line = next(number for number, one in enumerate(whole.splitlines(), 1) if text in one)
    column = whole.splitlines()[line - 1].rindex(text) + 1
    assert scalars(whole)[line, column] == text
    assert scalars(around.format(json.dumps(text))).get((line, column)) is None


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("chia_version", "2.10", 'is read as 2.1: put it in quotes: "2.10"'),
        ("alertmanager_summary_time", "18:00", 'is read as 1080: put it in quotes: "18:00"'),
        ("chia_network", "010", 'is read as 8: put it in quotes: "010"'),
        ("goplot_k", "0x20", "is read as 32: write the plain number: 32"),
        ("goplot_k", "040", "is read as 32: write the plain number: 40, or 32 if that is meant"),
        ("verify_seconds", "1:30", "is read as 90: write the plain number: 90"),
        ("goplot_k", "3_2", None),
        ("goplot_k", "32", None),
        ("chia_version", "2.5", None),
    ],
)
def test_a_value_that_is_not_what_is_written_names_file_and_cure(
    variable: str, text: str, line: str | None
) -> None:
    found = mistakes_of({variable: scalar(text).value}, written={variable: scalar(text)})
    start = f"one: {variable} is written {text} in all.yml:3, which "
    assert found == ([start + line] if line else [])


def values_and_written(variable: str, text: str) -> tuple[dict[str, Any], dict[str, Written]]:
    """A variable of YAML text, and its scalars as written, found by a stand-in of positions."""
    value = yaml.safe_load(text)
    at = {repr(yaml.safe_load(one)): place for place, one in scalars(text).items()}

    def position(item: object) -> Position | None:
        return Position(Path("/i/all.yml"), *at[repr(item)]) if repr(item) in at else None

    return {variable: value}, dict(written_of(variable, value, position, Sources(lambda _: text)))


@pytest.mark.parametrize(
    ("variable", "text", "lines"),
    [
        (
            "chia_settings",
            "{farmer: {port: 8447, id: 017, ratio: 1.50}, names: [0x1F, 2026-11-25]}",
            ["chia_settings.farmer.id is written 017", "chia_settings.names[0] is written 0x1F"],
        ),
        (
            "prometheus_basic_auth_users",
            "{owner: 0123456, guest: plain, other: 1_2, off: 99}",
            [
                "prometheus_basic_auth_users.owner has a value in ",
                "prometheus_basic_auth_users.other has a value in ",
                "prometheus_basic_auth_users has a user False that",
            ],
        ),
        ("tls_names", "[farm.example, 1.10]", ["tls_names[1] is written 1.10"]),
    ],
)
def test_values_within_are_named(variable: str, text: str, lines: list[str]) -> None:
    values, written = values_and_written(variable, text)
    found = mistakes_of(values, written=written)
    assert len(found) == len(lines), found
    for line, expected in zip(found, lines, strict=True):
        assert line.startswith(f"one: {expected}")
    assert not any(secret in line for line in found for secret in ("123456", "42798", "12"))


@pytest.mark.parametrize(
    ("line", "value", "quoted"),
    [
        ("h1 ansible_host=1 chia_version=2.10 x=1", 2.1, "'\"2.10\"'"),
        ("chia_version = 2.10", 2.1, '"2.10"'),
        ("h1 chia_version=3", 2.1, None),
        ("h1 chia_version='\"2.10\"'", 2.1, None),
    ],
)
def test_an_ini_inventory_is_read_as_python_reads_it(
    line: str, value: float, quoted: str | None
) -> None:
    sources = Sources(lambda _: f"[all]\n{line}\n")
    written = sources.written("chia_version", value, Position(Path("/i/hosts"), 2, 0))
    assert (written.quoted if written else None) == quoted


def test_a_file_that_has_something_else_there_proves_nothing() -> None:
    sources = Sources(lambda _: "a: 010\nb: &x 0x10\nc: *x\n")
    at = Path("/i/all.yml")
    assert sources.written("a", 8, Position(at, 1, 4)) is not None
    assert sources.written("b", 16, Position(at, 2, 4)) is not None
    assert sources.written("a", 9, Position(at, 1, 4)) is None
    assert sources.written("a", 8, Position(at, 9, 1)) is None
    assert Sources(lambda _: "").written("a", 8, Position(at, 1, 4)) is None
    assert Sources(lambda _: "").written("a", 8, Position(at, 1, 0)) is None


@pytest.mark.parametrize("variable", ["goplot_farmer_public_key", "goplot_pool_public_key"])
def test_a_key_that_is_a_number_is_to_be_quoted_also_when_its_file_is_not_known(
    variable: str,
) -> None:
    (found,) = check_value(variable, CATALOGUE.options[variable], int("8d" * 48, 16))
    assert "put it in quotes" in found[2]
    assert str(int("8d" * 48, 16)) not in " ".join(found)


def test_a_date_is_to_be_quoted() -> None:
    (found,) = check_value("chia_network", {"type": "str"}, yaml.safe_load("2026-11-25"))
    assert "put it in quotes" in found[2]
