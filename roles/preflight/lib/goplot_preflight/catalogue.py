"""What variables goplot has, read from the argument_specs.yml and defaults of its roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Catalogue:
    """The roles of this repository, the specification of each variable, and their defaults."""

    roles: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]
    defaults: Mapping[str, Any]


def read_catalogue(roles: Path) -> Catalogue:
    """Reads every role under `roles`. Raises OSError or yaml.YAMLError for an invalid file."""
    names = []
    options: dict[str, Mapping[str, Any]] = {}
    defaults: dict[str, Any] = {}
    for role in sorted(path for path in roles.iterdir() if (path / "meta").is_dir()):
        specs = _read(role / "meta" / "argument_specs.yml").get("argument_specs") or {}
        # A role without arguments (common) owns no names of variables.
        if specs:
            names.append(role.name)
        for entry in specs.values():
            options.update(entry.get("options") or {})
        defaults.update(_read(role / "defaults" / "main.yml"))
    return Catalogue(tuple(names), options, defaults)


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
