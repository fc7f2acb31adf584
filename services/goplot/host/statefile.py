"""Reading a state file or nothing: one that is missing or damaged is as good as none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from goplot.farm.codec import decode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")
_V = TypeVar("_V")
# An infinite number, which JSON as Python reads it knows, is an OverflowError for int.
_DAMAGED = (OSError, ValueError, TypeError, AttributeError, OverflowError)


def read_state(path: Path, kind: type[_T]) -> _T | None:
    """The dataclass in a state file; None if the file is missing or damaged."""
    try:
        return decode(kind, json.loads(path.read_text()))
    except _DAMAGED:
        return None


def read_table(path: Path, value: Callable[[Any], _V]) -> dict[str, _V]:
    """The values in a state file by key; empty if the file is missing or damaged.

    `value` makes a value of what the file holds; its ValueError, TypeError or OverflowError means
    that the file is damaged.
    """
    try:
        document = json.loads(path.read_text())
        return {key: value(entry) for key, entry in document.items()}
    except _DAMAGED:
        return {}
