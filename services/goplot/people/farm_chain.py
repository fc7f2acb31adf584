"""What `goplot farm` says of the chain's clock."""

import time
from typing import Any

from goplot.farm.chain import AHEAD_DAYS
from goplot.host.textfile import Samples

_EVENTS = {
    "hard_fork": "hard fork",
    "v1_end": "v1 plots end",
    "v1_filter_128": "v1 filter 128",
    "v1_filter_64": "v1 filter 64",
    "v1_filter_32": "v1 filter 32",
    "reward_halving": "reward halves",
}


def chain_document(samples: Samples) -> dict[str, Any]:
    """The chain's clock for programs; the height of an event is null while it is not yet set."""
    heights = _by("chia_chain_event_height", "event", samples)
    seconds = _by("chia_chain_event_seconds", "event", samples)
    known = _by("chia_chain_event_set", "event", samples)
    return {
        "events": {
            event: {"height": heights.get(event), "seconds": seconds.get(event)}
            for event in _EVENTS
            if event in known
        },
        "v1_win_ratio": _by("chia_v1_win_ratio", "days", samples),
    }


def chain_lines(samples: Samples) -> list[tuple[str, str]]:
    """The chain's clock for people: a line an event, of the v1 filters only the next one."""
    document = chain_document(samples)
    lines = []
    filters = 0
    for event, entry in document["events"].items():
        passed = entry["seconds"] is not None and entry["seconds"] <= 0
        if event.startswith("v1_filter"):
            filters += not passed
            if passed or filters > 1:
                continue
        lines.append((_EVENTS[event], _when(entry["height"], entry["seconds"])))
    ratios = document["v1_win_ratio"]
    if ratios:
        ahead = [str(days) for days in AHEAD_DAYS if days and str(days) in ratios]
        parts = [f"{ratios['0']:.1%} now"] if "0" in ratios else []
        parts += [f"{ratios[days]:.1%} in {days} days" for days in ahead]
        lines.append(("v1 plots count", ", ".join(parts)))
    return lines


def _when(height: float | None, seconds: float | None) -> str:
    if height is None or seconds is None:
        return "not yet set"
    if seconds <= 0:
        return f"passed, height {height:.0f}"
    date = time.strftime("%Y-%m-%d", time.localtime(time.time() + seconds))
    return f"in {seconds / 86400:.1f} days, about {date}, height {height:.0f}"


def _by(name: str, label: str, samples: Samples) -> dict[str, float]:
    return {labels[label]: value for labels, value in samples.get(name, []) if label in labels}
