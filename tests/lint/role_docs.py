"""Writes the table of variables in each roles/*/README.md from meta/argument_specs.yml.

With --check it writes nothing and fails when a table is stale, or when the variables of
defaults/main.yml and those of argument_specs.yml are not the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

BEGIN = "<!-- variables: made by tests/lint/role_docs.py -->"
END = "<!-- end of variables -->"
Options = Mapping[str, Mapping[str, Any]]


def main(roles: Path) -> int:
    """Returns the exit status: 1 if something is to be corrected by a person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on what is stale")
    check = parser.parse_args().check
    complaints = []
    for role in sorted(path for path in roles.iterdir() if (path / "tasks").is_dir()):
        complaints += _role(role, check)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _role(role: Path, check: bool) -> list[str]:
    specs = role / "meta" / "argument_specs.yml"
    readme = role / "README.md"
    if missing := [f"{path} is missing" for path in (specs, readme) if not path.is_file()]:
        return missing
    entries = _read(specs)["argument_specs"].values()
    options = {name: option for entry in entries for name, option in entry["options"].items()}
    defaults = _read(role / "defaults" / "main.yml")
    complaints = list(compare(role.name, options, defaults))
    text = readme.read_text(encoding="utf-8")
    wanted = with_table(text, table(options, defaults))
    if text != wanted and check:
        complaints.append(f"{readme} is stale: run python tests/lint/role_docs.py")
    elif text != wanted:
        readme.write_text(wanted, encoding="utf-8")
    return complaints


def _read(path: Path) -> dict[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def compare(role: str, options: Options, defaults: Mapping[str, Any]) -> Iterator[str]:
    """What differs between the defaults of a role and its argument specification."""
    for name in sorted(defaults.keys() - options.keys()):
        yield f"{role}: {name} is in defaults/main.yml but not in meta/argument_specs.yml"
    for name, option in options.items():
        if option.get("required") and name in defaults:
            yield f"{role}: {name} is required, yet has a default"
        elif not option.get("required") and name not in defaults:
            yield f"{role}: {name} is not required, yet has no default in defaults/main.yml"
        elif "default" in option and option["default"] != defaults[name]:
            yield f"{role}: the default of {name} differs between defaults and argument_specs"


def table(options: Options, defaults: Mapping[str, Any]) -> str:
    """The table in Markdown; options of mappings and lists of them follow in rows of their own."""
    if not options:
        return "This role has no variables."
    rows = ["| variable | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, option in options.items():
        rows += _rows(name, option, defaults.get(name, _default(option)))
    return "\n".join(rows)


def _rows(name: str, option: Mapping[str, Any], default: object) -> Iterator[str]:
    kind = option.get("type", "str")
    if kind == "list" and "elements" in option:
        kind = f"list of {option['elements']}"
    text = option.get("description", "")
    words = text if isinstance(text, str) else " ".join(text)
    if "choices" in option:
        words += f" One of {', '.join(f'`{choice}`' for choice in option['choices'])}."
    plain = " ".join(words.split()).replace("<", "&lt;")
    # Ansible's C(...) marks code, as backticks do in Markdown.
    meaning = re.sub(r"\bC\(([^)]*)\)", r"`\1`", plain)
    cells = (f"`{name}`", kind, _shown(default, option), meaning)
    yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    inner = f"{name}[]" if option.get("type") == "list" else name
    for key, part in option.get("options", {}).items():
        given = default.get(key) if isinstance(default, dict) else _default(part)
        yield from _rows(f"{inner}.{key}", part, given)


def _default(option: Mapping[str, Any]) -> object:
    return option.get("default")


def _shown(default: object, option: Mapping[str, Any]) -> str:
    if option.get("required"):
        return "required"
    if default is None:
        return ""
    # Options of a mapping show their own.
    if isinstance(default, dict) and option.get("options"):
        return "as below"
    return f"`{default if isinstance(default, str) and default else json.dumps(default)}`"


def with_table(text: str, rows: str) -> str:
    """The text of a README with the table between the markers, or at its end without them."""
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        before, after = f"{text.rstrip()}\n\n## Variables\n\n", "\n"
    return f"{before}{BEGIN}\n{rows}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[2] / "roles"))
