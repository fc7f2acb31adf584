"""A farm whose time goes six times as fast, so that its alerts can be waited for.

Whoever changes nothing would wait an hour and more. Changed on the hosts meanwhile, and put back:
the times of the rules, how often Prometheus asks, how often the collectors and diskhand run, and
quiet_seconds. What an alert asks and says stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.hosts.machine import Machine

TIMES = 6
# Chia takes its own time to give up a connection and to make a new one.
_BY_CHIAS_TIME = ("HarvesterDisconnected", "HarvesterQuiet")
# Seconds in rules without a unit: the age of goplot's textfiles, and of its programs' last success.
_AGES = (300, 1200)
_RULES = Path(__file__).parents[2] / "roles/prometheus/files/rules"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIMERS = {
    "goplot-plotter-collector": "*:*:0/10",
    "goplot-farmer-collector": "*:*:0/10",
    "goplot-harvester-collector": "*:*:0/10",
    "goplot-diskhand": "*:0/1",
}
_PROMETHEUS = "/etc/prometheus/prometheus.yml"
_SETTINGS = "/etc/goplot/watch.toml"


def hastened(expression: str) -> str:
    """PromQL, or a duration, with every time a sixth of what it was."""
    shorter = re.sub(
        r"\b(\d+)([smhd])\b",
        lambda found: f"{max(1, round(int(found[1]) * _UNITS[found[2]] / TIMES))}s",
        expression,
    )
    for age in _AGES:
        shorter = re.sub(rf"> {age}\b", f"> {age // TIMES}", shorter)
    return shorter


def fast_rules(text: str) -> str:
    """A file of rules with its times hastened."""
    rules = yaml.safe_load(text)
    for group in rules["groups"]:
        if "interval" in group:
            group["interval"] = hastened(group["interval"])
        for rule in group["rules"]:
            if rule.get("alert") not in _BY_CHIAS_TIME:
                rule.update({key: hastened(rule[key]) for key in ("expr", "for") if key in rule})
    return yaml.safe_dump(rules)


def _write(machine: Machine, path: str, text: str) -> None:
    machine.run("sh", "-c", f"cat > {path}", stdin=text)


def _set_rules(farmer: Machine, change: Callable[[str], str]) -> None:
    for file in sorted(_RULES.glob("*.yml")):
        text = change(file.read_text(encoding="utf-8"))
        _write(farmer, f"/etc/prometheus/rules/{file.name}", text)


@contextmanager
def fast(farmer: Machine, machines: list[Machine]) -> Iterator[None]:
    """Time goes fast on these machines; `farmer` is the one with Prometheus."""
    scrapes = farmer.run("cat", _PROMETHEUS)
    settings = {machine.name: machine.run("cat", _SETTINGS) for machine in machines}
    try:
        _set_rules(farmer, fast_rules)
        _write(farmer, _PROMETHEUS, re.sub(r"(_interval:) \w+", r"\1 3s", scrapes))
        farmer.run("systemctl", "reload", "prometheus")
        for machine in machines:
            quiet = re.sub(r"(quiet_seconds =) 300", r"\1 50", settings[machine.name])
            _write(machine, _SETTINGS, quiet)
            for timer, calendar in _TIMERS.items():
                folder = f"/run/systemd/system/{timer}.timer.d"
                machine.run("mkdir", "-p", folder)
                text = f"[Timer]\nOnCalendar=\nOnCalendar={calendar}\n"
                _write(machine, f"{folder}/fast.conf", text)
            _restart(machine)
        yield
    finally:
        _set_rules(farmer, lambda text: text)
        _write(farmer, _PROMETHEUS, scrapes)
        farmer.run("systemctl", "reload", "prometheus")
        for machine in machines:
            _write(machine, _SETTINGS, settings[machine.name])
            for timer in _TIMERS:
                machine.run("rm", "-rf", f"/run/systemd/system/{timer}.timer.d")
            _restart(machine)


def _restart(machine: Machine) -> None:
    machine.run("systemctl", "daemon-reload")
    # A pattern leaves out what this host does not have.
    timers = [f"{timer}.time[r]" for timer in _TIMERS]
    machine.run("systemctl", "try-restart", *timers, "goplot-harvester-log.service")
