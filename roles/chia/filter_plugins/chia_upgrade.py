"""Which hosts are switched to another version of Chia, and whether the farm would go on farming."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "services"))

from goplot.chia.versions import protocol_of, work_together

#: What becomes of an upgrade when a host fails in it.
ALL_BACK = "all_back"


def upgrade_plan(
    hosts: Mapping[str, Mapping[str, Any]],
    *,
    farmer: str = "",
    farmer_now: str = "",
    failed: Sequence[str] = (),
    left_out: Sequence[str] = (),
    on_failure: str = "",
) -> dict[str, list[str]]:
    """What will be switched (`steps`), what is named beside it (`notes`), and why not (`refusals`).

    `hosts` are those that have installed their version: `now` (empty on a new host), `wanted` and
    whether it `harvests`. `failed` do not answer or can't run their version, `left_out` are not
    in this run. `farmer_now` is the version of a farmer that is in neither, empty if not known.
    """
    switched = {
        name: host for name, host in hosts.items() if host["now"] not in ("", host["wanted"])
    }
    if not switched:
        return {"steps": [], "notes": [], "refusals": []}
    changes: dict[tuple[str, str], list[str]] = {}
    for name, host in switched.items():
        changes.setdefault((host["now"], host["wanted"]), []).append(name)
    steps = [
        f"Chia {now} -> {wanted}: {', '.join(sorted(names))}"
        for (now, wanted), names in sorted(changes.items())
    ]
    notes = [
        f"{name} keeps its version: it does not answer or can't run the new one (above). "
        "It is upgraded by the next run that finds it well"
        for name in failed
    ]
    refusals = _unserved(hosts, switched, farmer, farmer_now)
    if failed and on_failure == ALL_BACK:
        refusals.append(
            f"{', '.join(failed)} can't be upgraded, and chia_upgrade_on_failure is {ALL_BACK}"
        )
    crossed = farmer in switched and _crosses(switched[farmer])
    if crossed and left_out:
        refusals.append(
            f"{farmer} would change its protocol without {', '.join(left_out)}: "
            "run the play without --limit"
        )
    return {"steps": steps, "notes": notes, "refusals": refusals}


def _crosses(host: Mapping[str, Any]) -> bool:
    return protocol_of(host["now"]) != protocol_of(host["wanted"])


def _unserved(
    hosts: Mapping[str, Mapping[str, Any]],
    switched: Mapping[str, Mapping[str, Any]],
    farmer: str,
    farmer_now: str,
) -> list[str]:
    """Harvesters that would get no signage points."""
    if not farmer:
        return []
    after = hosts[farmer]["wanted"] if farmer in hosts else farmer_now
    if not after:
        return [
            f"{name} would change its protocol, and {farmer} does not answer"
            for name, host in sorted(switched.items())
            if _crosses(host)
        ]
    return [
        f"{name} would farm nothing: {farmer} farms with Chia {after}, which does not work with "
        f"a harvester of {host['wanted']}"
        for name, host in sorted(hosts.items())
        if name != farmer
        and host["harvests"]
        and not work_together(after, "harvester", host["wanted"])
    ]


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, object]:
        """Names of the filters."""
        return {"chia_upgrade_plan": upgrade_plan}
