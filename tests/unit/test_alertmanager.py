"""The configuration that the role makes of receivers, as Alertmanager's own tool reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROLE = Path(__file__).parents[2] / "roles/alertmanager"
# What a person might write, with all that YAML and templates could trip over.
_WAYS: dict[str, dict[str, Any]] = {
    "email": {
        "to": "me@example.com, you@example.com",
        "from": "farm@example.com",
        "smarthost": "mail.example.com:587",
        "username": "farm",
        "password": """quote " and ' and : #""",
    },
    "telegram": {"bot_token": "1:AAA", "chat_id": -100123},
    "discord": {"webhook_url": "https://discord.com/api/webhooks/1/x"},
    "slack": {"webhook_url": "https://hooks.slack.com/services/T/B/x", "channel": "#farm"},
    "pushover": {"user_key": "u1", "token": "t1"},
    "ntfy": {"url": "https://ntfy.sh/topic", "token": "tk_1"},
    "webhook": {"url": "http://127.0.0.1:9999/x?y=1", "username": "goplot", "password": "p"},
}
Render = Callable[[list[dict[str, Any]]], Path]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Makes alertmanager.yml of receivers, as Ansible does, with the role's other defaults."""

    def made(receivers: list[dict[str, Any]]) -> Path:
        variables = yaml.safe_load((_ROLE / "defaults/main.yml").read_text())
        given = tmp_path / "variables.json"
        given.write_text(json.dumps({**variables, "alertmanager_receivers": receivers}))
        target = tmp_path / "alertmanager.yml"
        command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-c", "local"]
        command += ["-m", "ansible.builtin.template", "-e", f"@{given}", "-a"]
        done = subprocess.run(
            [*command, f"src={_ROLE}/templates/alertmanager.yml.j2 dest={target}"],
            env={**os.environ, "HOME": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # On a host the words lie where the configuration says.
        text = target.read_text().replace(
            "/etc/goplot/alertmanager.tmpl", str(_ROLE / "files/alertmanager.tmpl")
        )
        target.write_text(text)
        return target

    return made


def _receivers_of(amtool: Path, configuration: Path, **labels: str) -> list[str]:
    """The receivers of an alert with these labels."""
    command = [str(amtool), "config", "routes", "test", f"--config.file={configuration}"]
    done = subprocess.run(
        [*command, *(f"{name}={value}" for name, value in labels.items())],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip().split(",")


def _receivers(configuration: Path) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(configuration.read_text())["receivers"]
    return {receiver["name"]: receiver for receiver in found}


@pytest.mark.parametrize("ways", [[], *([way] for way in _WAYS), list(_WAYS)])
def test_alertmanager_takes_every_way_of_telling(
    render: Render, amtool: Path, ways: list[str]
) -> None:
    receivers: list[dict[str, Any]] = [{"name": 'me, "too"', way: _WAYS[way]} for way in ways]
    if len(ways) > 1:
        receivers = [{"name": "all", **_WAYS}]
    made = render(receivers)
    done = subprocess.run(
        [amtool, "check-config", made], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 templates" in done.stdout
    found = _receivers(made)
    for receiver in receivers:
        for way in ways:
            kind = "webhook_configs" if way == "ntfy" else f"{way}_configs"
            assert [entry["send_resolved"] for entry in found[receiver["name"]][kind]]


def test_what_people_write_arrives_as_it_is(render: Render) -> None:
    (found,) = _receivers(render([{"name": "all", **_WAYS}]))["all"]["email_configs"]
    assert found["auth_password"] == _WAYS["email"]["password"]
    assert found["to"] == _WAYS["email"]["to"]
    assert found["require_tls"] is True


def test_ntfy_is_a_webhook_that_names_its_template(render: Render) -> None:
    own = {"name": "own", "ntfy": {"url": "https://ntfy.sh/farm?icon=a"}}
    found = _receivers(render([{"name": "all", **_WAYS}, own]))
    first, second = found["all"]["webhook_configs"]
    assert first["url"] == "https://ntfy.sh/topic?template=alertmanager"
    assert first["http_config"]["authorization"] == {"type": "Bearer", "credentials": "tk_1"}
    assert second["http_config"]["basic_auth"] == {"username": "goplot", "password": "p"}
    (only,) = found["own"]["webhook_configs"]
    assert only["url"] == "https://ntfy.sh/farm?icon=a&template=alertmanager"


def test_an_alert_goes_to_all_receivers_of_its_severity(render: Render, amtool: Path) -> None:
    made = render(
        [
            {"name": "night", "severities": ["critical"], "webhook": _WAYS["webhook"]},
            {"name": "day", "webhook": _WAYS["webhook"]},
            {"name": "news", "severities": ["info", "summary"], "webhook": _WAYS["webhook"]},
        ]
    )
    assert _receivers_of(amtool, made, severity="critical") == ["night", "day"]
    assert _receivers_of(amtool, made, severity="warning") == ["day"]
    assert _receivers_of(amtool, made, severity="info") == ["day (news)", "news (news)"]
    assert _receivers_of(amtool, made, severity="summary") == ["day (news)", "news (news)"]
    assert _receivers_of(amtool, made, severity="unheard-of") == ["nobody"]


def test_news_is_not_sent_again_when_it_is_over(render: Render) -> None:
    found = _receivers(render([{"name": "me", "webhook": _WAYS["webhook"]}]))
    assert found["me"]["webhook_configs"][0]["send_resolved"] is True
    assert found["me (news)"]["webhook_configs"][0]["send_resolved"] is False


def test_without_receivers_nobody_is_notified(render: Render, amtool: Path) -> None:
    assert _receivers_of(amtool, render([]), severity="critical") == ["nobody"]


def _alert(status: str, summary: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "A", "severity": "critical", "instance": "h1"},
        "annotations": {"summary": summary, "description": "Why.", "runbook": "docs/A.md"},
    }


@pytest.mark.parametrize(
    ("alerts", "title", "message"),
    [
        (
            [_alert("firing", "One")],
            "One",
            "CRITICAL: One\nWhy.\nWhat to do: docs/A.md\n",
        ),
        (
            [_alert("firing", "One"), _alert("firing", "Two"), _alert("resolved", "Three")],
            "h1: 2 alerts",
            "CRITICAL: One\nWhy.\nWhat to do: docs/A.md\n\n"
            "CRITICAL: Two\nWhy.\nWhat to do: docs/A.md\n\n"
            "Over: Three",
        ),
        ([_alert("resolved", "One")], "Over: One", "Over: One"),
        (
            [_alert("resolved", "One"), _alert("resolved", "Two")],
            "Over: 2 alerts of h1",
            "Over: One\nOver: Two",
        ),
    ],
)
def test_a_message_says_what_is_the_matter(
    amtool: Path, tmp_path: Path, alerts: list[dict[str, Any]], title: str, message: str
) -> None:
    data = tmp_path / "data.json"
    group = {"instance": "h1"}
    data.write_text(json.dumps({"alerts": alerts, "groupLabels": group, "commonLabels": group}))
    for name, expected in (("title", title), ("message", message)):
        command = [str(amtool), "template", "render", f"--template.data={data}"]
        command += [f"--template.glob={_ROLE}/files/alertmanager.tmpl"]
        command += [f'--template.text={{{{ template "goplot.{name}" . }}}}']
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert shown.strip() == expected.strip()
