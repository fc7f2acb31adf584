"""What the services would refuse of a host's settings: they would end with 78, again and again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goplot.host.settings import Settings, SettingsError, parse
from goplot.plotters.registry import command_of, request_for
from goplot_preflight.report import shown
from goplot_preflight.written import Written, check_written

PLOTTERS = "goplot_plotters"
#: By variable, the key that it feeds: a test compares this with the file that the role writes.
KEYS = {
    "goplot_plotter": "plot.plotter",
    "goplot_k": "plot.k",
    "goplot_compression": "plot.compression",
    "goplot_pool_contract_address": "plot.pool_contract_address",
    "goplot_pool_public_key": "plot.pool_public_key",
    "goplot_grafana_url": "annotations.url",
    "chia_root": "chia.root",
    "watch_quiet_seconds": "chia.quiet_seconds",
    "watch_full_node_rpc": "farmer_collector.full_node",
    "watch_timeout_seconds": "farmer_collector.timeout_seconds",
}
VARIABLES = (*KEYS, PLOTTERS)
_TEXTS = ("options", "command")
_FILE = Path("settings")
# The role adds it; see roles/goplot/vars.
_CHIAPOS = {"program": "chia"}


def check_services(
    values: Mapping[str, Any], written: Mapping[str, Written]
) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for what the services refuse, or their plotter can't make.

    `values` are those of VARIABLES that have no other mistake. The services' own settings check
    them.
    """
    # The log is not the inventory's to name.
    document: dict[str, Any] = {"chia": {"log": "journal"}}
    for variable, key in KEYS.items():
        table, name = key.split(".")
        if values.get(variable) not in ("", None):
            document.setdefault(table, {})[name] = values[variable]
    entries: dict[str, Any] = {"chiapos": _CHIAPOS}
    plotters = values.get(PLOTTERS)
    for name, entry in plotters.items() if isinstance(plotters, Mapping) else ():
        yield from _check_texts(f"{PLOTTERS}.{name}", entry, written)
        usual = entries.get(str(name), {})
        if usual and isinstance(entry, dict) and "command" in entry:
            cure = "give that plotter another name, and set goplot_plotter to it"
            yield f"{PLOTTERS}.{name}.command", "would replace Chia's own program", cure
            continue
        entries[str(name)] = {**usual, **_as_texts(entry)} if isinstance(entry, dict) else entry
    document["plotters"] = entries
    if plotters is None:
        # Which plotters there are is not known.
        document.pop("plot", None)
    found: list[str] = []
    for line in _refused(document):
        variable, problem, cure = _of_inventory(line)
        # Others follow from the first of a key or of its table.
        if not any(f"{variable}.".startswith(f"{earlier}.") for earlier in found):
            yield variable, problem, cure
        found.append(variable)


def _refused(document: Mapping[str, Any]) -> list[str]:
    """The services' own words, each with the key that it is about."""
    try:
        _make(parse(document, _FILE))
    except SettingsError as error:
        return [line.removeprefix(f"{_FILE}: ") for line in str(error).splitlines()]
    except ValueError as error:
        named = re.search(r"plot\.\w+", str(error))
        return [f"{named[0] if named else 'plot.plotter'}: {error}"]
    return []


def _make(settings: Settings) -> None:
    """Raises ValueError for a plot that the plotter can't make."""
    plotter = settings.plotters[settings.plot.plotter]
    folder = Path("/plot_temp/1/goplot-1")
    command_of(plotter, request_for(settings.plot, plotter, settings.plot.format, folder))


def _check_texts(
    name: str, entry: object, written: Mapping[str, Written]
) -> Iterator[tuple[str, str, str]]:
    """Texts of a plotter that are not in quotes, and numbers that are not what is written."""
    for key in ("temp_gib", "temp2_gib"):
        yield from check_written(f"{name}.{key}", "float", written, False)
    for where, value in _texts(entry):
        if not isinstance(value, (str, list, dict)) and value is not None:
            variable = f"{name}.{where}"
            source = written.get(variable)
            cure = f"put it in quotes: {source.quoted if source else json.dumps(str(value))}"
            if isinstance(value, bool):
                cure = "put it in quotes; YAML reads on, off, yes and no as true and false"
            yield variable, shown(variable, value), cure


def _texts(entry: object) -> Iterator[tuple[str, object]]:
    """What must be text of a plotter, by its name within the plotter."""
    if not isinstance(entry, dict):
        return
    for key in _TEXTS:
        values = entry.get(key)
        for index, value in enumerate(values if isinstance(values, list) else []):
            yield f"{key}[{index}]", value
    environment = entry.get("environment")
    for key, value in environment.items() if isinstance(environment, dict) else ():
        yield f"environment.{key}", value


def _as_texts(entry: dict[Any, Any]) -> dict[str, Any]:
    """A plotter with texts where `_check_texts` reports that they are none."""
    return {
        str(key): [_as_text(item) for item in value]
        if key in _TEXTS and isinstance(value, list)
        else {str(name): _as_text(item) for name, item in value.items()}
        if key == "environment" and isinstance(value, dict)
        else value
        for key, value in entry.items()
    }


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, (int, float)) else value


def _of_inventory(line: str) -> tuple[str, str, str]:
    """A line of the services in the words of the inventory."""
    line = re.sub(r"\[plotters\.([^]]+)\]", rf"{PLOTTERS}.\1", line)
    for variable, key in KEYS.items():
        line = re.sub(rf"(?<![\w.]){re.escape(key)}\b", variable, line)
    line = re.sub(r"^plotters\b", PLOTTERS, line)
    variable, _, text = line.replace("add that table", "add it").partition(": ")
    problem, _, cure = text.partition("; " if "; " in text else ": ")
    if cure and problem.startswith("is "):
        return variable, problem, cure
    return variable, "can't be used", text
