"""What `goplot farm` shows: whether it farms, who does not, the last win, the next one."""

import math
import time
from typing import Any

from goplot.harvester_log.dating import clock_text
from goplot.people.farm_chain import chain_document, chain_lines
from goplot.people.farm_samples import Farm
from goplot.people.farm_texts import keys_text, refusals, version_problems, versions_text
from goplot.people.table import duration, size, table

_UP = {
    "full_node": "chia_full_node_up",
    "farmer": "chia_farmer_up",
    "wallet": "chia_wallet_up",
    "harvester": "chia_harvester_up",
}
#: What is shown of a harvester, by its key in the document.
_OF_HARVESTER = {
    "plots": "chia_farmer_harvester_plots",
    "bytes": "chia_farmer_harvester_bytes",
    "effective_bytes": "chia_farmer_harvester_effective_bytes",
    "failed_plots": "chia_farmer_harvester_failed_plots",
    "missing_keys": "chia_farmer_harvester_missing_keys",
    "duplicates": "chia_farmer_harvester_duplicates",
}
_STATUS_TEXTS = {
    "farming": "farming",
    "syncing": "syncing",
    "not_synced": "not synced, or not connected to peers",
    "farmer_down": "the farmer does not answer",
    "no_keys": "the farmer has no keys",
    "unknown": "the full node does not answer",
}
_LOG_TEXTS = {
    "unreadable": "can't be read: systemctl status goplot-harvester-log",
    "unknown_format": "has lines that goplot does not understand: "
    "goplot harvester-log --check FILE shows them",
    "level_too_low": "has no INFO lines: chia configure --log-level INFO, then restart Chia",
    "silent": "does not grow: does Chia run, and is its log_level INFO?",
    "quiet": "grows, but the harvester looks up no plots: is it connected to the farmer?",
}
_MOJO = 10**12


def problems(farm: Farm) -> list[str]:
    """What needs a person's attention, worst first."""
    found = []
    status = farm.chosen("chia_farming_status", "status")
    keys = keys_text(farm.value("chia_keys"), locked=bool(farm.value("chia_keyring_locked")))
    if status == "no_keys":
        found.append(f"not farming: {keys}")
    elif status not in (None, "farming"):
        found.append(f"not farming: {_STATUS_TEXTS.get(str(status), status)}")
    elif farm.value("chia_keys") == 0:
        found.append(f"the farmer farms until it restarts: {keys}")
    down = [service for service, up in _UP.items() if farm.value(up) == 0]
    found += [f"the {service.replace('_', ' ')} does not answer" for service in down]
    # Without keys, a wallet refuses most questions.
    if status != "no_keys":
        refused = [
            (labels["service"], labels["endpoint"])
            for labels, _ in farm.samples.get("chia_rpc_failed", [])
            if labels["service"] not in down
        ]
        found += refusals(refused, keys=farm.value("chia_keys"))
    found += version_problems(_versions(farm))
    if farm.value("chia_harvester_farmer_connections") == 0:
        found.append("this host's harvester is not connected to the farmer")
    for name in farm.labels("chia_farmer_harvester_connected", "harvester"):
        if farm.value("chia_farmer_harvester_connected", harvester=name) == 0:
            found.append(f"harvester {name} is not connected to the farmer")
        for family, text in (
            ("chia_farmer_harvester_failed_plots", "plots that can't be opened"),
            ("chia_farmer_harvester_missing_keys", "plots whose keys the farmer does not have"),
            ("chia_farmer_harvester_duplicates", "duplicate plots"),
        ):
            count = farm.value(family, harvester=name)
            if count:
                found.append(f"harvester {name} has {count:.0f} {text}")
    log = farm.chosen("goplot_harvester_log_state", "state")
    # A farmer without keys logs nothing else, and its harvesters look nothing up.
    if log not in (None, "ok") and status != "no_keys":
        found.append(f"the Chia log of this host {_LOG_TEXTS.get(str(log), log)}")
    found += _disk_problems(farm)
    found += [
        f"{name}.prom is {_age(age)}: does its collector run?" for name, age in farm.old.items()
    ]
    return found


def next_step(farm: Farm) -> str | None:
    """What the owner does next on the way to a farm that farms; None where no farmer is.

    Begins with "in order" when nothing is left to do.
    """
    status = farm.chosen("chia_farming_status", "status")
    if status is None:
        return None
    if status == "no_keys":
        return "keys: sudo goplot keys shows what there is, and says how to add yours"
    if status in ("syncing", "not_synced"):
        progress = farm.value("chia_full_node_sync_progress_ratio")
        done = f" ({progress:.1%})" if progress else ""
        return f"wait until the full node is synced{done}: it may take days; port 8444 open helps"
    plots = farm.total("chia_farmer_harvester_plots")
    if problems(farm):
        return "the problems above"
    if not plots:
        return (
            "the first plot: on_toggle: run in the inventory and site.yml, or, on a plotter, "
            "goplot set on_toggle run; goplot status there shows what it waits for"
        )
    connected = farm.total("chia_farmer_harvester_connected")
    return f"in order: keys, sync, {plots:.0f} plots on {_count(connected)} harvesters"


def _age(seconds: float) -> str:
    return f"{duration(seconds)} old" if math.isfinite(seconds) else "dated in the future"


def _versions(farm: Farm) -> dict[str, str]:
    """The version of each service on this host, in the order of _UP."""
    found = {
        labels["service"]: labels["version"]
        for labels, _ in farm.samples.get("chia_version_info", [])
    }
    return {service: found[service] for service in _UP if service in found}


def _disk_problems(farm: Farm) -> list[str]:
    found = []
    for labels, files in farm.samples.get("goplot_harvester_disk_plot_files", []):
        place = f"disk /farm/{labels['farm']}/{labels['disk']}"
        if farm.value("goplot_harvester_disk_mounted", **labels) == 0:
            found.append(f"{place} is not mounted")
            continue
        seen = farm.value("chia_harvester_disk_plots", **labels)
        if seen is not None and seen != files:
            found.append(f"{place}: the harvester farms {seen:.0f} of {files:.0f} plots")
    for labels, up in farm.samples.get("goplot_harvester_disk_up", []):
        if not up and farm.value("goplot_harvester_disk_mounted", **labels):
            found.append(f"disk /farm/{labels['farm']}/{labels['disk']} can't be read")
    return found


def farm_document(farm: Farm) -> dict[str, Any]:
    """The farm for programs. Sizes are bytes, times seconds; null is unknown."""
    return {
        "problems": problems(farm),
        "status": farm.chosen("chia_farming_status", "status"),
        "services": {
            service: bool(value)
            for service, up in _UP.items()
            if (value := farm.value(up)) is not None
        },
        "versions": _versions(farm),
        "keys": farm.value("chia_keys"),
        "synced": farm.value("chia_full_node_synced"),
        "sync_progress": farm.value("chia_full_node_sync_progress_ratio"),
        "height": farm.value("chia_full_node_height"),
        "difficulty": farm.value("chia_full_node_difficulty"),
        "netspace": farm.value("chia_netspace_bytes"),
        "chain": chain_document(farm.samples),
        "farmed_mojo": farm.value("chia_farmed_mojo"),
        "blocks_won": farm.value("chia_farmed_blocks"),
        "blocks_since_win": _blocks_since_win(farm),
        "last_farmed_height": farm.value("chia_last_farmed_height"),
        "last_farmed_time": farm.value("chia_last_farmed_timestamp_seconds"),
        "expected_win": farm.value("chia_expected_win_seconds"),
        "total_plots": farm.total("chia_farmer_harvester_plots"),
        "total_bytes": farm.total("chia_farmer_harvester_bytes"),
        "total_effective_bytes": farm.total("chia_farmer_harvester_effective_bytes"),
        "harvesters": [_harvester(farm, name) for name in _harvesters(farm)],
        "pools": [
            {
                **labels,
                "difficulty": value,
                "points_24h": farm.value("chia_pool_points_acknowledged_24h", **labels),
                "errors_24h": farm.value("chia_pool_errors_24h", **labels),
            }
            for labels, value in farm.samples.get("chia_pool_difficulty", [])
        ],
        "log": {
            "state": farm.chosen("goplot_harvester_log_state", "state"),
            "eligible_plots": farm.value("chia_harvester_eligible_plots"),
            "eligible_age": farm.value("chia_harvester_eligible_age_seconds"),
            "total_plots": farm.value("chia_harvester_log_plots"),
            "clock_behind": farm.value("goplot_harvester_log_clock_behind_seconds"),
            "protocol_mismatches": farm.total("chia_log_protocol_mismatches_total"),
        },
    }


def _harvesters(farm: Farm) -> list[str]:
    return farm.labels("chia_farmer_harvester_connected", "harvester")


def _harvester(farm: Farm, name: str) -> dict[str, Any]:
    state = "not connected"
    if farm.value("chia_farmer_harvester_connected", harvester=name):
        state = "connected"
    loading = farm.value("chia_farmer_harvester_loading_ratio", harvester=name)
    if loading is not None:
        state = f"loading {loading:.0%}"
    shown = {key: farm.value(family, harvester=name) for key, family in _OF_HARVESTER.items()}
    return {"harvester": name, "state": state, **shown}


def farm_text(farm: Farm) -> str:
    """The farm for people."""
    found = problems(farm)
    parts = []
    if found:
        parts.append("\n".join(["PROBLEMS", *[f"  {problem}" for problem in found]]))
    lines = _summary(farm)
    if lines:
        width = max(len(name) for name, _ in lines)
        parts.append("\n".join(f"{name:<{width}}  {text}" for name, text in lines))
    entries = [_harvester(farm, name) for name in _harvesters(farm)]
    step = next_step(farm)
    if entries:
        rows = [
            [
                entry["harvester"],
                entry["state"],
                _count(entry["plots"]),
                _bytes(entry["bytes"]),
                _bytes(entry["effective_bytes"]),
                _count(entry["failed_plots"]),
                _count(entry["missing_keys"]),
                _count(entry["duplicates"]),
            ]
            for entry in entries
        ]
        head = ["harvester", "state", "plots", "size", "effective", "failed", "no key", "twice"]
        parts.append(table(head, rows))
    if step is not None:
        parts.append(step if step.startswith("in order") else f"next: {step}")
    return "\n\n".join(parts)


def _summary(farm: Farm) -> list[tuple[str, str]]:
    lines = []
    status = farm.chosen("chia_farming_status", "status")
    if status is not None:
        lines.append(("farming status", _STATUS_TEXTS.get(status, status)))
    versions = _versions(farm)
    if versions:
        lines.append(("Chia", versions_text(versions)))
    mismatches = farm.total("chia_log_protocol_mismatches_total")
    if mismatches:
        where = "so far in this host's Chia log: docs/runbooks/ChiaVersionsDiffer.md"
        lines.append(("version mismatches", f"{mismatches:.0f} {where}"))
    height = farm.value("chia_full_node_height")
    if height is not None:
        progress = farm.value("chia_full_node_sync_progress_ratio")
        synced = (
            "synced" if progress == 1 else f"{progress:.1%} synced" if progress else "not synced"
        )
        lines.append(("full node", f"height {height:.0f}, {synced}"))
    difficulty = farm.value("chia_full_node_difficulty")
    lines += [("difficulty", f"{difficulty:.0f}")] if difficulty is not None else []
    space = farm.value("chia_netspace_bytes")
    lines += [("netspace", _bytes(space))] if space is not None else []
    plots = farm.total("chia_farmer_harvester_plots")
    if plots is not None:
        total = _bytes(farm.total("chia_farmer_harvester_bytes"))
        effective = _bytes(farm.total("chia_farmer_harvester_effective_bytes"))
        lines.append(("plots", f"{plots:.0f}, {total}, effective {effective}"))
    farmed = farm.value("chia_farmed_mojo")
    if farmed is not None:
        blocks = farm.value("chia_farmed_blocks")
        lines.append(("farmed", f"{farmed / _MOJO:g} XCH in {_count(blocks)} blocks"))
        lines.append(("last win", _last_win(farm)))
    expected = farm.value("chia_expected_win_seconds")
    lines += [("expected time to win", _long(expected))] if expected is not None else []
    lines += chain_lines(farm.samples)
    for labels, difficulty in farm.samples.get("chia_pool_difficulty", []):
        points = farm.value("chia_pool_points_acknowledged_24h", **labels)
        errors = farm.value("chia_pool_errors_24h", **labels)
        lines.append(
            (
                f"pool {labels.get('pool', '')}",
                f"difficulty {difficulty:.0f}, {_count(points)} points and "
                f"{_count(errors)} errors in 24 h",
            )
        )
    plots = farm.value("chia_harvester_eligible_plots")
    if plots is not None:
        age = farm.value("chia_harvester_eligible_age_seconds") or 0
        total = _count(farm.value("chia_harvester_log_plots"))
        lines.append(("this harvester", f"{plots:.0f} of {total} eligible {duration(age)} ago"))
    behind = farm.value("goplot_harvester_log_clock_behind_seconds")
    lines += [("its Chia log", f"the clock in it is {clock_text(behind)}")] if behind else []
    return lines


def _last_win(farm: Farm) -> str:
    height = farm.value("chia_last_farmed_height")
    if height is None:
        return "never"
    moment = farm.value("chia_last_farmed_timestamp_seconds")
    ago = f", {_long(time.time() - moment)} ago" if moment is not None else ""
    blocks = _blocks_since_win(farm)
    since = f", {blocks:.0f} blocks since" if blocks is not None else ""
    return f"height {height:.0f}{ago}{since}"


def _blocks_since_win(farm: Farm) -> float | None:
    height, last = farm.value("chia_full_node_height"), farm.value("chia_last_farmed_height")
    return None if height is None or last is None else max(0.0, height - last)


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _bytes(value: float | None) -> str:
    if value is None:
        return "-"
    for unit, power in (("EiB", 60), ("PiB", 50)):
        if value >= 1 << power:
            return f"{value / (1 << power):.2f} {unit}"
    return size(int(value))


def _long(seconds: float) -> str:
    """In days if it is days: an expected win may be years away."""
    return f"{seconds / 86400:.1f} days" if seconds >= 2 * 86400 else duration(max(0.0, seconds))
