"""The dashboards' JSON is that of their code, and keeps the rules of Grafana's linter."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard import harvesters, plotting
from dashboard.files import contents
from tests.panels.queries import boards, filled, panels
from tests.support.metric_names import is_written, names_in

_ROOT = Path(__file__).parents[2]
_JSON = _ROOT / "dashboard/json"
_UIDS = {
    "goplot-disks": "Disks",
    "goplot-farm": "Farm",
    "goplot-fleet": "Fleet",
    "goplot-harvesters": "Harvesters",
    "goplot-plotting": "Plotting",
}
BOARDS = {board["uid"]: board for board in boards()}
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WITHOUT_JOB = ("ALERTS", "ALERTS_FOR_STATE", "prometheus_")


def _panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for uid, board in BOARDS.items():
        for panel in panels(board):
            yield uid, panel


PANELS = [pytest.param(panel, id=f"{uid}: {panel['title']}") for uid, panel in _panels()]
EXPRESSIONS = sorted({target["expr"] for _, panel in _panels() for target in panel["targets"]})


def _recorded() -> Iterator[dict[str, Any]]:
    for path in (_ROOT / "roles/prometheus/files/rules").glob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from (rule for rule in group["rules"] if "record" in rule)


def test_the_files_are_what_the_code_makes() -> None:
    committed = {path.name: path.read_text() for path in _JSON.glob("*.json")}
    assert committed == contents(), "run `make dashboards` and commit dashboard/json"


def test_uids_are_stable() -> None:
    assert {board["uid"]: board["title"] for board in BOARDS.values()} == _UIDS
    assert {path.stem for path in _JSON.glob("*.json")} == set(_UIDS)


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_can_be_provisioned(uid: str) -> None:
    board = BOARDS[uid]
    assert board["schemaVersion"] <= 42
    assert board["editable"] is False
    assert board["description"]
    assert "goplot" in board["tags"]
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_has_its_variables(uid: str) -> None:
    variables = {entry["name"]: entry for entry in BOARDS[uid]["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for name in ("job", "instance"):
        assert variables[name]["datasource"] == _DATASOURCE
        assert variables[name]["includeAll"]
        assert variables[name]["multi"]
    assert "plotter" in variables["group"]["query"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_links_to_the_others(uid: str) -> None:
    (link,) = BOARDS[uid]["links"]
    assert link["tags"] == ["goplot"]
    assert link["includeVars"]
    assert link["keepTime"]


@pytest.mark.parametrize("uid", BOARDS)
def test_panels_do_not_overlap(uid: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[uid]["panels"]:
        place = panel["gridPos"]
        left, top = place.get("x", 0), place.get("y", 0)
        assert left + place["w"] <= 24
        cells = {
            (x, y) for x in range(left, left + place["w"]) for y in range(top, top + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].rstrip().endswith(".")
    assert panel["datasource"] == _DATASOURCE
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    assert defaults["noValue"], "an empty panel says why it is empty"
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == _DATASOURCE


def test_size_is_the_same_as_a_number_and_as_a_curve() -> None:
    asked = {
        panel["title"]: {target["expr"] for target in panel["targets"]}
        for uid, panel in _panels()
        if uid == "goplot-disks"
    }
    assert asked["Size"] < asked["Used, committed and size"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_follows_the_variables(expression: str) -> None:
    for name, matchers in re.findall(r"\b([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression):
        if not name.startswith(_WITHOUT_JOB):
            assert 'job=~"$job"' in matchers, name


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counters_are_asked_for_their_rate(expression: str) -> None:
    counters = r"\b\w+(?:_total|_sum|_count|_bucket)\{[^}]*\}"
    for match in re.finditer(counters, expression):
        assert re.search(r"\b(rate|increase)\($", expression[: match.start()]), match[0]
        window = expression[match.end() :]
        assert window.startswith(("[$__rate_interval]", "[1h]", "[1d]")), match[0]
        if "rate(" in expression[match.start() - 5 : match.start()]:
            assert window.startswith(("[$__rate_interval]", "[1h]"))


def test_queries_are_valid(promtool: Path, tmp_path: Path) -> None:
    rules = [{"record": f"query:{n}", "expr": filled(e)} for n, e in enumerate(EXPRESSIONS)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_queries_ask_for_metrics_that_there_are() -> None:
    recorded = {rule["record"] for rule in _recorded()}
    asked = names_in("\n".join(EXPRESSIONS))
    assert not {name for name in asked - recorded if not is_written(name)}


def test_a_series_has_one_colour_on_every_dashboard() -> None:
    colours: dict[str, set[str]] = {}
    for _, panel in _panels():
        for override in panel["fieldConfig"].get("overrides", []):
            for prop in override["properties"]:
                if prop["id"] == "color":
                    name = override["matcher"]["options"]
                    colours.setdefault(name, set()).add(prop["value"]["fixedColor"])
    assert {name: found for name, found in colours.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("record", "numbers"),
    [
        ("instance_index:goplot_plot_phase:number", {n: p for p, n in enumerate(plotting.PHASES)}),
        (
            "instance:goplot_harvester_log_state:number",
            {n: p for p, n in enumerate(harvesters.STATES, start=1)},
        ),
    ],
)
def test_a_timeline_numbers_what_its_record_numbers(record: str, numbers: dict[str, int]) -> None:
    (expression,) = (rule["expr"] for rule in _recorded() if rule["record"] == record)
    found = {}
    for factor, name, added in re.findall(
        r"(?:(\d) \* )?goplot_\w+\{\w+=\"(\w+)\"\}(?: \+ (\d))?", expression
    ):
        found[name] = int(added or factor or 1)
    assert found == numbers
