"""What a person changed on the hosts: files are put right, and what people may tune stays."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.hosts.spec import HostSet
from tests.support.playbook import play

Ssh = Callable[[str], Any]

#: By host and path, what a person does to it; `{}` is the path.
CHANGES = {
    "farmer1": {
        "/etc/prometheus/rules/disks.yml": "echo 'groups: []' > {}",
        "/etc/prometheus/prometheus.yml": "sed -i 's/scrape_interval: .*/scrape_interval: 1h/' {}",
        "/etc/goplot/alertmanager.yml": "chmod 0644 {}",
        "/etc/grafana/dashboards/goplot-farm.json": "rm {}",
        "/etc/systemd/system/prometheus-node-exporter.service.d/goplot.conf": "echo >> {}",
    },
    "plotter1": {
        "/etc/goplot/settings.toml": "echo '# by hand' >> {}",
        "/etc/systemd/system/goplot-plot@.service": "sed -i s/^ExecStart=/ExecStart=-/ {}",
        "/etc/chia/goplot/disks": "chown root:root {}; chmod 0700 {}",
        "/usr/local/share/bash-completion/completions/goplot": "truncate -s 0 {}",
    },
    "harvester1": {
        "/etc/systemd/system/chia-harvester.service": "echo '# by hand' >> {}",
        "/etc/goplot/watch.toml": "chown nobody {}",
    },
}
#: Units that apply such a file when they start.
RESTARTED = {
    "farmer1": ["prometheus-node-exporter.service", "prometheus-alertmanager.service"],
    "plotter1": ["goplot-pacer.service"],
    "harvester1": ["chia-harvester.service"],
}
#: Units that a person stops.
STOPPED = {
    "farmer1": "goplot-summary.timer",
    "plotter1": "goplot-diskhand.timer",
    "harvester1": "goplot-harvester-collector.timer",
}
LOAD_MAX = "/etc/chia/goplot/config/load_max.goplot"


def state(shell: Any, path: str) -> str:
    """Owner, group, mode and, of a file, the checksum."""
    of_file = f"test ! -f {path} || sha256sum {path}"
    return str(shell.check_output(f"stat -c '%U:%G %a' {path} && {{ {of_file}; }}"))


def started(shell: Any, unit: str) -> str:
    """What is another at every start of a unit."""
    return str(shell.check_output(f"systemctl show -p InvocationID --value {unit}"))


def configured_at(hosts: HostSet) -> str:
    """When Prometheus last read its configuration."""
    url = f"http://{hosts.hosts[0].address}:9090/api/v1/status/runtimeinfo"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(json.load(answer)["data"]["lastConfigTime"])


@pytest.mark.once
def test_what_was_changed_by_hand_is_put_right_and_what_was_tuned_stays(
    ssh: Ssh, hosts: HostSet
) -> None:
    places = [(host, path) for host, paths in CHANGES.items() for path in paths]
    units = [(host, unit) for host, units in RESTARTED.items() for unit in units]
    before = {place: state(ssh(place[0]), place[1]) for place in places}
    runs = {place: started(ssh(place[0]), place[1]) for place in units}
    read = configured_at(hosts)
    for host, path in places:
        ssh(host).check_output(CHANGES[host][path].replace("{}", path))
        assert (
            ssh(host).run(f"test -e {path}").failed or state(ssh(host), path) != before[host, path]
        )
    for host, unit in STOPPED.items():
        ssh(host).check_output(f"systemctl disable --now {unit}")
    plotter = ssh("plotter1")
    assert plotter.file(LOAD_MAX).user == "goplot"
    plotter.check_output("goplot set load_max 99.5")

    done = play("default", "../site.yml")
    assert done.returncode == 0, done.stdout

    assert {place: state(ssh(place[0]), place[1]) for place in places} == before
    for host, unit in units:
        assert started(ssh(host), unit) != runs[host, unit], unit
    assert configured_at(hosts) != read
    for host, unit in STOPPED.items():
        assert ssh(host).service(unit).is_running
        assert ssh(host).service(unit).is_enabled
        stale = "systemctl show -p NeedDaemonReload --value '*' | grep -c yes"
        assert ssh(host).run(stale).stdout.strip() == "0"
    assert plotter.check_output(f"cat {LOAD_MAX}") == "99.5"
    assert "load_max is 99.5 on the host and 100 in the inventory" in done.stdout

    done = play("default", "goplot.yml", "--limit", "plotter1", "-e", "goplot_tunables_reset=true")
    assert done.returncode == 0, done.stdout
    assert plotter.check_output(f"cat {LOAD_MAX}") == "100"
