"""Working as the user who owns Chia's folder, from a module that runs as root."""

from __future__ import annotations

import contextlib
import io
import os
import pwd
from collections.abc import Iterator


@contextlib.contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Files are read and made as this user within. Raises KeyError when there is no such user.

    What Chia prints is kept off standard output, which is the module's answer.
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
