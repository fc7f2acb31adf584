"""A mistake in an inventory and the line that reports it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

INVENTORY = "inventory"
# Only the name and severities of a receiver of alerts may be shown.
_SECRET_NAME = re.compile(
    r"key|token|passw|secret|mnemonic|basic_auth|remote_write|_receivers(\[\d+\](?!\.(name|severities)))?(?!\[)",
    re.IGNORECASE,
)
_SHOWN_CHARACTERS = 80
_SHOWN_HOSTS = 5


@dataclass(frozen=True)
class Mistake:
    """One mistake: on which host, in which variable, what is wrong and how to fix it.

    `host` is INVENTORY when the mistake belongs to no single host.
    """

    host: str
    variable: str
    problem: str
    cure: str


def is_secret(variable: str) -> bool:
    """Whether the value of a variable must not be shown, by its name."""
    return bool(_SECRET_NAME.search(variable))


def shown(variable: str, value: object, secret: bool = False) -> str:
    """Describes a variable's value; the value of a secret is never shown.

    A variable is secret if the caller says so (it is encrypted) or if its name does.
    """
    if secret or is_secret(variable):
        return "has a value that is not shown here"
    if value is None:
        return "has no value"
    text = repr(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return f"is {text}"


def lines(mistakes: Iterable[Mistake]) -> list[str]:
    """One line per mistake; the same mistake on many hosts (a group variable) is one line."""
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for mistake in mistakes:
        named = hosts.setdefault((mistake.variable, mistake.problem, mistake.cure), [])
        if mistake.host not in named:
            named.append(mistake.host)
    return [
        f"{_names(named)}: {variable} {problem}: {cure}"
        for (variable, problem, cure), named in hosts.items()
    ]


def _names(hosts: list[str]) -> str:
    shown = ", ".join(hosts[:_SHOWN_HOSTS])
    more = len(hosts) - _SHOWN_HOSTS
    return f"{shown} and {more} more" if more > 0 else shown
