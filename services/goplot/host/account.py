"""The user that each program runs as: root becomes it first, so that a run by hand harms nothing.

What root writes, the program's unit could not replace: it would fail from then on.
"""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# As UMask= of the units.
_UMASK = 0o027


class AccountError(Exception):
    """A program can't become its own user; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """User= and SupplementaryGroups= of a program's unit; groups that a host lacks are left out.

    `given`: the variable by which systemd names the folder that it alone gives to the unit, of
    LoadCredential= or StateDirectory=.
    """

    user: str
    groups: tuple[str, ...] = ()
    given: str = ""


_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_STATE = "STATE_DIRECTORY"
_GOPLOT = Account("goplot")
#: By the program's name, which is its unit's too. `goplot` changes what belongs to the pacer.
ACCOUNTS: Mapping[str, Account] = {
    "goplot": _GOPLOT,
    "goplot-pacer": _GOPLOT,
    "goplot-tractor": _GOPLOT,
    "goplot-diskhand": _GOPLOT,
    "goplot-plotter-collector": _GOPLOT,
    "goplot-annotations": Account("goplot", (), _CREDENTIALS),
    "goplot-harvester-log": Account("goplot-log", ("goplot", "chia", "systemd-journal"), _STATE),
    "goplot-farmer-collector": Account("goplot-collector", ("goplot",), _CREDENTIALS),
    "goplot-harvester-collector": Account("goplot-collector", ("goplot", "chia"), _CREDENTIALS),
    "goplot-certificates-collector": Account("goplot-collector", ("goplot",), _CREDENTIALS),
}


def become(program: str, state: Path) -> None:
    """As root, become a program's own user for good; any other caller stays who it is.

    Root stays root where the state folder is root's: such a farm has no users of its own. Raises
    AccountError when the user does not exist, or when only the unit can do the program's work.
    """
    if os.geteuid() != 0 or _is_roots_own(state):
        return
    account = ACCOUNTS[program]
    if account.given and account.given not in os.environ:
        raise AccountError(
            f"{program} needs a folder that only systemd gives it: systemctl start {program}"
        )
    try:
        user = pwd.getpwnam(account.user)
    except KeyError as error:
        raise AccountError(
            f"{program} runs as user {account.user}, who is not on this host: run site.yml, "
            f"which creates the user"
        ) from error
    become_user(user, account.groups)


def become_user(user: pwd.struct_passwd, groups: tuple[str, ...] = ()) -> None:
    """As root, become a user for good, with further groups; any other caller stays who it is."""
    if os.geteuid() != 0:
        return
    os.setgroups(sorted({*os.getgrouplist(user.pw_name, user.pw_gid), *_numbers(groups)}))
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.umask(_UMASK)
    # As systemd sets them: programs that are started would look for root's files.
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)


def _is_roots_own(state: Path) -> bool:
    try:
        return state.stat().st_uid == 0
    except FileNotFoundError:
        return False


def _numbers(groups: tuple[str, ...]) -> list[int]:
    known = {group.gr_name: group.gr_gid for group in grp.getgrall()}
    return [known[name] for name in groups if name in known]
