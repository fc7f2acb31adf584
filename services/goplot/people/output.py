"""Standard output for people and programs, whatever names a farm has."""

import json
import sys
from collections.abc import Mapping

from goplot.farm.names import printable, shown


def print_text(text: str) -> None:
    """Write to standard output, which may know fewer characters than the names of a farm have."""
    encoding = sys.stdout.encoding or "utf-8"
    print(printable(text).encode(encoding, "backslashreplace").decode(encoding))


def print_error(text: str) -> None:
    """Write to standard error, whose encoding takes every character."""
    print(printable(text), file=sys.stderr)


def json_text(document: object) -> str:
    """A document for programs: whatever it is made of, names in it are valid Unicode."""
    return json.dumps(_with_shown_names(document), indent=2)


def _with_shown_names(value: object) -> object:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): _with_shown_names(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_with_shown_names(entry) for entry in value]
    return value
