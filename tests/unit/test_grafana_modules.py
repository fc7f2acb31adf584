"""The modules of role grafana against the stand-in for Grafana."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from functools import partialmethod
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest

from tests.hosts.system import wait_until
from tests.support.modules import run_module

REPOSITORY = Path(__file__).parents[2]
ROLE = REPOSITORY / "roles/grafana"
STAND_IN = REPOSITORY / "tests/grafana_stand_in/grafana.py"
PLUGIN = REPOSITORY / "tests/grafana_stand_in/gpx_prometheus.py"
INI = """[server]
http_addr = 127.0.0.1
http_port = {port}
[security]
admin_password = $__file{{{folder}/admin_password}}
secret_key = $__file{{{folder}/secret_key}}
[plugins]
preinstall_disabled = true
"""
DATASOURCE = """datasources:
  - {uid: goplot-prometheus, url: "http://127.0.0.1:1"}
"""


class Grafana:
    """A stand-in for Grafana, on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "grafana.ini").write_text(INI.format(port=self.port, folder=folder))
        (folder / "datasources").mkdir()
        (folder / "datasources/goplot.yaml").write_text(DATASOURCE)
        (folder / "prometheus").mkdir()
        plugin = folder / "prometheus/gpx_prometheus"
        plugin.write_bytes(PLUGIN.read_bytes())
        plugin.chmod(0o755)
        self.process: subprocess.Popen[str] | None = None

    def launch(self, unavailable: int = 1) -> None:
        """Start it; it answers after some seconds."""
        names = ("data", "provisioning", "bundled_plugins")
        paths = [f"cfg:default.paths.{name}={self.folder}" for name in names]
        config = f"--config={self.folder}/grafana.ini"
        command = [sys.executable, str(STAND_IN), "server", config, *paths]
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        environment["STAND_IN_UNAVAILABLE"] = str(unavailable)
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, text=True
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        wait_until("the stand-in", lambda: self.status("/api/health") == 200, 20)

    def configure(self, old: str, new: str) -> None:
        """Change its configuration."""
        file = self.folder / "grafana.ini"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def ask(self, path: str) -> tuple[int, Any]:
        """Status and document of an answer to the administrator."""
        login = f"admin:{(self.folder / 'admin_password').read_text()}"
        headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop it."""
        if self.process:
            self.process.terminate()
            self.process.communicate()
            self.process = None

    def status(self, path: str, token: str = "") -> int:
        """The status of an answer, 0 without one."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return connection.getresponse().status
        except ConnectionRefusedError:
            return 0
        finally:
            connection.close()

    def module(self, name: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run a module of the role; its answer, with all that it printed under `printed`."""
        return run_module(ROLE / f"library/{name}.py", check=check, **arguments)

    def password(self, wanted: str = "") -> dict[str, Any]:
        """Run grafana_password."""
        path = str(self.folder / "admin_password")
        return self.module("grafana_password", url=self.url, path=path, password=wanted)

    def token(self, account: str = "goplot-annotations") -> dict[str, Any]:
        """Run grafana_token."""
        return self.module(
            "grafana_token",
            url=self.url,
            password_path=str(self.folder / "admin_password"),
            path=str(self.folder / "token"),
            account=account,
            role="Editor",
        )


@pytest.fixture(autouse=True)
def _imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a role has in module_utils is a part of ansible.module_utils."""
    paths = [*ansible.module_utils.__path__, str(ROLE / "module_utils")]
    monkeypatch.setattr(ansible.module_utils, "__path__", paths)


@pytest.fixture
def grafana(tmp_path: Path) -> Iterator[Grafana]:
    """A stand-in that runs, with a password and a key of its own."""
    one = Grafana(tmp_path)
    for name in ("admin_password", "secret_key"):
        (tmp_path / name).write_text(f"first {name}")
        (tmp_path / name).chmod(0o600)
    one.start()
    yield one
    one.stop()


def test_a_secret_is_made_once_and_for_one_reader(tmp_path: Path) -> None:
    grafana, path = Grafana(tmp_path), tmp_path / "secret"
    assert grafana.module("grafana_secret", check=True, path=str(path))["changed"]
    assert not path.exists()
    first = grafana.module("grafana_secret", path=str(path))
    made = path.read_text()
    assert first["changed"]
    assert len(made) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert made not in first["printed"]
    path.chmod(0o644)
    assert grafana.module("grafana_secret", path=str(path), first="staple")["changed"]
    assert path.read_text() == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert not grafana.module("grafana_secret", path=str(path))["changed"]


def test_a_secret_of_the_inventory_is_shown_nowhere(tmp_path: Path) -> None:
    grafana, path = Grafana(tmp_path), tmp_path / "secret"
    result = grafana.module("grafana_secret", path=str(path), first="correct horse")
    assert path.read_text() == "correct horse"
    assert "correct horse" not in result["printed"]
    refused = grafana.module("grafana_secret", path=str(path), first="battery", lasting=True)
    assert "different secret" in refused["msg"]
    assert "battery" not in refused["printed"]
    assert path.read_text() == "correct horse"


def test_the_password_of_the_inventory_is_that_of_grafana(grafana: Grafana) -> None:
    file = grafana.folder / "admin_password"
    assert not grafana.password()["changed"]
    assert grafana.password("second")["changed"]
    assert file.read_text() == "second"
    assert not grafana.password("second")["changed"]
    file.write_text("lost")
    assert "rejects the password" in grafana.password()["msg"]
    assert "rejects the password" in grafana.password("third")["msg"]
    # Somebody changed it in Grafana and wrote it into the inventory.
    assert grafana.password("second")["changed"]
    assert file.read_text() == "second"


def test_a_token_is_made_once_and_anew_when_it_counts_no_more(grafana: Grafana) -> None:
    first = grafana.token()
    token = (grafana.folder / "token").read_text()
    assert first["changed"]
    assert token.startswith("glsa_")
    assert token not in first["printed"]
    assert (grafana.folder / "token").stat().st_mode & 0o777 == 0o600
    assert grafana.status("/api/annotations", token) == 200
    assert grafana.status("/api/serviceaccounts/search", token) == 403
    assert not grafana.token()["changed"]
    (grafana.folder / "token").unlink()
    assert grafana.token()["changed"]
    assert grafana.status("/api/annotations", token) == 401
    another = (grafana.folder / "token").read_text()
    assert grafana.status("/api/annotations", another) == 200


def test_a_grafana_that_is_away_is_reported_in_a_line(grafana: Grafana) -> None:
    grafana.stop()
    assert "does not answer" in grafana.token()["msg"]
    assert "does not answer" in grafana.password()["msg"]


def test_what_has_just_started_is_neither_right_nor_wrong(grafana: Grafana) -> None:
    assert grafana.token()["changed"]
    for module in (grafana.password, grafana.token):
        grafana.stop()
        grafana.launch(unavailable=5)
        wait_until("503", lambda: grafana.status("/api/health") == 503, 20)
        assert not module()["changed"]


def test_an_answer_that_does_not_settle_changes_nothing(
    grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert grafana.token()["changed"]
    kept = (grafana.folder / "token").read_text()
    http = importlib.import_module("ansible.module_utils.goplot_http")
    accepts = http.Service.accepts
    monkeypatch.setattr(http.Service, "ask", lambda *_: (503, {}))
    monkeypatch.setattr(http.Service, "accepts", partialmethod(accepts, seconds=0))
    for answer in (grafana.token(), grafana.password("second")):
        assert "status 503" in answer["msg"]
    assert (grafana.folder / "token").read_text() == kept
    assert (grafana.folder / "admin_password").read_text() == "first admin_password"


def test_another_accounts_token_has_another_name(grafana: Grafana) -> None:
    assert grafana.token()["changed"]
    (grafana.folder / "token").unlink()
    assert grafana.token(account="goplot")["changed"]
    (grafana.folder / "token").unlink()
    assert grafana.token()["changed"]


def test_the_datasource_is_there_after_provisioning_unless_plugins_are_updated(
    grafana: Grafana,
) -> None:
    health = "/api/datasources/uid/goplot-prometheus/health"
    assert grafana.ask(health)[0] == 404, "provisioned before it can be"
    # Nothing listens on the datasource's port: the plugin's process was asked.
    wait_until("the datasource", lambda: grafana.ask(health)[0] == 400, 20)
    grafana.stop()
    grafana.configure("preinstall_disabled = true", "")
    grafana.start()
    gone = (404, {"message": "Plugin not found", "messageId": "plugin.notRegistered"})
    wait_until("the plugin's end", lambda: grafana.ask(health) == gone, 20)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("http_addr = 127.0.0.1", "http_addr = farmer.lan", "invalid IP address"),
        ("http_addr = 127.0.0.1", "http_addr = [::1]", "invalid IP address"),
        ("http_addr = 127.0.0.1", "http_addr = ::1\ndomain = ::1", "root_url"),
    ],
)
def test_an_address_that_is_none_ends_the_start(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    grafana = Grafana(tmp_path)
    for name in ("admin_password", "secret_key"):
        (tmp_path / name).write_text("any")
    grafana.configure(old, new)
    grafana.launch()
    assert grafana.process is not None
    assert reason in grafana.process.communicate(timeout=20)[1]
    assert grafana.process.returncode == 1
