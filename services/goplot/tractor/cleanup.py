"""Removes exactly the temporary files of one job."""

import os
import re
from pathlib import Path

from goplot.host.files import sync_folder

_ID = re.compile(r"[0-9a-f]{64}")


def clean(folder: Path) -> list[str]:
    """Remove a job's temporary files and its folder; names that are not the job's stay.

    Only the job's own folder is touched, and there only files that carry a plot id or end in
    `.tmp`, which is all that plotters write. Returns the names that were left. Raises OSError.
    """
    left: list[str] = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return left
    for entry in entries:
        ours = entry.name.endswith(".tmp") or _ID.search(entry.name) is not None
        if entry.is_file(follow_symlinks=False) and ours:
            Path(entry.path).unlink()
        else:
            left.append(entry.name)
    if not left:
        folder.rmdir()
        # After a power cut the files would be back, and no job that removes them.
        sync_folder(folder.parent)
    return left
