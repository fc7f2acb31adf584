"""Inventories as preflight judges them."""

import json
from pathlib import Path
from typing import Any

import yaml
from goplot_preflight.catalogue import read_catalogue
from goplot_preflight.farm import Host, check_inventory
from goplot_preflight.report import lines
from goplot_preflight.written import Written

CATALOGUE = read_catalogue(Path(__file__).parents[2] / "roles")
KEY = "ab" * 48
DISK = {"path": "/farm/1/disk1", "src": "UUID=aa-01", "fstype": "xfs"}
TEMP = {"path": "/plot_temp/1", "src": "/dev/nvme0n1", "fstype": "xfs", "format": True}
GROUPS = {"farmer": ["one"], "plotter": ["one"], "harvester": ["one"]}
GOOD: dict[str, Any] = {
    "farm_layout_mounts": [DISK, TEMP],
    "goplot_farmer_public_key": KEY,
    "goplot_pool_public_key": KEY,
}


def scalar(text: str) -> Written:
    """An unquoted scalar as YAML reads it and as its file has it."""
    return Written(yaml.safe_load(text), text, json.dumps(text), "all.yml:3")


def mistakes_of(
    values: dict[str, Any], groups: dict[str, list[str]] | None = None, **fields: Any
) -> list[str]:
    """The lines for one host that is in every group."""
    host = Host(
        "one",
        frozenset(GROUPS),
        {**GOOD, **values},
        names=fields.pop("names", frozenset()),
        **fields,
    )
    return lines(check_inventory([host], groups or GROUPS, CATALOGUE))
