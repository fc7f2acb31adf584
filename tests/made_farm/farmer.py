"""What the farmer collector of a made farm writes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tests.made_farm.machine import success, textfile
from tests.made_farm.series import PLOT, WEEK, Series, Value, counted, events, still, wave

_NETSPACE = 16.2 * 2**60
#: Wins, before the end of the history.
_WINS = [WEEK - days * 86400 for days in (6.4, 4.9, 2.2, 0.47)]
_BLOCK = 18.75
#: The heights of what the chain changes.
_EVENTS = {
    "hard_fork": 7_700_000,
    "v1_end": 8_875_040,
    "v1_filter_128": 10_542_000,
    "v1_filter_64": 15_592_000,
    "v1_filter_32": 20_643_000,
    "reward_halving": 10_091_520,
}


def farmer(host: str, plots: Mapping[str, Value], begin: float) -> Iterator[Series]:
    """The farmer of harvesters with so many plots."""
    for name, count in plots.items():
        yield from _harvester(f'{host},harvester="{name}"', count, begin)
    for service, up in (
        ("full_node", "chia_full_node_up"),
        ("farmer", "chia_farmer_up"),
        ("wallet", "chia_wallet_up"),
    ):
        yield Series(up, host, still(1))
        version = f'{host},service="{service}",version="2.7.5"'
        yield Series("chia_version_info", version, still(1))
        if service != "wallet":
            yield Series("chia_protocol_info", f'{version},protocol="0.0.38"', still(1))
    for protocol in ("0.0.36", "0.0.38"):
        yield Series("chia_farmer_served_protocol_info", f'{host},protocol="{protocol}"', still(1))
    for name, value in (
        ("chia_full_node_synced", 1),
        ("chia_full_node_difficulty", 11136),
        ("chia_farmer_keys_loaded", 1),
    ):
        yield Series(name, host, still(value))
    yield Series("chia_full_node_height", host, _height)
    yield from _chain(host)
    for kind, peers in (("full_node", 37), ("farmer", 1), ("wallet", 1)):
        yield Series("chia_peers", f'{host},service="full_node",type="{kind}"', still(peers))
    netspace = _steady(_NETSPACE)
    yield Series("chia_netspace_bytes", host, netspace)

    def expected(t: float) -> float:
        whole = sum(count(t) for count in plots.values()) * PLOT
        return _BLOCK * netspace(t) / whole

    yield Series("chia_expected_win_seconds", host, expected)
    yield from _wallet(host, begin)
    for status in ("farming", "syncing", "not_synced", "farmer_down", "no_keys", "unknown"):
        shown = float(status == "farming")
        yield Series("chia_farming_status", f'{host},status="{status}"', still(shown))
    yield from _pool(f'{host},pool="https://pool.example",launcher="0123456789abcdef"')
    for reason in ("answer", "partial_failed", "unreachable"):
        yield Series("chia_farmer_pool_errors_total", f'{host},reason="{reason}"', still(0))
    yield textfile(host, "goplot_farmer", begin)
    yield success(host, "farmer-collector", begin)


def _height(t: float) -> int:
    return 7_100_000 + int(t / _BLOCK)


def _chain(host: str) -> Iterator[Series]:
    """A chain whose hard fork is four months ahead."""
    for event, there in _EVENTS.items():
        labels = f'{host},event="{event}"'
        yield Series("chia_chain_event_set", labels, still(1))
        yield Series("chia_chain_event_height", labels, still(there))

        def left(t: float, there: int = there) -> float:
            return (there - _height(t)) * _BLOCK

        yield Series("chia_chain_event_seconds", labels, left)
    for days, ratio in (("0", 1.0), ("30", 1.0), ("90", 1.0), ("256", 0.5)):
        yield Series("chia_v1_win_ratio", f'{host},days="{days}"', still(ratio))


def _harvester(labels: str, count: Value, begin: float) -> Iterator[Series]:
    prefix = "chia_farmer_harvester_"
    yield Series(f"{prefix}connected", labels, still(1))
    yield Series(f"{prefix}plots", labels, count)
    for name in ("bytes", "effective_bytes"):
        yield Series(f"{prefix}{name}", labels, lambda t: count(t) * PLOT)
    for name in ("failed_plots", "missing_keys", "duplicates"):
        yield Series(f"{prefix}{name}", labels, still(0))
    last_sync = f"{prefix}last_sync_timestamp_seconds"
    yield Series(last_sync, labels, lambda t: begin + t - t % 3600)


def _steady(netspace: float) -> Value:
    return lambda t: netspace * (1 + 0.004 * math.sin(t / 19000) + 0.006 * t / WEEK)


def _wallet(host: str, begin: float) -> Iterator[Series]:
    wins = events(_WINS)
    for name, value in (("chia_wallet_synced", 1), ("chia_keys", 1), ("chia_keyring_locked", 0)):
        yield Series(name, host, still(value))
    yield Series("chia_farmed_mojo", host, lambda t: 11e12 + wins(t) * 1e12)
    yield Series("chia_farmed_blocks", host, lambda t: 11 + wins(t))
    yield Series("chia_full_node_farmed_blocks_total", host, wins)
    last = "chia_last_farmed_timestamp_seconds"

    def latest(t: float) -> float:
        return begin + max((win for win in _WINS if win <= t), default=-86400.0)

    yield Series(last, host, latest)


def _pool(labels: str) -> Iterator[Series]:
    for result, rate in (
        ("valid", 0.0047),
        ("stale", 0.00018),
        ("invalid", 0.00002),
        ("insufficient", 0),
        ("missing", 0),
    ):
        partials = counted(rate, 0.4, 5)
        name = "chia_pool_partials_total"

        def whole(t: float, partials: Value = partials) -> float:
            return float(int(partials(t)))

        yield Series(name, f'{labels},result="{result}"', whole)
    yield Series("chia_pool_points_acknowledged_24h", labels, wave(3420, 90, 8))
