"""Monitoring that a farm has already: handed what it needs, or replaced with a copy kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.modules import load_module
from tests.support.plays import ROLES, rendered

_UTILS = "ansible.module_utils"
sockets = load_module("common/module_utils/common_sockets.py", _UTILS)
monitoring = load_module("common/module_utils/common_monitoring.py", _UTILS)
TEMPLATES = ROLES / "prometheus/templates"


def prometheus(tmp_path: Path, **values: Any) -> dict[str, Any]:
    """What the templates of role prometheus are for a farm of one host with these variables."""
    host = {"ansible_host": "192.0.2.1", **values}
    inventory = {"farmer": {"hosts": {"one": host}}, "harvester": {"hosts": {"two": {}}}}
    texts = {
        name: f"{{{{ lookup('ansible.builtin.template', '{TEMPLATES}/{name}.yml.j2') }}}}"
        for name in ("prometheus", "handover")
    }
    found = rendered(tmp_path, inventory, ["prometheus"], texts)["one"]
    return {name: yaml.safe_load(text) for name, text in found.items()}


def test_a_prometheus_of_ones_own_gets_the_job_that_goplots_has(tmp_path: Path) -> None:
    password = {"node_exporter_basic_auth_users": {"amy": "secret"}}
    own = prometheus(tmp_path, **password)["prometheus"]["scrape_configs"][-1]
    handed = prometheus(tmp_path, prometheus_install=False, **password)["handover"]
    (job,) = handed["scrape_configs"]
    assert job["job_name"] == own["job_name"] == "node"
    assert job["static_configs"] == own["static_configs"]
    assert job["scheme"] == "https"
    file = "/etc/goplot/handover/prometheus/node.password"
    assert job["basic_auth"] == {"username": "amy", "password_file": file}
    assert "secret" not in str(handed)


def test_extra_scrape_jobs_are_beside_goplots(tmp_path: Path) -> None:
    extra = [
        {"job_name": "router", "static_configs": [{"targets": ["192.0.2.9:9100"]}]},
        {"job_name": "ups", "params": {"module": ["a", "b"]}},
    ]
    found = prometheus(tmp_path, prometheus_extra_scrape_configs=extra)["prometheus"]
    assert found["scrape_configs"][-2:] == extra
    names = [job["job_name"] for job in found["scrape_configs"]]
    assert names == ["prometheus", "alertmanager", "node", "router", "ups"]


TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  inode
   0: 00000000:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0 0 4711 1 0
   1: 0100007F:2382 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0 0 4712 1 0
"""


def test_sockets_that_listen_are_found_without_those_of_connections(tmp_path: Path) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/tcp").write_text(TCP)
    assert sockets.listening(tmp_path) == {"4711": 9090}


def test_a_port_in_use_names_the_program_and_the_choice() -> None:
    program = {"name": "Prometheus", "variable": "prometheus_install", "port": 9090}
    line = monitoring.line(program, "prometheus (process 12)")
    assert line.startswith("prometheus_install is not set, and port 9090 is in use by prometheus (")
    assert "Set it to false to keep that Prometheus" in line


def test_a_file_as_its_package_has_it_is_no_persons() -> None:
    backup = load_module("common/library/common_backup.py")
    output = "\n /etc/default/prometheus 0123 obsolete\n /etc/prometheus/prometheus.yml 4567\n\n"
    assert backup.conffiles(output) == {
        ("/etc/default/prometheus", "0123"),
        ("/etc/prometheus/prometheus.yml", "4567"),
    }


@pytest.mark.parametrize(
    ("role", "program"),
    [("prometheus", "Prometheus"), ("grafana", "Grafana")],
)
def test_what_is_replaced_is_kept_before_the_package_is_installed(role: str, program: str) -> None:
    tasks = yaml.safe_load((ROLES / role / "tasks/install.yml").read_text(encoding="utf-8"))
    names = [task["name"] for task in tasks]
    kept = names.index("Keep the configuration that goplot did not write")
    assert kept < names.index(f"Install {program}")
