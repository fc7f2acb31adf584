"""The rules of roles/preflight on TLS and on who is let in."""

from __future__ import annotations

from typing import Any

import pytest
from goplot_preflight.farm import Host, check_inventory
from goplot_preflight.report import lines

from tests.support.inventory import CATALOGUE, GROUPS, told


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"tls_certificate": "a.crt", "tls_ca": "ca.crt"},
            "one: tls_key is not set: set tls_certificate, tls_key, tls_ca, or none of them",
        ),
        (
            {"prometheus_basic_auth_users": {"owner": "x" * 73}},
            "one: prometheus_basic_auth_users has a password for owner that can't be used: "
            "must have from 1 to 72 bytes",
        ),
        (
            {"node_exporter_basic_auth_users": {"a:b": "hidden"}},
            "one: node_exporter_basic_auth_users has a user without a name or with a colon: "
            "name the user",
        ),
        (
            {"prometheus_basic_auth_users": ["hidden"]},
            "one: prometheus_basic_auth_users has a value that is not shown here: "
            "must be a mapping",
        ),
        (
            {"prometheus_remote_write": {"password": "hidden"}},
            "one: prometheus_remote_write has a value that is not shown here: must be a list",
        ),
    ],
)
def test_mistakes_of_tls_and_users_are_told_without_a_password(
    values: dict[str, Any], line: str
) -> None:
    assert told(values) == [line]


def test_prometheus_can_ask_all_hosts_in_one_way_only() -> None:
    hosts = [
        Host(name, frozenset({"harvester"}), {"node_exporter_tls": tls})
        for name, tls in (("one", True), ("two", False))
    ]
    assert lines(check_inventory(hosts, GROUPS, CATALOGUE)) == [
        "inventory: node_exporter_tls differs between hosts: "
        "Prometheus scrapes all in the same way: set it once, in group_vars/all"
    ]
