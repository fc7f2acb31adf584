"""Rules on addresses, TLS and authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv6Address, ip_address
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
            if not isinstance(user, str):
                yield name, f"has a user {user!r} that is not text", "put the name in quotes"
            elif ":" in user or not user:
                yield name, "has a user without a name or with a colon", "name the user"


def port_address(text: str) -> str:
    """What an address with a port must be, if this is none; a host name is one. Or nothing."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        return "must be an address and a port, such as :9090, 127.0.0.1:9090 or [::1]:9090"
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        return f"an IPv6 address is in brackets before its port, such as [::1]:{port}"
    if host.startswith("[") and not isinstance(_literal(host[1:-1]), IPv6Address):
        return f"only an IPv6 address is in brackets, such as [::1]:{port}"
    return ""


def bare_address(text: str) -> str:
    """What an address without a port must be, if this is none. Or nothing."""
    if not text or (_literal(text) and "%" not in text):
        return ""
    bare = text.removeprefix("[").removesuffix("]")
    if bare != text and _literal(bare):
        return f"write it without brackets: {bare}"
    return (
        "Grafana listens on addresses only: write an IP address of the host such as 192.168.1.10 "
        "or ::1, 0.0.0.0 for all, or nothing"
    )


def _literal(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None


def differing(all_values: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yields variables that must be the same on every host but are not."""
    for name in ALIKE:
        if any(values.get(name) != all_values[0].get(name) for values in all_values[1:]):
            cure = "Prometheus scrapes all in the same way: set it once, in group_vars/all"
            yield name, "differs between hosts", cure
