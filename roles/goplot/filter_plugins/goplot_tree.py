"""A name for the content of a source tree, so that it is built only once."""

from __future__ import annotations

import hashlib
from pathlib import Path


def tree_digest(folder: str) -> str:
    """The first 12 hex digits of a SHA-256 over the names and bytes of a tree's sources."""
    digest = hashlib.sha256()
    root = Path(folder)
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        built = {"build", "__pycache__"} & set(relative.parts) or ".egg-info" in str(relative)
        if path.is_file() and not built:
            digest.update(f"{relative}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, object]:
        """Names of the filters."""
        return {"goplot_tree_digest": tree_digest}
