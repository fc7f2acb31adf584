"""State files as documents: one way from a dataclass to JSON's types and back. Pure.

State outlives releases: a key that this release does not know is left out, one that is missing
takes its default.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


def encode(value: "DataclassInstance") -> dict[str, Any]:
    """A dataclass as a document; paths as text."""
    return {key: _plain(entry) for key, entry in asdict(value).items()}


def decode(kind: type[_T], document: object) -> _T:
    """The dataclass that a document of this or any other release holds.

    Raises TypeError or ValueError when the document is not a mapping, lacks a key that has no
    default, or holds a value of another type.
    """
    if not isinstance(document, Mapping):
        raise TypeError(f"is not a table of {kind.__name__}")
    hints = _hints(kind)
    return kind(
        **{
            entry.name: _typed(hints[entry.name], document[entry.name])
            for entry in fields(kind)
            if entry.name in document
        }
    )


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(hint: Any, value: Any) -> Any:
    if isinstance(hint, UnionType):
        (inner,) = (one for one in get_args(hint) if one is not NoneType)
        return None if value is None else _typed(inner, value)
    if not isinstance(hint, type):
        return value
    if is_dataclass(hint):
        return decode(hint, value)
    if issubclass(hint, Path | Enum):
        return hint(value)
    wanted = int | float if hint in (int, float) else hint
    if not isinstance(value, wanted):
        raise TypeError(f"{value!r} is not of type {hint.__name__}")
    return value


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
