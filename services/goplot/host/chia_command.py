"""Chia's own command, as the user to whom CHIA_ROOT belongs, with that user's roots and keys."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goplot.host.account import AccountError, become_user
from goplot.host.settings import ChiaSettings

#: Chia starts in a second or two; it may wait for a lock of its keyring.
_SECONDS = 120


def owner_of(chia: ChiaSettings) -> pwd.struct_passwd:
    """The user to whom CHIA_ROOT belongs. Raises OSError without it, AccountError for a stranger.

    Only root and that user may act as it.
    """
    if not chia.program.exists():
        raise FileNotFoundError(f"{chia.program} is not there: this host has no Chia of goplot's")
    try:
        owner = chia.root.stat().st_uid
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{chia.root} is not there: run playbooks/chia.yml for this host"
        ) from None
    if os.geteuid() not in (0, owner):
        raise PermissionError(13, os.strerror(13), str(chia.root))
    try:
        return pwd.getpwuid(owner)
    except KeyError as error:
        raise AccountError(f"{chia.root} belongs to user {owner}, who is not known here") from error


def _environment(chia: ChiaSettings, owner: pwd.struct_passwd) -> dict[str, str]:
    return {
        **os.environ,
        "CHIA_ROOT": str(chia.root),
        "CHIA_KEYS_ROOT": str(chia.keys_root),
        "PATH": f"{chia.program.parent}:/usr/bin:/bin",
        "HOME": owner.pw_dir,
        "USER": owner.pw_name,
        "LOGNAME": owner.pw_name,
    }


def replace_by_chia(chia: ChiaSettings, arguments: Sequence[str]) -> None:
    """Become Chia's command in this terminal, for good. Raises OSError, AccountError."""
    owner = owner_of(chia)
    environment = _environment(chia, owner)
    become_user(owner)
    if not os.access(Path.cwd(), os.R_OK | os.X_OK):
        # Chia looks at the folder in which it starts; root's is closed to its user.
        os.chdir(chia.root)
    os.execve(chia.program, [str(chia.program), *arguments], environment)


def ask_chia(chia: ChiaSettings, arguments: Sequence[str], given: str = "") -> str:
    """What a command of Chia prints. `given` is its standard input, which no one else sees.

    Raises OSError when it fails or takes longer than two minutes, AccountError.
    """
    owner = owner_of(chia)
    # Only root may name another user.
    act_as: dict[str, Any] = (
        {
            "user": owner.pw_uid,
            "group": owner.pw_gid,
            "extra_groups": os.getgrouplist(owner.pw_name, owner.pw_gid),
        }
        if os.geteuid() == 0
        else {}
    )
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(chia.program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=_environment(chia, owner),
            cwd=chia.root,
            umask=0o027,
            timeout=_SECONDS,
            **act_as,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(
            f"chia {arguments[0]} did not answer within {_SECONDS} s: goplot chia {arguments[0]} "
            "shows what it waits for"
        ) from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = lines[-1] if lines else f"status {done.returncode}"
        raise OSError(f"chia {' '.join(arguments[:2])} failed: {reason}")
    return done.stdout
