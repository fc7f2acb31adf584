"""Numbers and dates as the inventory's files have them, before they are read as YAML or INI."""

from __future__ import annotations

import ast
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from goplot_preflight.report import is_secret

TEXT_KINDS = frozenset({"str", "path"})
NUMBER_KINDS = frozenset({"int", "float"})
Scalars = dict[tuple[int, int], str]


@dataclass(frozen=True)
class Position:
    """Where a value stands in a file, from 1. `column` is 0 in a file that is not YAML."""

    path: Path
    line: int
    column: int


@dataclass(frozen=True)
class Written:
    """An unquoted value, its text in its file, how to write that as text, and `file:line`."""

    value: object
    text: str
    quoted: str
    place: str


@dataclass(frozen=True)
class Sources:
    """The files of the inventory. `read` returns the text of one."""

    read: Callable[[Path], str]
    _texts: dict[Path, str] = field(default_factory=dict)
    _scalars: dict[Path, Scalars] = field(default_factory=dict)

    def written(self, variable: str, value: object, position: Position) -> Written | None:
        """The value as it is written there, or None if the file has something else there."""
        if position.path not in self._texts:
            self._texts[position.path] = self.read(position.path)
        text = self._texts[position.path]
        place = f"{_short(position.path)}:{position.line}"
        if not position.column:
            return _ini(text, position.line, variable, value, place)
        if position.path not in self._scalars:
            self._scalars[position.path] = scalars(text)
        found = self._scalars[position.path].get((position.line, position.column))
        if found is None or yaml.safe_load(found) != value:
            return None
        return Written(value, found, json.dumps(found), place)


def scalars(text: str) -> Scalars:
    """The unquoted scalars of a YAML text by line and column, from 1."""
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found: Scalars = {}
    waiting = [root] if root else []
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.ScalarNode) and not node.style:
            found[node.start_mark.line + 1, node.start_mark.column + 1] = node.value
    return found


def _ini(text: str, line: int, variable: str, value: object, place: str) -> Written | None:
    """INI inventories read values as Python does; a host's line removes one pair of quotes."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return None
    found = re.search(rf"(^|\s){re.escape(variable)}\s*=\s*(\S+)", lines[line - 1])
    if not found:
        return None
    try:
        same = ast.literal_eval(found[2]) == value
    except (ValueError, SyntaxError):
        same = False
    quoted = json.dumps(found[2])
    on_host_line = bool(lines[line - 1][: found.start()].strip())
    quoted = f"'{quoted}'" if on_host_line else quoted
    return Written(value, found[2], quoted, place) if same else None


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def written_of(
    variable: str,
    value: object,
    position_of: Callable[[object], Position | None],
    sources: Sources,
) -> Iterator[tuple[str, Written]]:
    """The numbers and dates within a value, by name as `check_value` names them.

    Texts are what they say; true, false and nothing have no position.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from written_of(f"{variable}.{key}", item, position_of, sources)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from written_of(f"{variable}[{index}]", item, position_of, sources)
    elif not isinstance(value, str) and (position := position_of(value)):
        written = sources.written(variable, value, position)
        if written:
            yield variable, written


def misread(kind: str, written: Written) -> bool:
    """Whether a value of a type is not what its unquoted text says to people.

    A text must be the same as it is written, a number that which is written in decimal; a value of
    another type may be either.
    """
    value = written.value
    as_text = str(value) != written.text
    number = isinstance(value, (int, float)) and math.isfinite(value)
    as_number = number and _decimal(written.text) != value
    if kind in TEXT_KINDS:
        return as_text
    return as_number if kind in NUMBER_KINDS else as_text and as_number


def check_written(
    variable: str, kind: str, written: Mapping[str, Written], secret: bool
) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for a value that is not what its file says."""
    found = written.get(variable)
    if found and misread(kind, found):
        secret = secret or is_secret(variable)
        problem = f"is written {found.text} in {found.place}, which is read as {found.value!r}"
        if secret:
            problem = f"has a value in {found.place} that is not read as it is written"
        yield variable, problem, cure(kind, found, secret)


def cure(kind: str, written: Written, secret: bool) -> str:
    """What to write instead. Nothing of a secret is shown."""
    quotes = "put it in quotes" + ("" if secret else f": {written.quoted}")
    plain = "write the plain number" + ("" if secret else f": {_numbers(written)}")
    if kind in TEXT_KINDS:
        return quotes
    return plain if kind in NUMBER_KINDS else f"if it is text, {quotes}; otherwise {plain}"


def _numbers(written: Written) -> str:
    decimal = _decimal(written.text)
    if decimal is None:
        return str(written.value)
    return f"{decimal}, or {written.value} if that is meant"


def _decimal(text: str) -> Any:
    """The number that a text says in decimal, or None."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return None
