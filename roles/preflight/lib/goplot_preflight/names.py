"""Variable names that look like goplot's but are not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from goplot_preflight.catalogue import Catalogue

_CLOSE_KEY = 0.6
_CLOSE_STRAY = 0.8
# Two swapped letters in a short name give a ratio of 0.75: `chai` for `chia`.
_CLOSE_ROLE = 0.75


def unknown_names(names: Iterable[str], catalogue: Catalogue) -> dict[str, str]:
    """The names in `names` that are meant for goplot but unknown to it, and the fix.

    Meant for goplot: it begins with the name of a role, or nearly so and is close to a variable
    that there is (`goplt_k`).
    """
    cures = {}
    for name in sorted(set(names) - catalogue.options.keys()):
        role = _role_of(name, catalogue.roles)
        if role:
            cures[name] = _cure(name, role, catalogue)
        elif meant := _meant(name, catalogue):
            cures[name] = f"did you mean {meant}?"
    return cures


def nearest_key(key: str, keys: Iterable[str]) -> str:
    """The fix for an unknown key of a mapping."""
    known = sorted(keys)
    close = get_close_matches(key, known, n=1, cutoff=_CLOSE_KEY)
    return f"did you mean {close[0]}?" if close else f"the keys are {', '.join(known)}"


def _role_of(name: str, roles: Iterable[str]) -> str:
    """The role whose name the variable's begins with (the longest), or nothing."""
    return max((role for role in roles if name.startswith(f"{role}_")), key=len, default="")


def _cure(name: str, role: str, catalogue: Catalogue) -> str:
    """Compares what follows the role's name, since that is the same in all."""
    start = len(role) + 1
    own = [option for option in catalogue.options if option.startswith(f"{role}_")]
    for option in own:
        if name[start:] in (catalogue.options[option].get("options") or {}):
            return f"it is a key: {option}: {{{name[start:]}: ...}}"
    close = get_close_matches(name[start:], [option[start:] for option in own], 1, _CLOSE_KEY)
    if close:
        return f"did you mean {role}_{close[0]}?"
    close = get_close_matches(name, catalogue.options, 1, _CLOSE_STRAY)
    if close:
        return f"did you mean {close[0]}?"
    return f"delete it, or see roles/{role}/README.md for its variables"


def _meant(name: str, catalogue: Catalogue) -> str:
    """The variable meant by a name with a misspelt role in it, or nothing."""
    plain = name.lower().replace("-", "_")
    if plain in catalogue.options:
        return plain
    for role in catalogue.roles:
        words = plain.split("_")
        head = "_".join(words[: role.count("_") + 1])
        joined = head != plain and bool(get_close_matches(head, [role], 1, _CLOSE_ROLE))
        run_on = "_" in role and plain.startswith(role.replace("_", ""))
        if joined or run_on:
            close: list[str] = get_close_matches(plain, catalogue.options, 1, _CLOSE_STRAY)
            if close and close[0].startswith(f"{role}_"):
                return close[0]
    return ""
