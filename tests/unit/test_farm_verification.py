"""What playbooks/verify.yml makes of the answers of Prometheus, Alertmanager and Grafana."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import ansible.module_utils
import pytest

from tests.support.modules import load_module
from tests.support.plays import ROLES


def answer_of(*labels: dict[str, str]) -> dict[str, Any]:
    """What Prometheus answers to an instant query."""
    return {"data": {"result": [{"metric": one, "value": [0, "1"]} for one in labels]}}


METRICS = """# HELP alertmanager_notification_requests_total The total number of attempted requests.
alertmanager_notification_requests_total{{integration="email"}} {email}
alertmanager_notification_requests_total{{integration="webhook"}} {webhook}
alertmanager_notification_requests_failed_total{{integration="email"}} {failed}
alertmanager_notification_requests_failed_total{{integration="webhook"}} 0
alertmanager_notifications_total{{integration="webhook"}} 99
"""


@pytest.fixture(scope="module")
def checks() -> Iterator[ModuleType]:
    """verify_checks, whose imports are where Ansible puts them."""
    paths = [*ansible.module_utils.__path__, str(ROLES / "verify/module_utils")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ansible.module_utils, "__path__", paths)
        yield load_module("verify/module_utils/verify_checks.py")


def target(job: str, host: str, health: str = "up", error: str = "") -> dict[str, Any]:
    labels = {"job": job, "instance": host}
    url = f"http://{host}:9100/metrics"
    return {"labels": labels, "health": health, "lastError": error, "scrapeUrl": url}


def results(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["what"]: row["result"] for row in rows}


def test_every_host_is_scraped_or_named(checks: ModuleType) -> None:
    up = [target("node", "farmer1"), target("node", "b", "down", "connection refused\n")]
    extra = [target("shop", "till", "unknown")]
    rows = checks.targets({"data": {"activeTargets": up + extra}}, {"node": ["farmer1", "b", "c"]})
    assert results(rows) == {
        "Prometheus scrapes farmer1 (node)": "ok",
        "Prometheus scrapes b (node)": "FAILED",
        "Prometheus scrapes c (node)": "FAILED",
        "Prometheus scrapes till (shop)": "FAILED",
    }
    assert [row["detail"] for row in rows[1:]] == [
        "connection refused",
        "it has no such target",
        "is unknown: http://till:9100/metrics",
    ]


def test_every_file_of_rules_is_loaded_or_named(checks: ModuleType) -> None:
    good = {"name": "A", "health": "ok", "lastError": ""}
    bad = {"name": "B", "health": "err", "lastError": "many-to-many matching not allowed"}
    groups = [
        {"file": "/etc/prometheus/rules/one.yml", "rules": [good]},
        {"file": "/etc/prometheus/rules/one.yml", "rules": [good, good]},
        {"file": "/etc/prometheus/rules/two.yml", "rules": [good, bad]},
    ]
    one, two, three = checks.rules({"data": {"groups": groups}}, ["one.yml", "two.yml", "3.yml"])
    assert (one["result"], one["detail"]) == ("ok", "3 rules")
    assert (two["result"], two["detail"]) == ("FAILED", f"B: {bad['lastError']}")
    assert three["result"] == "FAILED"


def test_prometheus_has_an_alertmanager_or_not(checks: ModuleType) -> None:
    some = {"data": {"activeAlertmanagers": [{"url": "http://a"}]}}
    assert checks.alertmanagers(some)[0]["result"] == "ok"
    none: dict[str, dict[str, list[object]]] = {"data": {"activeAlertmanagers": []}}
    assert checks.alertmanagers(none)[0]["result"] == "FAILED"


@pytest.mark.parametrize(
    ("values", "result", "words"),
    [
        (["1"], "ok", ""),
        (["0"], "FAILED", "Run goplot keys on the farmer"),
        ([], "FAILED", "unknown"),
    ],
)
def test_the_farmer_has_keys_or_the_way_to_them(
    checks: ModuleType, values: list[str], result: str, words: str
) -> None:
    found = [{"metric": {"instance": "farmer1"}, "value": [0, value]} for value in values]
    (row,) = checks.keys({"data": {"result": found}})
    assert (row["what"], row["result"]) == ("The farmer has keys", result)
    assert words in row["detail"]


def test_hosts_whose_release_does_not_mix_are_named(checks: ModuleType) -> None:
    assert results(checks.versions(answer_of())) == {"Chia's releases work together": "ok"}
    found = answer_of(
        {"instance": "harvester1", "service": "harvester", "version": "2.7.3"},
        {"instance": "farmer1", "harvester": "10.9.9.9"},
        {"instance": "farmer1", "service": "full_node", "version": "2.5.4"},
    )
    rows = checks.versions(found)
    assert {row["result"] for row in rows} == {"FAILED"}
    assert [row["what"].split(": ")[1] for row in rows] == [
        "harvester of harvester1",
        "harvester of 10.9.9.9",
        "full node of farmer1",
    ]
    assert "it runs 2.7.3" in rows[0]["detail"]


@pytest.mark.parametrize(
    ("email", "failed", "webhook", "expected"),
    [
        (5, 2, 7, ["ok", "ok"]),
        (6, 3, 6, ["ok", "FAILED"]),  # failed once, then it went out
        (5, 3, 6, ["FAILED", "FAILED"]),
        (4, 2, 7, ["FAILED", "ok"]),
    ],
)
def test_an_alert_is_delivered_by_every_way(
    checks: ModuleType, email: int, failed: int, webhook: int, expected: list[str]
) -> None:
    before = checks.notifications(METRICS.format(email=4, failed=2, webhook=6))
    assert before == {"email": (4, 2), "webhook": (6, 0)}
    now = checks.notifications(METRICS.format(email=email, failed=failed, webhook=webhook))
    rows = checks.delivered(["email", "webhook"], before, now)
    assert [row["result"] for row in rows] == expected


def test_durations_are_those_of_prometheus(checks: ModuleType) -> None:
    assert [checks.seconds_of(text) for text in ("0s", "30s", "1m30s", "500ms")] == [0, 30, 90, 0.5]
    for text in ("30", "1m 30s", "soon"):
        with pytest.raises(ValueError, match="duration"):
            checks.seconds_of(text)


def test_what_fails_is_asked_again_until_the_deadline(
    checks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0

    def wait(seconds: float) -> None:
        nonlocal clock
        clock += seconds

    monkeypatch.setattr(time, "sleep", wait)
    monkeypatch.setattr(time, "monotonic", lambda: clock)

    def starts_late() -> list[dict[str, str]]:
        if clock < 10:
            raise checks.ServiceError("no answer")
        return [checks.ok("it")]

    assert checks.patiently(starts_late, "it", 30.0) == [checks.ok("it")]
    assert clock == 10
    clock = 0.0
    assert checks.patiently(starts_late, "it", 6.0) == [checks.bad("it", "no answer")]
    assert clock == 6

    def strange() -> list[dict[str, str]]:
        raise KeyError("data")

    assert checks.patiently(strange, "it", 0.0)[0]["result"] == "FAILED"


def test_the_table_has_a_line_a_thing(checks: ModuleType) -> None:
    table = load_module("verify/action_plugins/verify_report.py").table
    rows = [checks.ok("short", "fine"), checks.bad("a longer one", "not\nfine"), checks.ok("last")]
    assert table(rows) == [
        "ok      short         fine",
        "FAILED  a longer one  not fine",
        "ok      last",
    ]
    assert table([]) == []


def test_a_datasource_that_is_not_loaded_names_the_way_out(checks: ModuleType) -> None:
    gone = {"message": "Plugin not found", "messageId": "plugin.notRegistered"}
    ended = {"message": "Plugin unavailable", "messageId": "plugin.unavailable"}
    for status, answer in ((404, gone), (500, ended)):
        row = checks.reads(status, answer)[0]
        assert row["result"] == "FAILED"
        assert "systemctl restart grafana-server" in row["detail"]
    answer = {"status": "ERROR", "message": "connection refused"}
    assert checks.reads(400, answer)[0]["detail"] == "connection refused"
    assert checks.reads(503, "Service Unavailable")[0]["detail"] == "status 503"
    assert checks.reads(200, {"status": "OK", "message": "fine"})[0]["result"] == "ok"
