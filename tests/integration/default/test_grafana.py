"""Grafana on the farmer: its annotations, its doors and its secrets. It is a stand-in: see

tests/grafana_stand_in.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable
from http.client import HTTPSConnection
from typing import Any

import pytest

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet
from tests.hosts.system import wait_until

Ssh = Callable[[str], Any]
ToMachine = Callable[[str], Machine]
SECRETS = {
    "admin_password": "/etc/goplot/grafana/admin_password",
    "secret_key": "/etc/goplot/grafana/secret_key",
    "token": "/etc/goplot/grafana/annotations.token",
}
# Runs on a host from standard input: the secrets are in no command line, nor in the search's own.
STRANGER = """
import os, pathlib, pwd
os.setgid(pwd.getpwnam("nobody").pw_gid), os.setgroups([]), os.setuid(pwd.getpwnam("nobody").pw_uid)
places = ["/etc", "/run", "/tmp", "/var/log", "/var/lib", "/var/tmp", "/srv", "/opt/goplot"]
files = [pathlib.Path(top, name) for place in places for top, _, names in os.walk(place)
         for name in names]
files += [path / name for path in pathlib.Path("/proc").glob("[0-9]*")
          for name in ("cmdline", "environ") if path.name != str(os.getpid())]
for file in files:
    try:
        content = file.read_bytes() if file.is_file() else b""
    except OSError:
        continue
    for secret in SECRETS:
        if secret.encode() in content:
            print(file)
"""


class Grafana:
    """The farm's Grafana, asked from the machine that runs the tests."""

    def __init__(self, address: str, token: str, ca: str) -> None:
        self.address = address
        self.token = token
        self._context = ssl.create_default_context(cadata=ca)

    def ask(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """Status and document of the answer to a GET; by default with the plotters' token."""
        connection = HTTPSConnection(self.address, 3000, timeout=10, context=self._context)
        held = self.token if token is None else token
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {held}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def annotations(self, tag: str) -> list[int]:
        """The plots that annotations with a tag name, in order."""
        status, found = self.ask(f"/api/annotations?limit=100000&tags={tag}")
        assert status == 200
        return sorted(int(re.findall(r"plot #(\d+)", one["text"])[0]) for one in found)


@pytest.fixture(scope="session")
def grafana(ssh: Ssh, hosts: HostSet) -> Grafana:
    token = ssh("plotter1").check_output("cat /etc/goplot/grafana.token")
    ca = ssh("farmer1").check_output("cat /etc/goplot/tls/ca.crt")
    return Grafana(str(hosts.host("farmer1").address), token, ca)


def test_starts_and_stops_of_plots_are_annotated_also_after_an_absence_of_grafana(
    ssh: Ssh, grafana: Grafana
) -> None:
    wait_until("a stop", lambda: grafana.annotations("plot_stop") != [], 90)
    before = grafana.annotations("plot_start")[-1]
    ssh("farmer1").check_output("systemctl stop grafana-server")
    ended = f"grep -q 'plot-{before + 2} ended' /etc/chia/goplot/logs/goplot.log"
    wait_until("plots without Grafana", lambda: ssh("plotter1").run(ended).succeeded, 120)
    ssh("farmer1").check_output("systemctl start grafana-server")

    def arrived() -> bool:
        try:
            status, _ = grafana.ask("/api/health")
        except ConnectionRefusedError:
            return False
        return status == 200 and grafana.annotations("plot_stop")[-1] >= before + 2

    wait_until("the annotations of that time", arrived, 120)
    starts = grafana.annotations("plot_start")
    assert starts == list(range(1, len(starts) + 1)), "an annotation is lost or doubled"


@pytest.mark.parametrize(
    "path",
    ["/api/search", "/api/annotations", "/api/dashboards/uid/goplot-farm", "/api/admin/settings"],
)
@pytest.mark.parametrize("token", ["", "glsa_guessed"])
def test_a_stranger_is_refused(grafana: Grafana, path: str, token: str) -> None:
    # This machine is another host than the farmer.
    assert grafana.ask(path, token)[0] == 401


def test_pages_lead_a_stranger_to_the_login(grafana: Grafana) -> None:
    assert grafana.ask("/", "")[0] == 302
    assert grafana.ask("/metrics", "")[0] == 404


def test_the_plotters_token_opens_no_more_than_it_must(grafana: Grafana) -> None:
    assert grafana.ask("/api/annotations")[0] == 200
    assert grafana.ask("/api/serviceaccounts/search")[0] == 403


def test_grafana_is_sandboxed_and_comes_back(ssh: Ssh) -> None:
    unit = "grafana-server.service"
    assert ssh("farmer1").service(unit).is_running
    assert ssh("farmer1").service(unit).is_enabled
    # --threshold counts tenths.
    ssh("farmer1").run_expect([0], f"systemd-analyze security --no-pager --threshold=15 {unit}")
    assert ssh("farmer1").check_output(f"systemctl show -p User --value {unit}") == "grafana"


@pytest.mark.once
@pytest.mark.parametrize("host", ["farmer1", "plotter1"])
def test_no_stranger_reads_a_secret_of_grafana(ssh: Ssh, machine: ToMachine, host: str) -> None:
    for path in (*SECRETS.values(), "/etc/goplot/grafana.token"):
        for name in ("farmer1", "plotter1"):
            if ssh(name).file(path).exists:
                assert (ssh(name).file(path).user, ssh(name).file(path).mode) == ("root", 0o600)
    wanted = [ssh("farmer1").check_output(f"cat {path}") for path in SECRETS.values()]
    assert machine(host).run("python3", "-", stdin=f"SECRETS = {wanted}\n{STRANGER}") == ""
    journal = machine(host).run("journalctl", "-o", "cat", "-a")
    assert [secret for secret in wanted if secret in journal] == []


@pytest.mark.once
def test_a_strangers_search_finds_what_is_readable(ssh: Ssh, machine: ToMachine) -> None:
    ssh("farmer1").check_output("install -m 0644 /dev/null /srv/readable")
    machine("farmer1").run("sh", "-c", "cat > /srv/readable", stdin="<decoy of the test>")
    found = machine("farmer1").run("python3", "-", stdin=f"SECRETS = ['decoy of']\n{STRANGER}")
    ssh("farmer1").check_output("rm /srv/readable")
    assert found.split() == ["/srv/readable"]
