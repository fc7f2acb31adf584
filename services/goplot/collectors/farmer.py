"""goplot-farmer-collector: queries full node, farmer and wallet, and writes their metrics."""

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

from goplot.chia.common import add_services
from goplot.chia.questions import COMMON, Answers, ask_all, number, text
from goplot.chia.rpc import Certificates, certificates_of
from goplot.host import program
from goplot.host.settings import FarmerSettings, Settings, SettingsError
from goplot.host.success import add_success
from goplot.host.textfile import Metrics

_logger = logging.getLogger(__name__)
#: Seconds between two blocks if the full node does not report it: 4608 blocks a day.
BLOCK_SECONDS = 18.75

_ENDPOINTS: dict[str, tuple[str, ...]] = {
    "full_node": ("get_blockchain_state", *COMMON),
    # Never get_harvesters: it returns every plot of the farm.
    "farmer": ("get_harvesters_summary", "get_pool_state", *COMMON),
    "wallet": ("get_farmed_amount", "get_sync_status", *COMMON),
}
_STATUSES = ("farming", "syncing", "not_synced", "farmer_down", "unknown")
_PARTIALS = ("valid", "invalid", "insufficient", "stale", "missing")


def collect(settings: FarmerSettings, certificates: Certificates) -> Metrics:
    """Query all services and build metrics; services that do not answer are down in them."""
    asked = {name: getattr(settings, name) for name in _ENDPOINTS}
    questions = {
        name: (address, _ENDPOINTS[name]) for name, address in asked.items() if address is not None
    }
    answers = ask_all(questions, certificates, settings.timeout_seconds)
    return metrics_of(answers, settings.harvesters, time.time())


def metrics_of(answers: Mapping[str, Answers], names: Mapping[str, str], now: float) -> Metrics:
    """The metrics from the answers; `names` are those of harvesters, by address."""
    metrics = Metrics()
    add_services(metrics, answers)
    node = answers.get("full_node", Answers())
    farmer = answers.get("farmer", Answers())
    _add_node(metrics, node)
    _add_harvesters(metrics, farmer, names)
    _add_pools(metrics, farmer)
    _add_wallet(metrics, answers.get("wallet", Answers()))
    _add_farm(metrics, node, farmer, "full_node" in answers)
    for name, answer in answers.items():
        for reason in sorted(set(answer.refused.values())):
            _logger.warning("%s: %s", name, reason)
    add_success(metrics, {"farmer-collector": now})
    return metrics


def _add_node(metrics: Metrics, node: Answers) -> None:
    def told(*keys: str) -> float | None:
        return node.number("get_blockchain_state", "blockchain_state", *keys)

    syncing, tip = told("sync", "sync_mode"), None
    progress = None
    if told("sync", "synced"):
        progress = 1.0
    elif syncing:
        tip = told("sync", "sync_tip_height")
        done = told("sync", "sync_progress_height")
        progress = min(1.0, done / tip) if tip and done is not None else 0.0
    for name, value in (
        ("chia_full_node_synced", told("sync", "synced")),
        ("chia_full_node_syncing", syncing),
        ("chia_full_node_sync_progress_ratio", progress),
        ("chia_full_node_sync_tip_height", tip),
        ("chia_full_node_height", told("peak", "height")),
        ("chia_full_node_difficulty", told("difficulty")),
        ("chia_full_node_mempool_transactions", told("mempool_size")),
        ("chia_full_node_block_interval_seconds", told("average_block_time")),
        ("chia_netspace_bytes", told("space") or None),
    ):
        metrics.add_known(name, value)


def harvester_labels(farmer: Answers, names: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The connected harvesters, each with a unique name.

    Two behind one address are distinguished by the start of their node id.
    """
    found = []
    used = set()
    entries = farmer.entries("get_harvesters_summary", "harvesters")
    for entry in sorted(entries, key=lambda entry: text(entry, "connection", "node_id")):
        host = text(entry, "connection", "host")
        name = names.get(host) or names.get(_plain(host)) or host
        if name in used:
            name = f"{name}/{text(entry, 'connection', 'node_id').removeprefix('0x')[:8]}"
        used.add(name)
        found.append((name, entry))
    return found


def _plain(host: str) -> str:
    """An address without the prefix of IPv4 in IPv6; every loopback address as 127.0.0.1."""
    host = host.removeprefix("::ffff:")
    return "127.0.0.1" if host in ("::1", "localhost") or host.startswith("127.") else host


def _add_harvesters(metrics: Metrics, farmer: Answers, names: Mapping[str, str]) -> None:
    if "get_harvesters_summary" not in farmer.given:
        return
    found = harvester_labels(farmer, names)
    connected = {name.split("/")[0] for name, _ in found}
    for name in sorted({*names.values(), *(name for name, _ in found)}):
        there = int(name in connected or any(name == other for other, _ in found))
        metrics.add("chia_farmer_harvester_connected", there, harvester=name)
    for harvester, entry in found:
        for name, key in (
            ("chia_farmer_harvester_plots", "plots"),
            ("chia_farmer_harvester_bytes", "total_plot_size"),
            ("chia_farmer_harvester_effective_bytes", "total_effective_plot_size"),
            ("chia_farmer_harvester_failed_plots", "failed_to_open_filenames"),
            ("chia_farmer_harvester_missing_keys", "no_key_filenames"),
            ("chia_farmer_harvester_duplicates", "duplicates"),
            ("chia_farmer_harvester_last_sync_timestamp_seconds", "last_sync_time"),
        ):
            metrics.add_known(name, number(entry, key), harvester=harvester)
        syncing = entry.get("syncing")
        metrics.add("chia_farmer_harvester_syncing", int(syncing is not None), harvester=harvester)
        total = number(syncing, "plot_files_total")
        if total:
            done = number(syncing, "plot_files_processed") or 0
            share = round(done / total, 4)
            metrics.add("chia_farmer_harvester_loading_ratio", share, harvester=harvester)


def _add_pools(metrics: Metrics, farmer: Answers) -> None:
    if "get_pool_state" not in farmer.given:
        return
    for pool in farmer.entries("get_pool_state", "pool_state"):
        launcher = text(pool, "pool_config", "launcher_id").removeprefix("0x")[:16]
        labels = {"pool": text(pool, "pool_config", "pool_url"), "launcher": launcher}
        for name, key in (
            ("chia_pool_difficulty", "current_difficulty"),
            ("chia_pool_plots", "plot_count"),
            ("chia_pool_points_found_total", "points_found_since_start"),
            ("chia_pool_points_acknowledged_total", "points_acknowledged_since_start"),
        ):
            metrics.add_known(name, number(pool, key), **labels)
        points = pool.get("points_acknowledged_24h")
        if isinstance(points, list):
            pairs = [pair[1] for pair in points if isinstance(pair, list) and len(pair) == 2]
            total = sum(pair for pair in pairs if isinstance(pair, int | float))
            metrics.add("chia_pool_points_acknowledged_24h", total, **labels)
        errors = pool.get("pool_errors_24h")
        if isinstance(errors, list):
            metrics.add("chia_pool_errors_24h", len(errors), **labels)
        for result in _PARTIALS:
            value = number(pool, f"{result}_partials_since_start")
            metrics.add_known("chia_pool_partials_total", value, **labels, result=result)


def _add_wallet(metrics: Metrics, wallet: Answers) -> None:
    def farmed(key: str) -> float | None:
        return wallet.number("get_farmed_amount", key)

    for name, value in (
        ("chia_wallet_synced", wallet.number("get_sync_status", "synced")),
        ("chia_farmed_mojo", farmed("farmed_amount")),
        ("chia_farmed_blocks", farmed("blocks_won")),
        # 0 means that there was none.
        ("chia_last_farmed_height", farmed("last_height_farmed") or None),
        ("chia_last_farmed_timestamp_seconds", farmed("last_time_farmed") or None),
    ):
        metrics.add_known(name, value)


def _add_farm(metrics: Metrics, node: Answers, farmer: Answers, node_asked: bool) -> None:
    def told(*keys: str) -> float | None:
        return node.number("get_blockchain_state", "blockchain_state", *keys)

    # As `chia farm summary` derives it.
    if not node_asked or told("sync", "synced") is None:
        status = "unknown"
    elif told("sync", "sync_mode"):
        status = "syncing"
    elif not told("sync", "synced"):
        status = "not_synced"
    else:
        status = "farming" if "get_harvesters_summary" in farmer.given else "farmer_down"
    for known in _STATUSES:
        metrics.add("chia_farming_status", int(known == status), status=known)
    if "get_harvesters_summary" not in farmer.given:
        return
    entries = farmer.entries("get_harvesters_summary", "harvesters")
    effective = sum(number(entry, "total_effective_plot_size") or 0 for entry in entries)
    space = told("space")
    if effective and space:
        interval = told("average_block_time") or BLOCK_SECONDS
        metrics.add("chia_expected_win_seconds", round(interval * space / effective, 1))


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-farmer-collector", __doc__).parse_args()
    tables = ("roots", "chia", "farmer_collector")
    return program.run("goplot-farmer-collector", options.settings, _once, tables)


def _once(settings: Settings) -> int:
    if settings.farmer_collector is None:
        raise SettingsError(f"{settings.path}: [farmer_collector] is missing; add that table")
    metrics = collect(settings.farmer_collector, certificates_of(settings.chia.root, "farmer"))
    metrics.write(settings.roots.textfiles, "goplot_farmer")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
