"""Grafana that speaks TLS, on a Prometheus that speaks TLS and wants a password."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from typing import Any

from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]


def status(ssh: Ssh, hosts: HostSet, path: str, token: str = "") -> tuple[int, Any]:
    """Status and document of Grafana's answer, asked by TLS from the machine of the tests."""
    ca = ssh("farm1").check_output("cat /etc/goplot/tls/ca.crt")
    context = ssl.create_default_context(cadata=ca)
    address = str(hosts.host("farm1").address)
    connection = HTTPSConnection(address, 3000, timeout=10, context=context)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_it_speaks_tls_with_a_certificate_of_the_farm(ssh: Ssh, hosts: HostSet) -> None:
    assert status(ssh, hosts, "/api/health")[0] == 200
    assert status(ssh, hosts, "/api/search")[0] == 401


def test_it_speaks_nothing_else(hosts: HostSet) -> None:
    connection = HTTPConnection(str(hosts.host("farm1").address), 3000, timeout=10)
    try:
        connection.request("GET", "/api/health")
        clear = connection.getresponse().status
    except OSError:
        clear = 0
    finally:
        connection.close()
    assert clear in (0, 400)


def test_it_reads_prometheus_with_password_and_ca(ssh: Ssh, hosts: HostSet) -> None:
    token = ssh("farm1").check_output("cat /etc/goplot/grafana.token")
    path = "/api/datasources/uid/goplot-prometheus/health"
    assert status(ssh, hosts, path, token)[1]["status"] == "OK"
    path = "/etc/grafana/provisioning/datasources/goplot.yaml"
    assert (ssh("farm1").file(path).group, ssh("farm1").file(path).mode) == ("grafana", 0o640)


def test_plots_are_annotated_by_tls(ssh: Ssh, hosts: HostSet) -> None:
    token = ssh("farm1").check_output("cat /etc/goplot/grafana.token")

    def arrived() -> bool:
        found: list[object] = status(ssh, hosts, "/api/annotations?tags=plot_stop", token)[1]
        return found != []

    wait_until("an annotation", arrived, 120)


def test_the_key_of_its_certificate_is_roots(ssh: Ssh) -> None:
    key = ssh("farm1").file("/etc/goplot/tls/host.key")
    assert (key.user, key.mode) == ("root", 0o600)
    assert ssh("farm1").run("runuser -u grafana -- cat /etc/goplot/tls/host.key").failed
