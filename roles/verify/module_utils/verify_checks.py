"""The results of goplot's verification, line by line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.goplot_http import ServiceError

_PAUSE = 2.0
_UNITS = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
Row = dict[str, str]


def ok(what: str, detail: str = "") -> Row:
    """A check that succeeded."""
    return {"what": what, "result": "ok", "detail": detail}


def bad(what: str, detail: str) -> Row:
    """A check that failed, and why."""
    return {"what": what, "result": "FAILED", "detail": " ".join(detail.split())}


def absent(what: str, detail: str) -> Row:
    """A check that does not apply to this inventory."""
    return {"what": what, "result": "-", "detail": detail}


def patiently(check: Callable[[], list[Row]], what: str, deadline: float) -> list[Row]:
    """The rows of a check, which is repeated until nothing fails or the deadline has passed.

    `deadline` is in seconds of the monotonic clock. If a service does not answer, `what` fails.
    """
    while True:
        try:
            rows = check()
        except ServiceError as error:
            rows = [bad(what, str(error))]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            rows = [bad(what, f"unexpected answer: {error!r}")]
        if all(row["result"] != "FAILED" for row in rows) or time.monotonic() >= deadline:
            return rows
        time.sleep(_PAUSE)


def targets(answer: Mapping[str, Any], expected: Mapping[str, Sequence[str]]) -> list[Row]:
    """From /api/v1/targets: each host that a job should scrape, and every other target."""
    found = {
        (target["labels"]["job"], target["labels"]["instance"]): target
        for target in answer["data"]["activeTargets"]
    }
    rows = []
    for job, hosts in expected.items():
        for host in hosts:
            what = f"Prometheus scrapes {host} ({job})"
            target = found.pop((job, host), None)
            rows.append(_target(what, target) if target else bad(what, "it has no such target"))
    for (job, host), target in sorted(found.items()):
        rows.append(_target(f"Prometheus scrapes {host} ({job})", target))
    return rows


def _target(what: str, target: Mapping[str, Any]) -> Row:
    if target["health"] == "up":
        return ok(what)
    return bad(what, target["lastError"] or f"is {target['health']}: {target['scrapeUrl']}")


def rules(answer: Mapping[str, Any], files: Sequence[str]) -> list[Row]:
    """From /api/v1/rules: each rule file."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for group in answer["data"]["groups"]:
        found.setdefault(group["file"].rsplit("/", 1)[-1], []).extend(group["rules"])
    rows = []
    for file in files:
        what, held = f"Prometheus has the rules of {file}", found.get(file, [])
        broken = [rule for rule in held if rule.get("lastError")]
        if not held:
            rows.append(bad(what, "none of them is loaded"))
        elif broken:
            rows.append(bad(what, f"{broken[0]['name']}: {broken[0]['lastError']}"))
        else:
            rows.append(ok(what, f"{len(held)} rules"))
    return rows


def alertmanagers(answer: Mapping[str, Any]) -> list[Row]:
    """From /api/v1/alertmanagers: whether Prometheus has one."""
    what = "Prometheus sends alerts to Alertmanager"
    active = [one["url"] for one in answer["data"]["activeAlertmanagers"]]
    return [ok(what, active[0]) if active else bad(what, "no Alertmanager is configured")]


def reads(status: int, answer: Any) -> list[Row]:
    """From the health of Grafana's datasource: whether Grafana reads Prometheus."""
    what = "Grafana reads Prometheus"
    document = answer if isinstance(answer, Mapping) else {}
    said = str(document.get("message", "")) or f"status {status}"
    if document.get("status") == "OK":
        return [ok(what, said)]
    if str(document.get("messageId", "")).startswith("plugin."):
        # Grafana's own health is green without its datasource, and it does not load it again.
        return [bad(what, f"{said}: on the farmer, systemctl restart grafana-server")]
    return [bad(what, said)]


def keys(answer: Mapping[str, Any]) -> list[Row]:
    """From /api/v1/query of a metric that is 1 when the farmer has keys: whether it has."""
    what = "The farmer has keys"
    values = [float(series["value"][1]) for series in answer["data"]["result"]]
    if not values:
        return [bad(what, "unknown: neither farmer nor wallet answers the farmer collector")]
    if all(values):
        return [ok(what)]
    words = (
        "none that it can use: it does not farm. Run goplot keys on the farmer, "
        "or see docs/runbooks/FarmerWithoutKeys.md"
    )
    return [bad(what, words)]


def versions(answer: Mapping[str, Any]) -> list[Row]:
    """From /api/v1/query of firing ChiaVersionsDiffer: each host that it names."""
    what = "Chia's releases work together"
    rows = []
    for series in answer["data"]["result"]:
        labels = series["metric"]
        service = labels.get("service", "harvester").replace("_", " ")
        place = labels.get("harvester", labels["instance"])
        version = labels.get("version", "another release than the farmer")
        words = f"it runs {version}: docs/runbooks/ChiaVersionsDiffer.md"
        rows.append(bad(f"{what}: {service} of {place}", words))
    return rows or [ok(what)]


def notifications(text: str) -> dict[str, tuple[float, float]]:
    """From Alertmanager's metrics: (sent, failed) notifications by integration."""
    tried = dict(_samples(text, "alertmanager_notification_requests_total"))
    failed = dict(_samples(text, "alertmanager_notification_requests_failed_total"))
    return {way: (tried[way], failed.get(way, 0.0)) for way in tried}


def _samples(text: str, name: str) -> Iterator[tuple[str, float]]:
    start = f'{name}{{integration="'
    for line in text.splitlines():
        if line.startswith(start):
            way, _, rest = line[len(start) :].partition('"')
            yield way, float(rest.split()[-1])


def seconds_of(text: str) -> float:
    """A duration in Prometheus' notation, such as 1m30s, in seconds. Raises ValueError."""
    parts = re.findall(r"(\d+)(ms|s|m|h|d|w|y)", text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 30s or 1m30s")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def delivered(
    ways: Sequence[str],
    before: Mapping[str, tuple[float, float]],
    now: Mapping[str, tuple[float, float]],
) -> list[Row]:
    """Which integrations sent a notification since `before`."""
    rows = []
    for way in ways:
        what = f"Alertmanager delivers a test alert ({way})"
        tried = now[way][0] - before[way][0]
        failed = now[way][1] - before[way][1]
        if tried > failed:
            rows.append(ok(what, "check that it reached you"))
        elif failed:
            words = f"failed {failed:.0f} times: journalctl -u prometheus-alertmanager"
            rows.append(bad(what, words))
        else:
            rows.append(bad(what, "not sent: journalctl -u prometheus-alertmanager"))
    return rows
