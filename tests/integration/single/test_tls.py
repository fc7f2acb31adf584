"""Metrics cross the network under TLS and for those who know a password, asked from outside."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until
from tests.integration.single.conftest import OWNER, Ask

Ssh = Callable[[str], Any]
Query = Callable[[str], list[dict[str, Any]]]
NODE = ("prometheus", "password-of-node")
SECOND = ("second", "password-of-second")
PORTS = [(9090, "/api/v1/query?query=up", OWNER), (9100, "/metrics", NODE)]


@pytest.mark.parametrize(("port", "path", "user"), PORTS)
def test_who_knows_the_password_is_let_in(
    ask: Ask, port: int, path: str, user: tuple[str, str]
) -> None:
    assert ask(port, path, user)[0] == 200


def test_each_user_is_let_in_where_they_are_known(ask: Ask) -> None:
    assert ask(9090, "/api/v1/query?query=up", SECOND)[0] == 200
    assert ask(9100, "/metrics", SECOND)[0] == 401


@pytest.mark.parametrize(("port", "path", "user"), PORTS)
@pytest.mark.parametrize("password", [None, "wrong"])
def test_nobody_else_is(
    ask: Ask, port: int, path: str, user: tuple[str, str], password: str | None
) -> None:
    status, body = ask(port, path, (user[0], password) if password else None)
    assert (status, body.strip()) == (401, "Unauthorized")


@pytest.mark.parametrize(("port", "path", "user"), PORTS)
def test_nothing_is_sent_in_the_clear(
    hosts: HostSet, port: int, path: str, user: tuple[str, str]
) -> None:
    connection = http.client.HTTPConnection(str(hosts.hosts[0].address), port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"HTTPS server" in answer.read()


def test_prometheus_sees_its_targets_under_tls(prometheus: Query) -> None:
    def seen() -> bool:
        samples = prometheus('up{job=~"prometheus|node", instance="farm1"}')
        return {s["metric"]["job"]: s["value"][1] for s in samples if s["value"][1] == "1"} == {
            "prometheus": "1",
            "node": "1",
        }

    wait_until("both targets up", seen, 60)


def test_keys_and_passwords_are_for_root_alone(ssh: Ssh) -> None:
    secret = ("tls/host.key", "tls/ca.key", "node_exporter_web.yml")
    files = [f"/etc/goplot/{name}" for name in secret]
    files += ["/etc/prometheus/web.yml"]
    files += [f"/etc/prometheus/secrets/{name}" for name in ("own.password", "node.password")]
    for path in files:
        file = ssh("farm1").file(path)
        assert (file.user, file.mode) == ("root", 0o600), path
    # The brackets keep the search from finding itself.
    search = "grep -rsl 'password-o[f]-'"
    places = "/etc /var/log /var/lib /run/credentials /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    assert ssh("farm1").run(f"runuser -u nobody -- {search} {places}").stdout == ""
    assert ssh("farm1").run("journalctl --no-pager | grep 'password-o[f]-'").stdout == ""
