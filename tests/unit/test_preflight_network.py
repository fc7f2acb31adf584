"""The rules of roles/preflight on TLS and on who is let in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from goplot_preflight.farm import Host, check_inventory
from goplot_preflight.report import lines
from hypothesis import given
from hypothesis import strategies as st

from tests.support.inventory import CATALOGUE, GROUPS, mistakes_of


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
def test_mistakes_of_tls_and_users_are_reported_without_a_password(
    values: dict[str, Any], line: str
) -> None:
    assert mistakes_of(values) == [line]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("grafana_listen_address", "farmer1.lan", "is 'farmer1.lan': Grafana listens on addresses"),
        ("grafana_listen_address", "localhost", "or nothing"),
        ("grafana_listen_address", "192.168.1.10:3000", "Grafana listens on addresses only"),
        ("grafana_listen_address", "[fd00::7]", "write it without brackets: fd00::7"),
        ("grafana_listen_address", "fe80::1%eth0", "Grafana listens on addresses only"),
        ("grafana_listen_address", "fd00::7", ""),
        ("grafana_listen_address", "::", ""),
        ("grafana_listen_address", "", ""),
        ("prometheus_listen_address", "fd00::7:9090", "in brackets before its port, such as [::1]"),
        ("prometheus_listen_address", "[fd00::7]:9090", ""),
        ("prometheus_listen_address", "[192.168.1.10]:9090", "only an IPv6 address is in brackets"),
        ("prometheus_listen_address", "192.168.1.10", "must be an address and a port"),
        ("prometheus_listen_address", 9090, "must be an address and a port"),
        ("node_exporter_listen_address", ":0", "must be an address and a port"),
        ("node_exporter_listen_address", "harvester1.lan:9100", ""),
        ("alertmanager_listen_address", "127.0.0.1:99999", "must be an address and a port"),
        ("alertmanager_listen_address", "localhost:9093", ""),
    ],
)
def test_addresses_that_nothing_can_listen_on_are_mistakes(
    name: str, value: object, words: str
) -> None:
    found = mistakes_of({name: value})
    assert len(found) == bool(words)
    assert words in "".join(found)


@given(st.ip_addresses())
def test_every_ip_address_can_be_listened_on(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    values = {"grafana_listen_address": str(address), "prometheus_listen_address": f"{host}:9090"}
    assert mistakes_of(values) == []


def test_prometheus_can_ask_all_hosts_in_one_way_only() -> None:
    hosts = [
        Host(name, frozenset({"harvester"}), {"node_exporter_tls": tls})
        for name, tls in (("one", True), ("two", False))
    ]
    assert lines(check_inventory(hosts, GROUPS, CATALOGUE)) == [
        "inventory: node_exporter_tls differs between hosts: "
        "Prometheus scrapes all in the same way: set it once, in group_vars/all"
    ]
