"""The farmer public key that the role goplot writes into the settings of plotters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.plays import rendered

SHOWN = {"keys": [{"fingerprint": 1, "farmer_pk": None}, {"fingerprint": 2, "farmer_pk": "ab"}]}
ASKED = {"__goplot_keys": {"stdout_lines": ["a warning {", json.dumps(SHOWN)]}}
EMPTY = {"__goplot_keys": {"stdout_lines": [json.dumps({"keys": []})]}}
SETTINGS = {"content": '[plot]\nfarmer_public_key = "cd"\n'}
KNOWN = {"__goplot_known": {"paths": {"/etc/goplot/settings.toml": SETTINGS}}}


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ({}, ""),
        (ASKED, "ab"),
        ({**ASKED, "goplot_farmer_public_key": "ef"}, "ef"),
        (EMPTY, ""),
        # The farmer is away: the plotter keeps what it has.
        ({**EMPTY, **KNOWN}, "cd"),
        ({**ASKED, **KNOWN}, "ab"),
        ({"__goplot_keys": {"unreachable": True}, **KNOWN}, "cd"),
    ],
)
def test_where_the_farmer_public_key_of_a_plotter_is_from(
    tmp_path: Path, host: dict[str, Any], key: str
) -> None:
    inventory = {"farmer": {"hosts": {"one": {}}}, "plotter": {"hosts": {"two": host}}}
    values = {"key": "{{ _goplot_farmer_public_key }}", "keyless": "{{ _goplot_keyless }}"}
    found = rendered(tmp_path, inventory, ["goplot"], values)
    assert found["two"]["key"] == key
    assert found["one"]["key"] == ""
    assert bool(found["two"]["keyless"]) == ("goplot_farmer_public_key" not in host)
