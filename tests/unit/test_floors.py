"""Imports of the services' package run downwards, no room imports its like, and files are short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_TOP = Path(__file__).parents[2]
_PACKAGE = _TOP / "services/goplot"
_MOST_LINES = 400
#: The floors from the ground up, as docs/architecture.md draws them; each is a set of rooms.
_FLOORS = (
    {"farm"},
    {"plotters", "metrics"},
    {"host"},
    {"pacer", "tractor", "diskhand", "chia", "grafana"},
    {"collectors", "harvester_log", "summary"},
    {"people"},
    {"cli"},
)
_FLOOR_OF = {room: number for number, rooms in enumerate(_FLOORS) for room in rooms}
_MODULES = sorted(_PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The modules of goplot that a module imports anywhere in it, dotted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "goplot")


def room_of(path: Path) -> str:
    """The room that a module is in; of one that stands alone, its own name."""
    return path.relative_to(_PACKAGE).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    """A module's dotted name."""
    parts = path.relative_to(_PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", _MODULES, ids=module_of)
def test_imports_run_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not list(imports(path))
        return
    wrong = [
        name
        for name in imports(path)
        if (other := name.split(".")[1]) in _FLOOR_OF
        and other != room
        and _FLOOR_OF[other] >= _FLOOR_OF[room]
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ["dashboard", "playbooks", "roles", "services", "tests"])
def test_every_file_is_short_enough_to_read(folder: str) -> None:
    files = [*(_TOP / folder).rglob("*.py"), *(_TOP / folder).rglob("*.yml")]
    assert files
    assert [file for file in files if len(file.read_bytes().splitlines()) > _MOST_LINES] == []


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in _MODULES} - {"__init__"} == set(_FLOOR_OF)


def test_no_circle_of_modules() -> None:
    known = {module_of(path) for path in _MODULES}
    graph = {
        module_of(path): {
            name if name in known else name.rpartition(".")[0] for name in imports(path)
        }
        & known
        for path in _MODULES
    }
    while leaves := {module for module, needs in graph.items() if not needs & graph.keys()}:
        for module in leaves:
            del graph[module]
    assert sorted(graph) == []
