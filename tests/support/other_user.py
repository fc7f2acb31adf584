"""The goplot command as a user who is neither root nor goplot's own."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from goplot.cli import main

#: The user `nobody` and its group.
UID = 65534


def open_to_all(path: Path) -> None:
    """Let every user reach a folder: those of pytest are closed."""
    for folder in (path, *path.parents):
        if folder.stat().st_mode & 0o5 != 0o5:
            folder.chmod(folder.stat().st_mode | 0o5)


def goplot_as_other(arguments: Sequence[str], out: Path) -> tuple[int, str]:
    """Run goplot as `nobody`. Returns its exit code, and all that it printed.

    In a child process, so that what it imports need not be readable for that user.
    """
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            with out.open("w") as file:
                sys.stdout = sys.stderr = file
                os.setgroups([])
                os.setresgid(UID, UID, UID)
                os.setresuid(UID, UID, UID)
                code = main(arguments)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), out.read_text()
