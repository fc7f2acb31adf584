"""Names of metrics: those that goplot writes, and those that an expression asks for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_SERVICES = Path(__file__).parents[2] / "services/goplot"
_RECORDED = r"[a-z_]+:[a-z_]+:[a-z0-9_]+"
_OWN = r"(?:goplot|chia)_[a-z0-9_]+"
_SERIES_OF_A_FAMILY = ("_bucket", "_sum", "_count")


def names_in(expression: str) -> set[str]:
    """The goplot_ and chia_ metrics, and the recorded series, that PromQL asks for."""
    without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(re.findall(rf"\b(?:{_RECORDED}|{_OWN})\b", without_strings))


def is_written(name: str) -> bool:
    """True when the texts of one Python module of the services make up a metric's name.

    Modules build names of a prefix and endings, so the name is looked for in pieces.
    """
    for suffix in ("", *_SERIES_OF_A_FAMILY):
        family = name.removesuffix(suffix) if suffix else name
        if any(_made_of(family, texts) for texts in _TEXTS):
            return True
    return False


def _made_of(name: str, texts: frozenset[str]) -> bool:
    if name in texts:
        return True
    return any(
        name.startswith(text) and _made_of(name[len(text) :], texts)
        for text in texts
        if text and len(text) < len(name)
    )


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


_TEXTS = [frozenset(_texts(path)) for path in sorted(_SERVICES.rglob("*.py"))]
