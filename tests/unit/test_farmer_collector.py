"""The farmer collector against services that answer as 2.7.5 does, well and ill."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from goplot.chia.rpc import Certificates
from goplot.collectors.farmer import collect
from goplot.host.textfile import read_samples
from tests.support import rpc_server
from tests.support.farmer import TIMEOUT, Farm, value
from tests.support.rpc_server import (
    CONSTANTS,
    STATE,
    harvester,
)


@pytest.fixture
def farm(ca: Certificates) -> Iterator[Farm]:
    with ExitStack() as stack:
        yield Farm(ca, stack)


def test_all_is_well(farm: Farm) -> None:
    samples = farm.collect()
    for service in farm.services:
        assert value(samples, f"chia_{service}_up") == 1
        assert farm.services[service].connections == 1
        assert value(samples, "chia_version_info", service=service, version="2.7.5") == 1
        assert value(samples, "chia_peers", service=service, type="full_node") == 2
    assert "chia_rpc_failed" not in samples
    assert value(samples, "chia_farming_status", status="farming") == 1
    assert sum(number for _, number in samples["chia_farming_status"]) == 1
    assert value(samples, "chia_netspace_bytes") == 20 * 2**60
    assert value(samples, "chia_full_node_sync_progress_ratio") == 1
    assert value(samples, "chia_full_node_height") == 5000000
    assert value(samples, "chia_farmed_mojo") == 2 * 10**12
    assert value(samples, "chia_last_farmed_height") == 4999000
    expected = 19 * 20 * 2**60 / (2 * 15130951)
    assert value(samples, "chia_expected_win_seconds") == pytest.approx(expected)


def test_protocols_and_those_that_the_farmer_serves(farm: Farm) -> None:
    farm.services["full_node"].answers["get_version"] = {"version": "2.7.3"}
    samples = farm.collect()
    found = {had["service"]: had["protocol"] for had, _ in samples["chia_protocol_info"]}
    assert found == {"full_node": "0.0.37", "farmer": "0.0.38"}
    served = {had["protocol"] for had, _ in samples["chia_farmer_served_protocol_info"]}
    assert served == {"0.0.36", "0.0.38"}
    farm.services["farmer"].answers["get_version"] = {"version": 7}
    samples = farm.collect()
    assert "chia_farmer_served_protocol_info" not in samples


def test_the_chains_clock(farm: Farm) -> None:
    samples = farm.collect()
    events = {had["event"]: number for had, number in samples["chia_chain_event_set"]}
    filters = dict.fromkeys(("v1_filter_128", "v1_filter_64", "v1_filter_32"), 1)
    assert events == {"hard_fork": 0, "v1_end": 0, **filters, "reward_halving": 1}
    assert value(samples, "chia_chain_event_height", event="reward_halving") == 5045760
    seconds = (10542000 - 5000000) * 18.75
    assert value(samples, "chia_chain_event_seconds", event="v1_filter_128") == seconds
    assert value(samples, "chia_chain_event_seconds", event="hard_fork") is None
    assert "chia_v1_win_ratio" not in samples
    constants = {**CONSTANTS["constants"], "HARD_FORK2_HEIGHT": 5000000 + 4608 * 60}
    farm.services["full_node"].answers["get_constants"] = {"constants": constants}
    samples = farm.collect()
    assert value(samples, "chia_chain_event_seconds", event="hard_fork") == 60 * 86400
    ratios = {had["days"]: number for had, number in samples["chia_v1_win_ratio"]}
    assert ratios == {"0": 1, "30": 1, "90": 225 / 256, "256": 59 / 256}


@pytest.mark.parametrize(
    "answer",
    [
        rpc_server.not_found,
        {"constants": []},
        {"constants": None},
        {"success": False, "error": "not now"},
    ],
)
def test_a_full_node_that_does_not_tell_its_constants(
    farm: Farm, answer: rpc_server.Answer
) -> None:
    farm.services["full_node"].answers["get_constants"] = answer
    samples = farm.collect()
    assert not [name for name in samples if name.startswith(("chia_chain", "chia_v1"))]
    assert value(samples, "chia_full_node_height") == 5000000
    assert value(samples, "chia_version_info", service="full_node", version="2.7.5") == 1
    # A release that has no such endpoint is not at fault.
    assert ("chia_rpc_failed" in samples) == (isinstance(answer, dict) and "error" in answer)


@pytest.mark.parametrize("endpoint", ["get_version", "get_blockchain_state"])
def test_an_endpoint_that_every_release_has_is_refused_when_it_is_not_found(
    farm: Farm, endpoint: str
) -> None:
    farm.services["full_node"].answers[endpoint] = rpc_server.not_found
    samples = farm.collect()
    assert value(samples, "chia_rpc_failed", service="full_node", endpoint=endpoint) == 1
    assert len(samples["chia_rpc_failed"]) == 1


def test_a_full_node_that_catches_up_passes_old_heights(farm: Farm) -> None:
    state = STATE["blockchain_state"]
    sync = {**state["sync"], "synced": False}  # type: ignore[dict-item]
    farm.services["full_node"].answers["get_blockchain_state"] = {
        "blockchain_state": {**state, "sync": sync}
    }
    assert "chia_chain_event_set" not in farm.collect()


def test_harvesters_have_their_names_also_those_that_are_gone(farm: Farm) -> None:
    samples = farm.collect()
    assert value(samples, "chia_farmer_harvester_connected", harvester="harvester1") == 1
    assert value(samples, "chia_farmer_harvester_connected", harvester="farmer1") == 1
    assert value(samples, "chia_farmer_harvester_connected", harvester="harvester2") == 0
    assert value(samples, "chia_farmer_harvester_plots", harvester="farmer1") == 9
    assert value(samples, "chia_farmer_harvester_plots", harvester="harvester2") is None
    for family, number in (("failed_plots", 2), ("missing_keys", 3), ("duplicates", 1)):
        found = value(samples, f"chia_farmer_harvester_{family}", harvester="harvester1")
        assert found == number


def test_two_harvesters_behind_one_address_and_one_that_loads(farm: Farm) -> None:
    loading = {"initial": True, "plot_files_processed": 3, "plot_files_total": 6}
    farm.services["farmer"].answers["get_harvesters_summary"] = {
        "harvesters": [
            harvester("10.77.1.13", "cc" * 32, syncing=loading),
            harvester("10.77.1.13", "aa" * 32),
            harvester("10.9.9.9", "dd" * 32),
        ]
    }
    samples = farm.collect()
    names = {had["harvester"] for had, _ in samples["chia_farmer_harvester_plots"]}
    assert names == {"harvester1", "harvester1/cccccccc", "10.9.9.9"}
    found = value(samples, "chia_farmer_harvester_loading_ratio", harvester="harvester1/cccccccc")
    assert found == 0.5
    assert value(samples, "chia_farmer_harvester_syncing", harvester="harvester1") == 0


def test_pools(farm: Farm) -> None:
    samples = farm.collect()
    labels = {"pool": "https://pool.example", "launcher": "ab" * 8}
    assert value(samples, "chia_pool_points_found_total", **labels) == 120
    assert value(samples, "chia_pool_points_acknowledged_24h", **labels) == 30
    assert value(samples, "chia_pool_errors_24h", **labels) == 1
    assert value(samples, "chia_pool_partials_total", **labels, result="valid") == 11


@pytest.mark.parametrize("service", ["full_node", "farmer", "wallet"])
@pytest.mark.parametrize(
    "ill", [rpc_server.hang, rpc_server.die, rpc_server.dribble_head, rpc_server.no_json]
)
def test_an_ill_service_harms_only_its_own_numbers(
    farm: Farm, service: str, ill: Callable[[rpc_server.Handler], None]
) -> None:
    for endpoint in farm.services[service].answers:
        farm.services[service].answers[endpoint] = ill
    begin = time.monotonic()
    samples = farm.collect()
    assert time.monotonic() - begin < TIMEOUT + 3
    for other in farm.services:
        assert value(samples, f"chia_{other}_up") == int(other != service)
    there = {
        "full_node": "chia_netspace_bytes",
        "farmer": "chia_farmer_harvester_plots",
        "wallet": "chia_farmed_mojo",
    }
    for other, name in there.items():
        assert (name in samples) == (other != service)
    status = {"full_node": "unknown", "farmer": "farmer_down", "wallet": "farming"}[service]
    assert value(samples, "chia_farming_status", status=status) == 1
    assert ("chia_expected_win_seconds" in samples) == (service == "wallet")


def test_one_refused_question_is_named_and_the_others_count(farm: Farm) -> None:
    del farm.services["wallet"].answers["get_farmed_amount"]
    samples = farm.collect()
    assert value(samples, "chia_wallet_up") == 1
    refused = {"service": "wallet", "endpoint": "get_farmed_amount"}
    assert value(samples, "chia_rpc_failed", **refused) == 1
    assert value(samples, "chia_wallet_synced") == 1
    assert "chia_farmed_mojo" not in samples


def test_a_farmer_without_keys_has_a_status_of_its_own(farm: Farm) -> None:
    samples = farm.collect()
    assert (value(samples, "chia_keys"), value(samples, "chia_keyring_locked")) == (1, 0)
    assert value(samples, "chia_farmer_keys_loaded") == 1
    assert value(samples, "chia_farming_status", status="no_keys") == 0
    farm.take_keys()
    samples = farm.collect()
    assert (value(samples, "chia_keys"), value(samples, "chia_keyring_locked")) == (0, 0)
    assert value(samples, "chia_farmer_keys_loaded") == 0
    assert value(samples, "chia_farming_status", status="no_keys") == 1
    assert sum(number for _, number in samples["chia_farming_status"]) == 1


_LOADED = {"farmer_target": "xch1"}
_NOT_LOADED = {"success": False, "error": "'Farmer' object has no attribute 'farmer_target'"}
_FOREIGN = {"success": False, "error": "not known"}
_SOME = {"keyring_is_locked": False, "public_key_fingerprints": [7]}
_NONE = {"keyring_is_locked": False, "public_key_fingerprints": []}


@pytest.mark.parametrize(
    ("targets", "keys", "missing"),
    [
        (_LOADED, _SOME, False),
        (_LOADED, _NONE, False),  # deleted while it runs, or the keyring of another host
        (_NOT_LOADED, _SOME, True),  # without a private key, or without a reward address
        (_NOT_LOADED, _NONE, True),
        (_NOT_LOADED, {"keyring_is_locked": True, "public_key_fingerprints": None}, True),
        (_NOT_LOADED, rpc_server.die, True),
        (_FOREIGN, _SOME, False),
        (_FOREIGN, _NONE, True),
        (_FOREIGN, {"keyring_is_locked": True}, True),
        (_FOREIGN, {"public_key_fingerprints": "odd"}, False),
        (rpc_server.die, _NONE, True),
        (rpc_server.die, rpc_server.die, False),
    ],
)
def test_keys_are_missing_as_the_farmer_says_or_else_the_wallet(
    farm: Farm, targets: rpc_server.Answer, keys: rpc_server.Answer, missing: bool
) -> None:
    farm.services["farmer"].answers["get_reward_targets"] = targets
    farm.services["wallet"].answers["get_public_keys"] = keys
    samples = farm.collect()
    assert value(samples, "chia_farming_status", status="no_keys") == missing


def test_what_is_not_asked_is_neither_up_nor_down(farm: Farm) -> None:
    assert "chia_wallet_up" not in farm.collect(wallet=False)
    assert farm.services["wallet"].asked == []


@pytest.mark.parametrize(
    ("sync", "status", "progress"),
    [
        (
            {"synced": False, "sync_mode": True, "sync_tip_height": 10, "sync_progress_height": 4},
            "syncing",
            0.4,
        ),
        ({"synced": False, "sync_mode": True, "sync_tip_height": 0}, "syncing", 0),
        ({"synced": False, "sync_mode": False}, "not_synced", None),
    ],
)
def test_syncing(farm: Farm, sync: dict[str, object], status: str, progress: float) -> None:
    state = {**STATE["blockchain_state"], "sync": sync, "peak": None, "space": 0}
    farm.services["full_node"].answers["get_blockchain_state"] = {"blockchain_state": state}
    samples = farm.collect()
    assert value(samples, "chia_farming_status", status=status) == 1
    assert value(samples, "chia_full_node_sync_progress_ratio") == progress
    assert "chia_full_node_height" not in samples
    assert "chia_netspace_bytes" not in samples


@pytest.mark.parametrize("odd", [None, [], "text", 7, {"harvesters": [7, None, {}]}, [[1]]])
def test_answers_of_another_shape_raise_nothing(farm: Farm, odd: object) -> None:
    for service in farm.services.values():
        for endpoint in service.answers:
            keys = ("blockchain_state", "harvesters", "pool_state", "connections", "farmed_amount")
            service.answers[endpoint] = dict.fromkeys(keys, odd)
    samples = farm.collect()
    assert value(samples, "chia_farmer_up") == 1


def test_unusable_certificates_leave_all_down(farm: Farm) -> None:
    nowhere = Certificates(*[farm.ca.key.with_name("none")] * 3)
    samples = read_samples(collect(farm.settings(), nowhere, {})[0].render())
    assert [value(samples, f"chia_{name}_up") for name in farm.services] == [0, 0, 0]
