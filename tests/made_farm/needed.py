"""How far back the dashboards and the rules ask for each metric: so much history is made."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.panels.queries import queries

RULES = Path(__file__).parents[2] / "roles/prometheus/files/rules"
_NAME = re.compile(r"\b(?:[a-z]\w*:\w+:\w+|(?:node|goplot|chia|smartmon|nvme|up)_\w+|up)\b")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: Windows of rules from here on are made with a sample for every scrape, as they cost the most,
#: and rates over windows up to here, as they hold few.
_LONG = 6 * 3600
_SHORT = 120


@dataclass(frozen=True, slots=True)
class Needed:
    """Seconds back by metric; `dense` are those with a sample for every scrape."""

    back: dict[str, int]
    dense: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `record` is None for an alert, `interval` the seconds between two results."""

    record: str | None
    expression: str
    interval: int


def rules() -> list[Rule]:
    """All rules that the role deploys."""
    groups = [
        group
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    return [
        Rule(rule.get("record"), rule["expr"], 60 * int(group.get("interval", "1m")[:-1]))
        for group in groups
        for rule in group["rules"]
    ]


def rounds() -> list[list[Rule]]:
    """The records, those of other records after these."""
    left = [rule for rule in rules() if rule.record]
    found: list[list[Rule]] = []
    while left:
        waiting = {rule.record for rule in left}
        ready = [rule for rule in left if not names_in(rule.expression) & waiting]
        found.append(ready)
        left = [rule for rule in left if rule not in ready]
    return found


def names_in(expression: str) -> set[str]:
    """The metrics that PromQL asks for."""
    without = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    return set(_NAME.findall(without))


def needed() -> Needed:
    """What is asked for by all panels over their usual time, and by all rules."""
    back: dict[str, int] = defaultdict(int)
    dense: dict[str, int] = defaultdict(int)
    recorded = {rule.record: rule.expression for rule in rules() if rule.record}
    for query in queries():
        since = 0 if query.instant else query.since
        _ask(query.expression, since, recorded, back)
        for name in names_in(query.expression):
            if 0 < _window(name, query.expression) <= _SHORT:
                dense[name] = max(dense[name], since)
    for rule in rules():
        _ask(rule.expression, 0, recorded, back)
        for name in names_in(rule.expression):
            window = _window(name, rule.expression, offsets=False)
            if window >= _LONG:
                dense[name] = max(dense[name], window)
    return Needed(dict(back), dict(dense))


def _ask(expression: str, since: int, recorded: dict[str, str], back: dict[str, int]) -> None:
    for name in names_in(expression):
        seconds = since + _window(name, expression)
        if seconds >= back[name]:
            back[name] = seconds
            if name in recorded and name not in names_in(recorded[name]):
                _ask(recorded[name], seconds, recorded, back)


def _window(name: str, expression: str, *, offsets: bool = True) -> int:
    """Seconds of the longest window over a metric, or of the farthest look back at it."""
    reach = r"(?:\[(\d+)([smhd])\])?(?: offset (\d+)([smhd]))?"
    found = []
    for long, unit, ago, ago_unit in re.findall(rf"\b{name}(?:\{{[^}}]*\}})?{reach}", expression):
        window = int(long) * _SECONDS[unit] if long else 0
        found.append(window + (int(ago) * _SECONDS[ago_unit] if ago and offsets else 0))
    return max(found, default=0)
