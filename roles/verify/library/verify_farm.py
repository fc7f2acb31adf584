#!/usr/bin/python
"""Checks that Prometheus, Alertmanager and Grafana monitor a farm."""

from __future__ import annotations

import configparser
import time
from functools import partial
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.goplot_http import Service, ServiceError
from ansible.module_utils.verify_checks import (
    Row,
    absent,
    alertmanagers,
    bad,
    delivered,
    notifications,
    ok,
    patiently,
    reads,
    rules,
    seconds_of,
    targets,
)

DOCUMENTATION = """
module: verify_farm
short_description: Check that Prometheus, Alertmanager and Grafana monitor a farm
description:
  - Runs on the farmer. Failed checks are repeated for some time.
  - Sends a test alert of the highest severity, and resolves it.
options:
  farmer:
    description: The farmer's name in the inventory.
    type: str
    required: true
  hosts:
    description: Names of all hosts that are scraped.
    type: list
    elements: str
    required: true
  rules:
    description: Names of the rule files.
    type: list
    elements: str
    required: true
  dashboards:
    description: The uids of the dashboards. Without any, Grafana is not checked.
    type: list
    elements: str
    required: true
  prometheus:
    description: How to reach Prometheus.
    type: dict
    required: true
    options:
      url:
        description: Its URL.
        type: str
        required: true
      ca:
        description: File with the certificate of its CA.
        type: str
      user:
        description: User for basic authentication.
        type: str
        default: ""
      password:
        description: The user's password.
        type: str
        default: ""
  alertmanager:
    description: URL of Alertmanager.
    type: str
    required: true
  ways:
    description: The integrations that critical alerts are sent by.
    type: list
    elements: str
    required: true
  group_wait:
    description: How long Alertmanager holds a first alert back, such as 30s.
    type: str
    required: true
  seconds:
    description: How long a failed check is repeated, in seconds.
    type: int
    required: true
author: goplot
"""

EXAMPLES = """
- name: Check the farm's monitoring
  verify_farm:
    farmer: farmer1
    hosts: [farmer1]
    rules: [farm.yml]
    dashboards: [goplot-farm]
    prometheus: {url: "http://farmer1:9090"}
    alertmanager: http://127.0.0.1:9093
    ways: [email]
    group_wait: 30s
    seconds: 60
"""

RETURN = """
rows:
  description: The results, each with what, result (ok, FAILED or -) and detail.
  type: list
  elements: dict
  returned: success
"""
_ALERT_SECONDS = 120
_SECRETS = Path("/etc/goplot/grafana")
_GRAFANA = Path("/etc/grafana/grafana.ini")
_DATASOURCE = "goplot-prometheus"


def main() -> None:
    """Runs the module."""
    texts = {"type": "list", "elements": "str", "required": True}
    prometheus = {
        "url": {"type": "str", "required": True},
        "ca": {"type": "str"},
        "user": {"type": "str", "default": ""},
        "password": {"type": "str", "default": "", "no_log": True},
    }
    spec: dict[str, Any] = {
        "farmer": {"type": "str", "required": True},
        **dict.fromkeys(("hosts", "rules", "dashboards", "ways"), texts),
        "prometheus": {"type": "dict", "required": True, "options": prometheus},
        "alertmanager": {"type": "str", "required": True},
        "group_wait": {"type": "str", "required": True},
        "seconds": {"type": "int", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=False, rows=[])
    asked = module.params
    # Its notification takes the longest: it is sent while the rest is checked.
    try:
        held_back = seconds_of(asked["group_wait"])
    except ValueError as error:
        module.fail_json(msg=f"alertmanager_group_wait: {error}")
    alert = _Alert(Service(asked["alertmanager"]), asked["farmer"], asked["ways"], held_back)
    deadline = time.monotonic() + asked["seconds"]
    rows = _prometheus(asked, deadline)
    if asked["dashboards"]:
        rows += _grafana(asked["dashboards"], deadline)
    rows += alert.await_delivery(deadline + held_back + _ALERT_SECONDS)
    module.exit_json(changed=False, rows=rows)


def _prometheus(asked: dict[str, Any], deadline: float) -> list[Row]:
    where = asked["prometheus"]
    login = (where["user"], where["password"]) if where["user"] else None
    service = Service(where["url"], login, ca_path=where["ca"])
    farmer = [asked["farmer"]]
    expected = {"prometheus": farmer, "alertmanager": farmer, "node": asked["hosts"]}

    def scraped() -> list[Row]:
        return targets(service.take("GET", "/api/v1/targets?state=active"), expected)

    def loaded() -> list[Row]:
        return rules(service.take("GET", "/api/v1/rules"), asked["rules"])

    def sends() -> list[Row]:
        return alertmanagers(service.take("GET", "/api/v1/alertmanagers"))

    rows = patiently(scraped, "Prometheus scrapes the hosts", deadline)
    rows += patiently(loaded, "Prometheus has its rules", deadline)
    return rows + patiently(sends, "Prometheus sends alerts to Alertmanager", deadline)


def _grafana(dashboards: list[str], deadline: float) -> list[Row]:
    try:
        url, ca = _where_grafana_is()
        password = (_SECRETS / "admin_password").read_text(encoding="utf-8").strip()
    except (OSError, configparser.Error) as error:
        return [bad("Grafana answers", f"{error}: run playbooks/grafana.yml")]
    admin = Service(url, ("admin", password), ca_path=ca)

    def answers() -> list[Row]:
        return [ok("Grafana answers", f"{url}, {admin.take('GET', '/api/health')['version']}")]

    def refuses() -> list[Row]:
        what = "Grafana rejects anonymous access"
        status, _ = Service(url, ca_path=ca).ask("GET", "/api/search")
        return [ok(what) if status == 401 else bad(what, f"it answers with status {status}")]

    def datasource() -> list[Row]:
        return reads(*admin.ask("GET", f"/api/datasources/uid/{_DATASOURCE}/health"))

    def dashboard(uid: str) -> list[Row]:
        found = admin.take("GET", f"/api/dashboards/uid/{uid}")["dashboard"]
        return [ok(f"Grafana has the dashboard {uid}", found["title"])]

    rows = patiently(answers, "Grafana answers", deadline)
    if rows[0]["result"] != "ok":
        return rows
    rows += patiently(refuses, "Grafana rejects anonymous access", deadline)
    rows += patiently(datasource, "Grafana reads Prometheus", deadline)
    for uid in dashboards:
        rows += patiently(partial(dashboard, uid), f"Grafana has the dashboard {uid}", deadline)
    return rows


def _where_grafana_is() -> tuple[str, str | None]:
    """URL and CA of the Grafana on this host, as it is configured. Raises OSError."""
    settings = configparser.ConfigParser(interpolation=None)
    with _GRAFANA.open(encoding="utf-8") as file:
        settings.read_file(file)
    server = settings["server"]
    host = server["domain"]
    ca = Path("/etc/goplot/tls/ca.crt")
    url = f"{server['protocol']}://{host}:{server['http_port']}"
    return url, str(ca) if server["protocol"] == "https" and ca.exists() else None


class _Alert:
    """A test alert, which is grouped with no other alert."""

    _WHAT = "Alertmanager accepts a test alert"

    def __init__(self, service: Service, farmer: str, ways: list[str], held_back: float) -> None:
        """Sends the alert, which Alertmanager delays for so many seconds."""
        self._due = time.monotonic() + held_back - 3
        self._service = service
        self._ways = ways
        self._labels = {
            "alertname": "GoplotVerify",
            "severity": "critical",
            "instance": f"{farmer} (test of {time.strftime('%H:%M:%S')})",
        }
        self._trouble = ""
        self._before: dict[str, tuple[float, float]] = {}
        try:
            self._before = self._read_samples()
            self._send(600)
        except ServiceError as error:
            self._trouble = str(error)

    def _read_samples(self) -> dict[str, tuple[float, float]]:
        return notifications(str(self._service.take("GET", "/metrics")))

    def _send(self, seconds: float) -> None:
        """Sends the alert, which ends after so many seconds."""
        now = time.time()
        times = {"startsAt": now - 1, "endsAt": now + seconds}
        alert = {
            "labels": self._labels,
            "annotations": {
                "summary": "A test of goplot's alerts: everything is fine",
                "description": "playbooks/verify.yml sent it to check whether alerts reach you.",
            },
            **{name: _stamp(value) for name, value in times.items()},
        }
        self._service.take("POST", "/api/v2/alerts", [alert])

    def await_delivery(self, deadline: float) -> list[Row]:
        """Whether it was sent by every integration; it is resolved then."""
        if self._trouble:
            return [bad(self._WHAT, self._trouble)]
        rows = [ok(self._WHAT)]
        if not self._ways:
            words = "alertmanager_receivers is empty: nobody is notified of alerts"
            return [*rows, absent("Alertmanager delivers a test alert", words)]

        def went_out() -> list[Row]:
            now = self._read_samples()
            if time.monotonic() < self._due:
                # Notifications before that are for other alerts.
                self._before = now
            return delivered(self._ways, self._before, now)

        rows += patiently(went_out, "Alertmanager delivers a test alert", deadline)
        self._send(0)
        return rows


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


if __name__ == "__main__":
    main()
