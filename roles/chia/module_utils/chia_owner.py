"""Act as the user who owns Chia's folder, from a module that runs as root."""

from __future__ import annotations

import contextlib
import io
import os
import pwd
from collections.abc import Iterator


@contextlib.contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Within the context, files are read and created as this user. Raises KeyError if unknown.

    Chia's output is kept off standard output, which carries the module's result.
    """
    user = pwd.getpwnam(name)
    groups, mask = os.getgroups(), os.umask(0o027)
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        os.umask(mask)
