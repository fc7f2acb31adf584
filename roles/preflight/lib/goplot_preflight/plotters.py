"""The plotters of one host: what the services would refuse of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from goplot.host.settings import SettingsError, parse
from goplot.plotters.registry import command_of, request_for
from goplot_preflight.report import told
from goplot_preflight.written import Written, check_written

PLOTTERS = "goplot_plotters"
PLOT = ("goplot_plotter", "goplot_k", "goplot_compression", PLOTTERS)
_TEXTS = ("options", "command")
_FILE = Path("settings")
# The role adds it; see roles/goplot/vars.
_CHIAPOS = {"program": "chia"}


def check_plotters(
    values: Mapping[str, object], written: Mapping[str, Written]
) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for plotters that can't be used or can't make the plot.

    `values` are those of the variables of PLOT, as `check_value` takes them. The services' own
    settings check them.
    """
    plotters = values[PLOTTERS]
    if not isinstance(plotters, dict):
        return
    entries: dict[str, Any] = {"chiapos": _CHIAPOS}
    for name, entry in plotters.items():
        yield from _numbers(f"{PLOTTERS}.{name}", entry, written)
        usual = entries.get(str(name), {})
        if usual and isinstance(entry, dict) and "command" in entry:
            cure = "give that plotter another name, and set goplot_plotter to it"
            yield f"{PLOTTERS}.{name}.command", "would replace Chia's own program", cure
            continue
        entries[str(name)] = {**usual, **_as_texts(entry)} if isinstance(entry, dict) else entry
    document = {"plot": _plot(values), "plotters": entries}
    try:
        settings = parse(document, _FILE)
        chosen = settings.plotters[settings.plot.plotter]
        plot = settings.plot
        command_of(chosen, request_for(plot, chosen, plot.format, Path("/plot_temp/1/goplot-1")))
    except SettingsError as error:
        found: list[str] = []
        for line in str(error).splitlines():
            variable, problem, cure = _of_inventory(line.removeprefix(f"{_FILE}: "))
            # Others follow from the first of a key or of its table.
            if not any(f"{variable}.".startswith(f"{earlier}.") for earlier in found):
                yield variable, problem, cure
            found.append(variable)
    except ValueError as error:
        named = re.search(r"plot\.\w+", str(error))
        yield _of_inventory(f"{named[0] if named else 'plot.plotter'}: {error}")


def _plot(values: Mapping[str, object]) -> dict[str, Any]:
    """The table [plot] as the role writes it."""
    numbers = {key: int(str(values[f"goplot_{key}"])) for key in ("k", "compression")}
    return {"plotter": str(values["goplot_plotter"]), **numbers}


def _numbers(
    name: str, entry: object, written: Mapping[str, Written]
) -> Iterator[tuple[str, str, str]]:
    """Texts that are not in quotes, and numbers that are not what is written."""
    yield from check_written(f"{name}.temp_gib", "float", written, False)
    for where, value in _texts(entry):
        if not isinstance(value, (str, list, dict)) and value is not None:
            variable = f"{name}.{where}"
            source = written.get(variable)
            quoted = source.quoted if source else f'"{value}"'
            yes_or_no = "; YAML reads on, off, yes and no as true and false"
            hint = yes_or_no if isinstance(value, bool) else ""
            cure = f"put it in quotes: {quoted}" if not hint else f"put it in quotes{hint}"
            yield variable, told(variable, value), cure


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
    """A plotter with texts where `_numbers` reports that they are none."""
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
    """A line of the settings' mistakes in the words of the inventory."""
    line = re.sub(r"\[plotters\.([^]]+)\]", rf"{PLOTTERS}.\1", line)
    line = re.sub(r"\bplot\.(\w+)", r"goplot_\1", line)
    line = re.sub(r"^plotters\b", PLOTTERS, line)
    variable, _, text = line.replace("add that table", "add it").partition(": ")
    problem, _, cure = text.partition("; " if "; " in text else ": ")
    if cure and problem.startswith("is "):
        return variable, problem, cure
    return variable, "can't be used", text
