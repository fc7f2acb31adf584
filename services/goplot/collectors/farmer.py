"""goplot-farmer-collector: queries full node, farmer and wallet, and writes their metrics."""

import logging
import sys
import time
from collections.abc import Mapping

from goplot.chia.common import add_services
from goplot.chia.questions import COMMON, Answers, ask_all, number, text
from goplot.chia.rpc import Certificates, certificates_of
from goplot.collectors.harvester_names import Known, assign, names_path, read_names, write_names
from goplot.farm.chain import AHEAD_DAYS, BLOCK_SECONDS, events_of, seconds_until, v1_win_ratio
from goplot.host import program
from goplot.host.settings import FarmerSettings, Settings, SettingsError
from goplot.host.success import add_success
from goplot.host.textfile import Metrics

_logger = logging.getLogger(__name__)

_ENDPOINTS: dict[str, tuple[str, ...]] = {
    "full_node": ("get_blockchain_state", *COMMON, "get_constants"),
    # Never get_harvesters: it returns every plot of the farm.
    "farmer": ("get_harvesters_summary", "get_pool_state", "get_reward_targets", *COMMON),
    "wallet": ("get_public_keys", "get_farmed_amount", "get_sync_status", *COMMON),
}
_STATUSES = ("farming", "syncing", "not_synced", "farmer_down", "no_keys", "unknown")
_PARTIALS = ("valid", "invalid", "insufficient", "stale", "missing")


def collect(
    farmer: FarmerSettings, certificates: Certificates, known: Mapping[str, Known]
) -> tuple[Metrics, Mapping[str, Known]]:
    """Query all services and build metrics; services that do not answer are down in them.

    Harvesters keep the names that they have in `known`, by node id; all names are returned.
    """
    asked = {name: getattr(farmer, name) for name in _ENDPOINTS}
    questions = {
        name: (address, _ENDPOINTS[name]) for name, address in asked.items() if address is not None
    }
    answers = ask_all(questions, certificates, farmer.timeout_seconds)
    now = time.time()
    summary = answers.get("farmer", Answers())
    if "get_harvesters_summary" in summary.given:
        known = assign(known, addresses_of(summary, farmer.harvesters), now)
    return metrics_of(answers, farmer.harvesters, known, now), known


def metrics_of(
    answers: Mapping[str, Answers],
    names: Mapping[str, str],
    known: Mapping[str, Known],
    now: float,
) -> Metrics:
    """The metrics from the answers.

    `names` are those of the settings by address, `known` are the harvesters by node id.
    """
    metrics = Metrics()
    add_services(metrics, answers)
    node = answers.get("full_node", Answers())
    farmer = answers.get("farmer", Answers())
    _add_node(metrics, node)
    _add_chain(metrics, node)
    _add_harvesters(metrics, farmer, names, known)
    _add_pools(metrics, farmer)
    _add_wallet(metrics, answers.get("wallet", Answers()))
    without_keys = _add_keys(metrics, farmer, answers.get("wallet", Answers()))
    _add_status(metrics, node, farmer, "full_node" in answers, without_keys)
    _add_expected_win(metrics, node, farmer)
    for name, answer in answers.items():
        for reason in sorted(set(answer.refused.values())):
            _logger.warning("%s: %s", name, reason)
    add_success(metrics, {"farmer-collector": now})
    return metrics


def _add_node(metrics: Metrics, node: Answers) -> None:
    def answered(*keys: str) -> float | None:
        return node.number("get_blockchain_state", "blockchain_state", *keys)

    syncing, tip = answered("sync", "sync_mode"), None
    progress = None
    if answered("sync", "synced"):
        progress = 1.0
    elif syncing:
        tip = answered("sync", "sync_tip_height")
        done = answered("sync", "sync_progress_height")
        progress = min(1.0, done / tip) if tip and done is not None else 0.0
    for name, value in (
        ("chia_full_node_synced", answered("sync", "synced")),
        ("chia_full_node_syncing", syncing),
        ("chia_full_node_sync_progress_ratio", progress),
        ("chia_full_node_sync_tip_height", tip),
        ("chia_full_node_height", answered("peak", "height")),
        ("chia_full_node_difficulty", answered("difficulty")),
        ("chia_full_node_mempool_transactions", answered("mempool_size")),
        ("chia_full_node_block_interval_seconds", answered("average_block_time")),
        ("chia_netspace_bytes", answered("space") or None),
    ):
        metrics.add_known(name, value)


def _add_chain(metrics: Metrics, node: Answers) -> None:
    """When the chain changes what plots earn; a node that is not synced passes old heights."""
    state = node.given.get("get_blockchain_state")
    constants = node.given.get("get_constants", {}).get("constants")
    height = number(state, "blockchain_state", "peak", "height")
    synced = number(state, "blockchain_state", "sync", "synced")
    if not synced or height is None or not isinstance(constants, dict):
        return
    peak = int(height)
    for event, there in events_of(constants, peak).items():
        metrics.add("chia_chain_event_set", int(there is not None), event=event)
        if there is not None:
            metrics.add("chia_chain_event_height", there, event=event)
            metrics.add("chia_chain_event_seconds", seconds_until(there, peak), event=event)
    for days in AHEAD_DAYS:
        ratio = v1_win_ratio(constants, peak, days)
        metrics.add_known("chia_v1_win_ratio", ratio, days=str(days))


def addresses_of(farmer: Answers, names: Mapping[str, str]) -> dict[str, str]:
    """By node id of the connected harvesters, the name of the address that they come from."""
    found = {}
    for entry in farmer.entries("get_harvesters_summary", "harvesters"):
        node, host = text(entry, "connection", "node_id"), text(entry, "connection", "host")
        if node:
            found[node] = names.get(host) or names.get(_plain(host)) or host
    return found


def _plain(host: str) -> str:
    """An address without the prefix of IPv4 in IPv6; every loopback address as 127.0.0.1."""
    host = host.removeprefix("::ffff:")
    return "127.0.0.1" if host in ("::1", "localhost") or host.startswith("127.") else host


def _add_harvesters(
    metrics: Metrics, farmer: Answers, names: Mapping[str, str], known: Mapping[str, Known]
) -> None:
    if "get_harvesters_summary" not in farmer.given:
        return
    entries = {
        text(entry, "connection", "node_id"): entry
        for entry in farmer.entries("get_harvesters_summary", "harvesters")
    }
    there = {entry.name: int(node in entries) for node, entry in known.items()}
    never_seen = set(names.values()) - {entry.address for entry in known.values()}
    there |= dict.fromkeys(never_seen, 0)
    for name, connected in sorted(there.items()):
        metrics.add("chia_farmer_harvester_connected", connected, harvester=name)
    for node, harvester in sorted((node, known[node].name) for node in entries if node in known):
        entry = entries[node]
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


def _add_keys(metrics: Metrics, farmer: Answers, wallet: Answers) -> bool:
    """Returns whether the farmer has no keys that it can use.

    Without keys it does not start to farm, and yet it answers, and harvesters connect to it.
    """
    loaded = None
    if "get_reward_targets" in farmer.given:
        loaded = True
    elif "farmer_target" in farmer.refused.get("get_reward_targets", ""):
        # The farmer learns its targets together with its keys; it names the one that it lacks.
        loaded = False
    metrics.add_known("chia_farmer_keys_loaded", loaded)
    keys = None
    if "get_public_keys" in wallet.given:
        locked = bool(wallet.number("get_public_keys", "keyring_is_locked"))
        found = wallet.given["get_public_keys"].get("public_key_fingerprints")
        keys = len(found) if isinstance(found, list) else 0 if locked else None
        metrics.add("chia_keyring_locked", locked)
        metrics.add_known("chia_keys", keys)
    return keys == 0 if loaded is None else not loaded


def _add_status(
    metrics: Metrics, node: Answers, farmer: Answers, node_asked: bool, without_keys: bool
) -> None:
    def answered(*keys: str) -> float | None:
        return node.number("get_blockchain_state", "blockchain_state", *keys)

    # As `chia farm summary` derives it, which does not see that keys are missing.
    if without_keys:
        status = "no_keys"
    elif not node_asked or answered("sync", "synced") is None:
        status = "unknown"
    elif answered("sync", "sync_mode"):
        status = "syncing"
    elif not answered("sync", "synced"):
        status = "not_synced"
    else:
        status = "farming" if "get_harvesters_summary" in farmer.given else "farmer_down"
    for known in _STATUSES:
        metrics.add("chia_farming_status", int(known == status), status=known)


def _add_expected_win(metrics: Metrics, node: Answers, farmer: Answers) -> None:
    entries = farmer.entries("get_harvesters_summary", "harvesters")
    effective = sum(number(entry, "total_effective_plot_size") or 0 for entry in entries)
    space = node.number("get_blockchain_state", "blockchain_state", "space")
    if effective and space:
        interval = node.number("get_blockchain_state", "blockchain_state", "average_block_time")
        seconds = (interval or BLOCK_SECONDS) * space / effective
        metrics.add("chia_expected_win_seconds", round(seconds, 1))


def main() -> int:
    """Write the metrics once. Returns an exit code of goplot.host.program."""
    options = program.parser("goplot-farmer-collector", __doc__).parse_args()
    tables = ("roots", "chia", "farmer_collector")
    return program.run("goplot-farmer-collector", options.settings, _once, tables)


def _once(settings: Settings) -> int:
    if settings.farmer_collector is None:
        raise SettingsError(f"{settings.path}: [farmer_collector] is missing; add that table")
    path = names_path(settings.roots.state)
    before = read_names(path)
    certificates = certificates_of(settings.chia.root, "farmer")
    metrics, known = collect(settings.farmer_collector, certificates, before)
    metrics.write(settings.roots.textfiles, "goplot_farmer")
    try:
        write_names(path, known, before)
    except OSError as error:
        # Metrics are right without it; after a restart, two behind one address may change names.
        _logger.warning("the names of harvesters can't be remembered: %s", error)
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
