"""Keys of the settings file, each declared once as a field of its table's dataclass. Pure.

A field's default is the default of its key; its metadata say what is accepted and what it means.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key accepts, in words, and how a value of the file is taken.

    `take` raises ValueError for a value that is not accepted, with a hint where it has one.
    """

    accepts: str
    take: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A declared key for people."""

    name: str
    accepts: str
    default: str
    help: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a key of a document; `key` begins with its table's name."""

    key: str
    text: str

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.key.partition(".")[0]

    def __str__(self) -> str:
        """For people."""
        return f"{self.key}: {self.text}"


class Mistakes(list[Mistake]):
    """What is wrong with a document."""

    def add(self, name: str, text: str) -> None:
        """Append a mistake of a key."""
        self.append(Mistake(name, text))

    def check_names(self, entries: Iterable[str], known: Iterable[str], where: str = "") -> None:
        """Append a mistake for each name that is not known."""
        names = list(known)
        text = f"is not known; known here: {', '.join(names)}. Correct or remove it"
        for name in entries:
            if name not in names:
                self.add(f"{where}{name}", text)


def key(kind: Kind, default: Any, text: str, *, shown: str = "") -> Any:
    """Declare a key: a field of a table. `shown` describes a default that is not a value."""
    about = {"kind": kind, "help": text, "shown": shown}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=about)
    return field(default=default, metadata=about)


def keys_of(table: "type[DataclassInstance]") -> list[Key]:
    """The declared keys of a table."""
    return [
        Key(
            entry.name,
            entry.metadata["kind"].accepts,
            entry.metadata["shown"] or _shown(entry.default),
            entry.metadata["help"],
        )
        for entry in fields(table)
        if entry.metadata
    ]


def _shown(default: object) -> str:
    if default is MISSING or default == ():
        return "empty"
    if default in ("", None):
        return "none"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def read_table(
    table: type[_T], document: object, where: str, mistakes: Mistakes, **given: Any
) -> _T:
    """A table of a document; a key with a mistake has its default.

    `given` are those fields that are not keys.
    """
    entries = read_entries(document, where, mistakes)
    known = {entry.name: entry.metadata["kind"] for entry in fields(table) if entry.metadata}
    mistakes.check_names(entries, known, f"{where}.")
    for name, kind in known.items():
        if name in entries:
            try:
                given[name] = kind.take(entries[name])
            except ValueError as error:
                hint = f"; {error}" if str(error) else ""
                mistakes.add(
                    f"{where}.{name}", f"is {entries[name]!r}; it must be {kind.accepts}{hint}"
                )
    return table(**given)


def read_entries(document: object, where: str, mistakes: Mistakes) -> Mapping[str, Any]:
    """The entries of a table; none, with a mistake, where it is something else."""
    if isinstance(document, Mapping):
        return document
    mistakes.add(where, f"is {document!r}; it must be a table, [{where}]")
    return {}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f'put it in quotes: "{value}"' if _is_number(value) else "")
    return value


def _number(value: Any) -> float:
    if not _is_number(value):
        raise ValueError
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _positive(value: Any) -> float:
    number = _number(value)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError
    return Path(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(map(_text, value))


def _named_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError
    return {name: _text(entry) for name, entry in value.items()}


TEXT = Kind("text", _text)
PATH = Kind("an absolute path", _path)
OPTIONAL_PATH = Kind(
    "an absolute path, or empty", lambda value: None if value == "" else _path(value)
)
POSITIVE = Kind("a number above 0", _positive)
TEXTS = Kind('a list of texts, such as ["-r", "2"]', _texts)
NAMED_TEXTS = Kind('a table of texts, such as { NAME = "text" }', _named_texts)


def whole(low: int, high: int) -> Kind:
    """A whole number within a range."""

    def take(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return Kind(f"a whole number from {low} to {high}", take)


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def take(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Kind(" or ".join(choices), take)
