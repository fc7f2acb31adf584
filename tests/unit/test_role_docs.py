"""The tables of variables in the READMEs of the roles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lint.role_docs import BEGIN, END, compare, table, with_table

OPTIONS: dict[str, dict[str, Any]] = {
    "r_disk": {"type": "str", "required": True, "description": "Path of <disk>, a C(name) | x."},
    "r_level": {"type": "int", "default": 3, "choices": [1, 3], "description": ["One.", "Two."]},
    "r_list": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": "Many.",
        "options": {"key": {"type": "bool", "description": "Inner."}},
    },
}
DEFAULTS = {"r_level": 3, "r_list": []}


def test_the_table_has_a_row_a_variable_and_a_key() -> None:
    assert table(OPTIONS, DEFAULTS).splitlines()[2:] == [
        r"| `r_disk` | str | required | Path of &lt;disk>, a `name` \| x. |",
        "| `r_level` | int | `3` | One. Two. One of `1`, `3`. |",
        "| `r_list` | list of dict | `[]` | Many. |",
        "| `r_list[].key` | bool |  | Inner. |",
    ]


def test_defaults_that_agree_are_no_complaint() -> None:
    assert list(compare("r", OPTIONS, DEFAULTS)) == []


@pytest.mark.parametrize(
    ("defaults", "complaint"),
    [
        ({**DEFAULTS, "r_new": 1}, "r_new is in defaults/main.yml but not in"),
        ({**DEFAULTS, "r_disk": ""}, "r_disk is required, yet has a default"),
        ({"r_list": []}, "r_level is not required, yet has no default"),
        ({**DEFAULTS, "r_level": 4}, "the default of r_level differs"),
    ],
)
def test_defaults_that_differ_are_reported(defaults: dict[str, Any], complaint: str) -> None:
    (reported,) = compare("r", OPTIONS, defaults)
    assert complaint in reported


def test_the_table_goes_between_its_markers_or_to_the_end() -> None:
    marked = f"# r\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(marked, "new") == f"# r\n{BEGIN}\nnew\n{END}\nafter\n"
    added = with_table("# r\n", "new")
    assert added == f"# r\n\n## Variables\n\n{BEGIN}\nnew\n{END}\n"
    assert with_table(added, "new") == added
