"""Roles: how they are made, and that they agree about the farm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from goplot.host.settings import SettingsError, load
from tests.support.plays import ROLES, rendered

FARM: dict[str, Any] = {
    "farmer": {"hosts": {"farmer1": {"prometheus_basic_auth_users": {"zoe": "z", "amy": "a"}}}},
}


ALL = sorted(path.name for path in ROLES.iterdir() if (path / "tasks/main.yml").is_file())
STEPS = ("install", "configure", "run")
OWNERS = {
    name: path.parents[1].name
    for path in ROLES.glob("*/meta/argument_specs.yml")
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
    for name in entry["options"]
}


@dataclass(frozen=True)
class Task:
    """A task as it is written, and the tags that it has in the end."""

    text: dict[str, Any]
    tags: frozenset[str]


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def tasks_in(path: Path, tags: frozenset[str] = frozenset()) -> Iterator[Task]:
    """The tasks of a file with their tags, also those in blocks and in imported files."""
    yield from _flat(read(path), path.parent, tags)


def _flat(tasks: list[dict[str, Any]], folder: Path, tags: frozenset[str]) -> Iterator[Task]:
    for task in tasks:
        own = tags | frozenset(task.get("tags", []))
        for name in ("import_tasks", "include_tasks"):
            if given := task.get(f"ansible.builtin.{name}"):
                file = given if isinstance(given, str) else given["file"]
                inner = (
                    frozenset(given["apply"]["tags"]) if isinstance(given, dict) else frozenset()
                )
                yield from tasks_in(folder / file, inner if name == "include_tasks" else own)
        if role := task.get("ansible.builtin.import_role"):
            entry = f"{role.get('tasks_from', 'main')}.yml"
            yield from tasks_in(ROLES / role["name"] / "tasks" / entry, own)
        for block in ("block", "rescue", "always"):
            yield from _flat(task.get(block, []), folder, own)
        if "block" not in task:
            yield Task(task, own)


def test_everyone_logs_in_to_prometheus_as_the_same_user(tmp_path: Path) -> None:
    """The rule that docs state: the first user by name."""
    values = {
        "summary": "{{ _alertmanager_login.content }}",
        "grafana": "{{ lookup('ansible.builtin.template', '"
        f"{ROLES}/grafana/templates/datasource.yml.j2') | from_yaml }}}}",
        "verify": "{{ _verify_prometheus.user ~ ':' ~ _verify_prometheus.password }}",
        "prometheus": "{{ _prometheus_secrets['own.password'] }}",
    }
    roles = ["alertmanager", "grafana", "prometheus", "verify"]
    found = rendered(tmp_path, FARM, roles, values)["farmer1"]
    (source,) = found["grafana"]["datasources"]
    assert (source["basicAuthUser"], source["secureJsonData"]["basicAuthPassword"]) == ("amy", "a")
    assert found["summary"] == found["verify"] == "amy:a"
    assert found["prometheus"] == "a"


@pytest.mark.parametrize("role", ALL)
def test_a_role_installs_configures_and_runs(role: str) -> None:
    steps = []
    for task in read(ROLES / role / "tasks/main.yml"):
        step = task["ansible.builtin.import_tasks"].removesuffix(".yml")
        assert task.keys() <= {"name", "ansible.builtin.import_tasks", "when", "tags"}
        assert task["name"].startswith(f"{step.capitalize()} ")
        assert task["tags"] == [f"{role}_{step}"]
        steps.append(step)
    assert steps == [step for step in STEPS if step in steps]
    assert len(steps) == len(set(steps)) > 0
    assert {step for step in STEPS if (ROLES / role / f"tasks/{step}.yml").is_file()} == set(steps)


def _reads(role: str, text: str) -> set[str]:
    """The registered variables that a text of this role reads, also through the role's vars."""
    path = ROLES / role / "vars/main.yml"
    own = read(path) if path.is_file() else {}
    variables = {name: yaml.safe_dump(value) for name, value in own.items()}
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = [text]
    while waiting:
        part = waiting.pop()
        # Of "{{ item }}.j2" the end is known.
        for end in re.findall(r"[\w@./-]*\.j2", part):
            templates = set((ROLES / role / "templates").glob(f"*{end}")) - seen
            seen |= templates
            waiting += [template.read_text(encoding="utf-8") for template in templates]
        named = set(re.findall(r"(?<!_)_[a-z]\w+", part)) & variables.keys()
        waiting += [variables.pop(name) for name in named]
        needed = re.sub(r"__[a-z][\w.]*\s*\|\s*default\(", "", part)
        found |= set(re.findall(r"(?<![\w$])__[a-z]\w*", needed))
    return found


@pytest.mark.parametrize(
    ("role", "tag"),
    [(role, f"{role}_{step}") for role in ALL for step in STEPS],
)
def test_what_a_tag_needs_is_looked_up_under_it(role: str, tag: str) -> None:
    """`--tags prometheus_configure` works: what its tasks and handlers read was registered."""
    tasks = [
        task.text
        for task in tasks_in(ROLES / role / "tasks/main.yml")
        if task.tags & {tag, "always"}
    ]
    known = {task["register"] for task in tasks if "register" in task}
    notified = {name for task in tasks for name in _listed(task.get("notify", []))}
    path = ROLES / role / "handlers/main.yml"
    handlers = [task for task in (read(path) if path.is_file() else []) if task["name"] in notified]
    for task in [*tasks, *handlers]:
        text = yaml.safe_dump({key: value for key, value in task.items() if key != "register"})
        assert _reads(role, text) <= known, task["name"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _texts(role: str) -> Iterator[tuple[Path, str]]:
    """What Ansible templates for a role, without comments."""
    for folder in ("defaults", "handlers", "tasks", "vars"):
        for path in (ROLES / role / folder).glob("*.yml"):
            yield path, yaml.safe_dump(read(path), width=10_000)
    for path in (ROLES / role / "templates").rglob("*.j2"):
        if not path.is_symlink():
            text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            yield path, text


@pytest.mark.parametrize("role", [path.name for path in sorted(ROLES.iterdir())])
def test_a_role_reads_variables_of_others_through_common(role: str) -> None:
    texts = dict(_texts(role))
    shared = {path: path.read_text() for path in (ROLES.parent / "templates").glob("*.j2")}
    for path, text in {**texts, **shared}.items():
        foreign = {
            name
            for name in re.findall(r"(?<![\w'])[a-z]\w+", text)
            if OWNERS.get(name, role) != role
        }
        assert not foreign or role == "common", f"{path} reads {sorted(foreign)}"


def test_common_has_the_defaults_of_the_owners() -> None:
    variables = read(ROLES / "common/vars/main.yml")
    defaults = variables.pop("_common_defaults")
    owned = {name: read(ROLES / OWNERS[name] / "defaults/main.yml")[name] for name in defaults}
    assert defaults == owned
    read_with = re.compile(
        r"(?<![\w'.])(?:hostvars\[\w+\]\.)?([a-z]\w+) \| default\(_common_defaults\.(\w+)"
    )
    text = "\n".join(str(value) for value in variables.values())
    for name, default in read_with.findall(text):
        assert name == default


def test_a_mistake_in_a_plotter_does_not_reach_what_watches(tmp_path: Path) -> None:
    host = {
        "goplot_plotters": {"madmax": {"program": "/usr/bin/chia_plot", "colour": "red"}},
        "goplot_plotter": "unknown",
        "farm_layout_mounts": [{"path": "/farm/1/disk1"}],
        "chia_settings": {"logging": {"log_stdout": True}},
        "watch_quiet_seconds": 77,
        "ansible_host": "192.0.2.1",
    }
    other = {"ansible_host": "192.0.2.2"}
    inventory = {"farmer": {"hosts": {"one": host}}, "harvester": {"hosts": {"two": other}}}
    templates = {"settings": "goplot/templates/settings", "watch": "watch/templates/watch"}
    values = {
        name: f"{{{{ lookup('ansible.builtin.template', '{ROLES}/{path}.toml.j2') }}}}"
        for name, path in templates.items()
    }
    found = rendered(tmp_path, inventory, ["goplot", "watch"], values)["one"]
    files = {name: tmp_path / f"{name}.toml" for name in values}
    for name, file in files.items():
        file.write_text(found[name])
    with pytest.raises(SettingsError, match="colour"):
        load(files["settings"])
    used = ("roots", "chia", "farmer_collector", "harvester_collector")
    settings = load(files["watch"], used)
    assert (settings.chia.log, settings.chia.quiet_seconds) == (None, 77)
    assert settings.farmer_collector is not None
    assert settings.farmer_collector.harvesters == {"127.0.0.1": "one", "192.0.2.2": "two"}
    assert settings.harvester_collector is not None


def test_an_ipv6_address_is_in_brackets_in_every_url(tmp_path: Path) -> None:
    hosts = {
        "one": {"ansible_host": "fd00::1", "grafana_listen_address": "fd00::1"},
        "two": {"ansible_host": "fd00::2", "node_exporter_listen_address": "[fd00::2]:9100"},
    }
    inventory = {"farmer": {"hosts": {"one": hosts["one"]}}, "plotter": {"hosts": hosts}}
    prometheus = f"{ROLES}/prometheus/templates/prometheus.yml.j2"
    grafana = f"{ROLES}/grafana/templates/grafana.ini.j2"
    values = {
        "urls": "{{ [_common_prometheus_url, _common_grafana_url, _grafana_url] }}",
        "prometheus": f"{{{{ lookup('ansible.builtin.template', '{prometheus}') }}}}",
        "grafana": f"{{{{ lookup('ansible.builtin.template', '{grafana}') }}}}",
    }
    found = rendered(tmp_path, inventory, ["prometheus", "grafana"], values)["one"]
    assert [url.split("//")[1] for url in found["urls"]] == [
        "[fd00::1]:9090",
        "[fd00::1]:3000",
        "[fd00::1]:3000",
    ]
    scraped = yaml.safe_load(found["prometheus"])["scrape_configs"]
    targets = {one for job in scraped for each in job["static_configs"] for one in each["targets"]}
    assert {"[fd00::1]:9090", "[fd00::1]:9100", "[fd00::2]:9100"} <= targets
    # Grafana takes a bare address to listen on, and makes URLs of its domain.
    assert "http_addr = fd00::1\n" in found["grafana"]
    assert "domain = [fd00::1]\n" in found["grafana"]


def test_each_farm_of_disks_has_a_directory(tmp_path: Path) -> None:
    mounts = [
        {"path": f"/farm/1/disk{n}", "src": f"LABEL=disk{n}", "fstype": "xfs"} for n in (1, 2)
    ]
    inventory = {"plotter": {"hosts": {"one": {"farm_layout_mounts": mounts}}}}
    values = {"found": "{{ _farm_layout_directories }}"}
    found = rendered(tmp_path, inventory, ["farm_layout"], values)["one"]["found"]
    assert found == [{"path": "/farm"}, {"path": "/farm/1"}]
