"""The commands of README's section "Your first farm", in their order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"```\n(.*?)```", re.DOTALL)
_COMMENT = re.compile(r"\s+# .*")


def commands(readme: str) -> Iterator[str]:
    """Each command without its comment; a block's commands are one after the other."""
    section = readme.split("\n## Your first farm\n", 1)[1].split("\n## ", 1)[0]
    for block in _BLOCK.findall(section):
        for line in block.splitlines():
            if command := _COMMENT.sub("", line).strip():
                yield command
