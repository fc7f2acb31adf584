"""How the tests of one machine ask it: under TLS, with a password."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.parse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.spec import HostSet
from tests.panels.ask import Prometheus
from tests.panels.check import Panel, look_at_all

Ask = Callable[[int, str, tuple[str, str] | None], tuple[int, str]]
OWNER = ("owner", "password-of-owner")


@pytest.fixture(scope="session")
def ca_file(ssh: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate of the farm's CA."""
    file = tmp_path_factory.mktemp("tls") / "ca.crt"
    file.write_text(ssh("farm1").check_output("cat /etc/goplot/tls/ca.crt"), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def ca(ca_file: Path) -> ssl.SSLContext:
    """A client's trust in the farm's CA and in nothing else."""
    return ssl.create_default_context(cafile=ca_file)


@pytest.fixture(scope="session")
def ask(hosts: HostSet, ca: ssl.SSLContext) -> Ask:
    """(status, body) that a port of the host answers with, asked from another machine."""
    address = str(hosts.hosts[0].address)

    def get(port: int, path: str, user: tuple[str, str] | None) -> tuple[int, str]:
        connection = http.client.HTTPSConnection(address, port, timeout=10, context=ca)
        headers = {}
        if user:
            credentials = base64.b64encode(":".join(user).encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    return get


@pytest.fixture(scope="session")
def prometheus(ask: Ask) -> Callable[[str], list[dict[str, Any]]]:
    """Instant query of the farm's Prometheus: its result vector."""

    def query(text: str) -> list[dict[str, Any]]:
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': text})}"
        result: list[dict[str, Any]] = json.loads(ask(9090, path, OWNER)[1])["data"]["result"]
        return result

    return query


@pytest.fixture
def panels(hosts: HostSet, ca_file: Path) -> Callable[[], list[Panel]]:
    """Every panel of every dashboard, asked of the farm's Prometheus as Grafana would now."""
    url = f"https://{hosts.hosts[0].address}:9090"
    return partial(look_at_all, Prometheus(url, ca_file, ":".join(OWNER)))
