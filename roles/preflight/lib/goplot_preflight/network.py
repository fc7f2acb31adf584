"""Rules on TLS and authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_GIVEN = ("tls_certificate", "tls_key", "tls_ca")
_LONGEST = 72  # bytes of a password that bcrypt uses
ALIKE = ("node_exporter_tls", "node_exporter_basic_auth_users")
"""Variables that must be the same on every host: Prometheus scrapes all in the same way."""


def check_network(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for one host. No value is shown."""
    missing = [name for name in _GIVEN if not values.get(name)]
    if missing and len(missing) < len(_GIVEN):
        yield missing[0], "is not set", f"set {', '.join(_GIVEN)}, or none of them"
    for name in ("node_exporter_basic_auth_users", "prometheus_basic_auth_users"):
        users = values.get(name)
        for user, password in users.items() if isinstance(users, dict) else ():
            if not 0 < len(str(password).encode()) <= _LONGEST:
                cure = f"must have from 1 to {_LONGEST} bytes"
                yield name, f"has a password for {user} that can't be used", cure
            if ":" in str(user) or not str(user):
                yield name, "has a user without a name or with a colon", "name the user"


def differing(all_values: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yields variables that must be the same on every host but are not."""
    for name in ALIKE:
        if any(values.get(name) != all_values[0].get(name) for values in all_values[1:]):
            cure = "Prometheus scrapes all in the same way: set it once, in group_vars/all"
            yield name, "differs between hosts", cure
