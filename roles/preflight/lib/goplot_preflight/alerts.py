"""Receivers of alerts: those that can't reach anybody, or that are defined twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

RECEIVERS = "alertmanager_receivers"
_NOBODY = "nobody"


def check_receivers(
    value: object, spec: Mapping[str, Any], summary: object
) -> Iterator[tuple[str, str, str]]:
    """Yields (variable, problem, cure) for what is wrong with alertmanager_receivers.

    Types, unknown keys and choices are `check_value`'s. `spec` is the specification of a receiver's
    keys, `summary` the value of alertmanager_summary_time.
    """
    if not isinstance(value, list):
        return
    ways = [name for name, option in spec.items() if option.get("type") == "dict"]
    first: dict[str, str] = {}
    for index, receiver in enumerate(value):
        if not isinstance(receiver, dict):
            continue
        where = f"{RECEIVERS}[{index}]"
        if not any(receiver.get(way) for way in ways):
            yield where, "has no channel", f"add one or more: {', '.join(ways)}"
        name = str(receiver.get("name", ""))
        if name == _NOBODY or name.endswith(" (news)"):
            yield f"{where}.name", "is a name that goplot reserves", "choose another"
        earlier = first.setdefault(name, where)
        if name and earlier != where:
            yield f"{where}.name", f"is that of {earlier} too", "change one"
    severities = [one.get("severities", ["summary"]) for one in value if isinstance(one, dict)]
    if summary and severities and not any("summary" in some for some in severities if some):
        cure = 'add summary to the severities of one, or set alertmanager_summary_time to ""'
        yield RECEIVERS, "has no receiver of the daily summary", cure
