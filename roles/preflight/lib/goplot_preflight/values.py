"""Types, choices and ranges of values, from the specification of each variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from goplot.host.tunables import NUMBERS
from goplot_preflight.names import nearest_key
from goplot_preflight.network import bare_address, port_address
from goplot_preflight.report import shown
from goplot_preflight.services import PLOTTERS
from goplot_preflight.written import TEXT_KINDS, Written, check_written


@dataclass(frozen=True)
class Range:
    """The numbers that a variable may have, and a note for people."""

    least: float
    most: float
    above: bool = False
    note: str = ""

    def holds(self, number: float) -> bool:
        """Whether the number is within."""
        low = number > self.least if self.above else number >= self.least
        return low and number <= self.most

    def words(self, noun: str) -> str:
        """`must be a whole number from 0 to 10000 (0 starts no plot)`."""
        span = f" from {self.least:.0f} to {self.most:.0f}"
        if self.above:
            span = f" above {self.least:.0f} and at most {self.most:.0f}"
        return f"must be {noun}{span}" + (f" ({self.note})" if self.note else "")


_TUNABLE_NOTES = {
    "plot_gap": "seconds from one start to the next",
    "plot_poll": "seconds from one poll to the next",
    "max_plots": "0 starts no plot",
    "load_max": "a goplot load; at 0 no plot would ever start",
}
# What an argument specification cannot express. The minimum k is that of test networks, the
# maximum is that of the plot format; C9 is the highest compression of the plot table. A tunable's
# range is what the services accept.
RANGES = {
    "goplot_k": Range(18, 50, note="32 is the least that is farmed on mainnet"),
    "goplot_compression": Range(0, 9, note="0 makes uncompressed plots"),
    "grafana_port": Range(1024, 65535, note="lower ones need a privilege"),
    **{
        f"goplot_tunables.{name}": Range(
            tunable.low, tunable.high, name == "load_max", _TUNABLE_NOTES.get(name, tunable.help)
        )
        for name, tunable in NUMBERS.items()
    },
}
_PATTERNS = {
    "chia_version": (r"\d+(\.\d+){1,2}((a|b|rc)\d+)?", "a released version such as 2.7.5"),
    "chia_plotting_version": (
        r"(\d+(\.\d+){1,2}((a|b|rc)\d+)?)?",
        "a released version such as 2.7.5, or empty for the one that farms",
    ),
    "goplot_farmer_public_key": (r"((0x)?[0-9a-fA-F]{96})?", "the 96 hexadecimal digits of a key"),
    "goplot_pool_public_key": (r"((0x)?[0-9a-fA-F]{96})?", "the 96 hexadecimal digits of a key"),
    "goplot_pool_contract_address": (
        r"(t?xch1[02-9ac-hj-np-z]{58})?",
        "an address such as xch1..., 62 characters (63 for txch1...)",
    ),
    "alertmanager_summary_time": (
        r"(([01]\d|2[0-3]):[0-5]\d)?",
        'a time of day in quotes such as "08:00", or empty for no daily summary',
    ),
    **dict.fromkeys(
        (
            "alertmanager_group_wait",
            "alertmanager_group_interval",
            "alertmanager_repeat_critical",
            "alertmanager_repeat_warning",
        ),
        (r"(?=.*[1-9])(\d+(ms|[smhdw]))+", "a time with its unit such as 30s, 5m or 1h30m"),
    ),
}
_ADDRESSES = {
    "alertmanager_listen_address": port_address,
    "grafana_listen_address": bare_address,
    "node_exporter_listen_address": port_address,
    "prometheus_listen_address": port_address,
}
_NOUNS = {
    "str": "text",
    "path": "a path",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}
_BOOLEANS = {"yes", "no", "on", "off", "true", "false", "1", "0", "y", "n", "t", "f"}


def check_value(
    variable: str,
    spec: Mapping[str, Any],
    value: object,
    secret: bool = False,
    written: Mapping[str, Written] = MappingProxyType({}),
) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for each problem with a value.

    Nested options are named with a dot, elements of a list with their index from 0. `written` has
    the numbers and dates within the value as their files have them, by the same names.
    """
    kind = spec.get("type", "str")
    misread = list(check_written(variable, kind, written, secret))
    if misread:
        yield from misread
        return
    bounds = RANGES.get(variable)
    noun = _NOUNS.get(kind, kind)
    must = bounds.words(noun) if bounds else f"must be {noun}"
    if value is None:
        yield variable, shown(variable, value), f"{must}; for the default, delete the line"
        return
    quotes = "put it in quotes" if kind in TEXT_KINDS and not isinstance(value, str) else ""
    if not _is(kind, value):
        reads = "YAML reads on, off, yes and no as true and false: "
        hint = (reads if isinstance(value, bool) else "") + quotes
        scalar = isinstance(value, (bool, date))
        text = f"{must}; {hint}" if quotes and scalar else must
        yield variable, shown(variable, value, secret), text
        return
    if bounds and not bounds.holds(float(str(value))):
        yield variable, shown(variable, value, secret), must
    choices = spec.get("choices")
    if choices and kind != "list" and str(value) not in {str(choice) for choice in choices}:
        named = ", ".join(str(choice) for choice in choices)
        yield variable, shown(variable, value, secret), f"must be one of {named}"
    pattern, example = _PATTERNS.get(variable, ("", ""))
    if pattern and not re.fullmatch(pattern, str(value)):
        hint = f"; {quotes}" if quotes and "quotes" not in example else ""
        yield variable, shown(variable, value, secret), f"must be {example}{hint}"
    if variable in _ADDRESSES and (fault := _ADDRESSES[variable](str(value))):
        yield variable, shown(variable, value, secret), fault
    if isinstance(value, list):
        element = {**spec, "type": spec.get("elements", "raw")}
        for index, item in enumerate(value):
            yield from check_value(f"{variable}[{index}]", element, item, secret, written)
    elif isinstance(value, dict) and spec.get("options"):
        yield from _check_keys(variable, spec["options"], value, secret, written)
    elif isinstance(value, dict) and spec.get("no_log"):
        # Passwords by user.
        for key, item in value.items():
            yield from check_value(f"{variable}.{key}", {"type": "str"}, item, secret, written)
    elif isinstance(value, dict) and variable != PLOTTERS:
        for name in written:
            if name.startswith(f"{variable}."):
                yield from check_written(name, "raw", written, secret)


def _check_keys(
    variable: str,
    options: Mapping[str, Mapping[str, Any]],
    value: dict[str, Any],
    secret: bool,
    written: Mapping[str, Written],
) -> Iterator[tuple[str, str, str]]:
    for key, item in value.items():
        if key in options:
            yield from check_value(f"{variable}.{key}", options[key], item, secret, written)
        else:
            yield f"{variable}.{key}", "is not known", nearest_key(str(key), options)
    for key, option in options.items():
        if option.get("required") and key not in value:
            known = ", ".join(f"{k}: {v}" for k, v in value.items() if k == "path" and k in options)
            where = f" in {{{known}}}" if known and not secret else ""
            yield f"{variable}.{key}", f"is missing{where}", f"add it: {_first(option)}"


def _first(option: Mapping[str, Any]) -> str:
    """The first sentence of an option's description."""
    description = option.get("description", "it is required")
    text = description if isinstance(description, str) else str(description[0])
    return text.split(". ")[0].rstrip(".")


def _is(kind: str, value: object) -> bool:
    """Whether Ansible would correctly accept the value as one of that type.

    A list must be a list, for Ansible would split a text at its commas.
    """
    text = str(value)
    if kind in {"str", "path"}:
        return isinstance(value, (str, int, float)) and not isinstance(value, bool)
    if kind == "bool":
        return isinstance(value, bool) or text.lower() in _BOOLEANS
    if kind in {"int", "float"}:
        number = r"[+-]?\d+" if kind == "int" else r"[+-]?\d+(\.\d*)?"
        return not isinstance(value, bool) and re.fullmatch(number, text) is not None
    if kind == "list":
        return isinstance(value, list)
    if kind == "dict":
        return isinstance(value, dict)
    return True
