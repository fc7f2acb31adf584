"""Every alert says whom it is about and what to do, and is shown to fire, stay silent, recover."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from goplot.farm.keys import keys_of
from goplot.host.settings import TABLES
from tests.network.fast import fast_rules, hastened
from tests.support.inventory import CATALOGUE
from tests.support.metric_names import is_written, names_in

_ROOT = Path(__file__).parents[2]
RULES = sorted((_ROOT / "roles/prometheus/files/rules").glob("*.yml"))
TESTS = sorted((_ROOT / "tests/rules").glob("*.yml"))
#: Some keys of Chia's configuration.
_OF_CHIA = {"parallel_decompressor_count", "decompressor_timeout", "log_level", "full_node_peers"}
_PLACES = ("instance", "harvester", "mountpoint")


def _rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in _rules() if "alert" in rule}
RECORDS = [rule for rule in _rules() if "record" in rule]


def _cases() -> dict[str, dict[str, list[Any]]]:
    """By alert: its tests that fire, those where it recovers, those where it stays silent."""
    cases: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for path in TESTS:
        for test in yaml.safe_load(path.read_text())["tests"]:
            fired = False
            for check in test["alert_rule_test"]:
                found = cases[check["alertname"]]
                if check["exp_alerts"]:
                    fired = True
                    found["fires"] += check["exp_alerts"]
                elif fired:
                    found["recovers"].append(test["name"])
                else:
                    found["silent"].append(test["name"])
    return cases


CASES = _cases()


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_a_file_of_tests_is_named_as_its_rules(path: Path) -> None:
    (rules,) = yaml.safe_load(path.read_text())["rule_files"]
    name = Path(rules).stem
    assert path.stem == name or path.stem.startswith(f"{name}_")


def test_an_alert_has_one_rule() -> None:
    names = [rule["alert"] for rule in _rules() if "alert" in rule]
    assert sorted(names) == sorted(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_names_its_severity_and_its_place(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    summary = alert["annotations"]["summary"]
    assert any(f"$labels.{place} " in summary for place in _PLACES), summary
    assert alert["annotations"]["description"]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_runbook(name: str) -> None:
    assert ALERTS[name]["annotations"]["runbook"] == f"docs/runbooks/{name}.md"
    text = (_ROOT / f"docs/runbooks/{name}.md").read_text()
    headings = re.findall(r"^#+ .+$", text, re.MULTILINE)
    assert headings == [f"# {name}", "## What it means", "## What to look at", "## What to do"]


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_changes_no_file_that_a_role_writes(name: str) -> None:
    """Settings and Chia's configuration are changed in the inventory: a role would undo it."""
    text = (_ROOT / f"docs/runbooks/{name}.md").read_text().partition("## What to do")[2]
    # What follows a variable's name is its value.
    text = re.sub(r"`chia_settings: [^`]*`", "", text)
    keys = {
        (table, key.name)
        for table, declared in TABLES.items()
        if table != "roots"
        for key in keys_of(declared)
    }
    of_settings = {f"{table}.{key}" for table, key in keys} | {key for _, key in keys if "_" in key}
    assert not {f"[{table}]" for table in TABLES if f"[{table}]" in text}
    words = set(re.findall(r"[\w.]*\w", text))
    assert not words & (of_settings | _OF_CHIA | {"settings.toml", "config.yaml"})
    for variable in re.findall(r"(?:[Cc]orrect|[Rr]aise|[Ll]ower|[Ss]et|move) `([a-z_]+)`", text):
        assert variable in CATALOGUE.options, variable


def test_a_runbook_has_an_alert() -> None:
    pages = {path.stem for path in (_ROOT / "docs/runbooks").glob("*.md")}
    assert pages == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_to_fire_stay_silent_and_recover(name: str) -> None:
    cases = CASES[name]
    assert cases["fires"]
    assert cases["silent"], f"no test where {name} stays silent"
    assert cases["recovers"], f"no test where {name} ends"
    for fired in cases["fires"]:
        assert {"instance", "severity"} <= fired["exp_labels"].keys()
        assert fired["exp_annotations"].keys() == {"summary", "description", "runbook"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_alerts_do_what_their_tests_say(path: Path, promtool: Path) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", path.name],
        cwd=path.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_role_deploys_all_rules() -> None:
    variables = yaml.safe_load((_ROOT / "roles/prometheus/vars/main.yml").read_text())
    assert variables["_prometheus_rules"] == [path.name for path in RULES]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_prometheus_accepts_the_rules(path: Path, promtool: Path) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_ask_for_metrics_that_goplot_writes() -> None:
    asked = names_in("\n".join(rule["expr"] for rule in _rules()))
    unknown = {
        name for name in asked - {rule["record"] for rule in RECORDS} if not is_written(name)
    }
    assert not unknown


@pytest.mark.parametrize("name", ["goplot_plots_run", "chia_harvester_op"])
def test_a_metric_that_nobody_writes_is_reported(name: str) -> None:
    assert not is_written(name)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("5m", "50s"),
        ("increase(x[1h]) > 0 and x offset 1d", "increase(x[600s]) > 0 and x offset 14400s"),
        ("instance:x:ratio30m > 300", "instance:x:ratio30m > 50"),
        ('abs(x{le=~"5|5.0"}) > 5', 'abs(x{le=~"5|5.0"}) > 5'),
    ],
)
def test_time_can_go_faster(expression: str, expected: str) -> None:
    assert hastened(expression) == expected


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_prometheus_accepts_the_rules_when_time_goes_faster(
    path: Path, promtool: Path, tmp_path: Path
) -> None:
    file = tmp_path / path.name
    file.write_text(fast_rules(path.read_text()))
    done = subprocess.run(
        [promtool, "check", "rules", file], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
