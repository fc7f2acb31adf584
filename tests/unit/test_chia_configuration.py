"""What goplot sets in Chia's configuration, what it leaves alone, and what restarts for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.modules import load_module

chia = load_module("chia/module_utils/chia_configuration.py")


def config() -> dict[str, Any]:
    """The parts of Chia's configuration that matter here, with its shared mappings."""
    logging = {"log_level": "WARNING", "log_maxfilesrotation": 7}
    overrides: dict[str, dict[str, dict[str, Any]]] = {
        "constants": {"mainnet": {}},
        "config": {"mainnet": {}, "testnet11": {}},
    }
    shared = {
        "logging": logging,
        "network_overrides": overrides,
        "selected_network": "mainnet",
    }
    here = [{"host": "localhost", "port": 8444}]
    return {
        **shared,
        "self_hostname": "localhost",
        "daemon_port": 55400,
        "full_node": {**shared, "port": 8444},
        "farmer": {**shared, "port": 8447, "full_node_peers": here},
        "wallet": {**shared, "full_node_peers": here},
        "pool": {**shared},
        "ui": {**shared, "rpc_port": 8555},
        "harvester": {**shared, "num_threads": 30, "plot_directories": []},
    }


def wanted(**changes: Any) -> Any:
    return chia.Wanted(**{"network": "mainnet", "log_level": "WARNING", **changes})


def test_the_log_level_is_set_in_every_section_also_where_an_editor_made_copies() -> None:
    there = config()
    there["farmer"]["logging"] = dict(there["farmer"]["logging"])
    new = chia.configured(there, wanted(log_level="INFO"))
    for section in (new, new["farmer"], new["harvester"], new["ui"]):
        assert section["logging"]["log_level"] == "INFO"
    assert there["logging"]["log_level"] == "WARNING"


def test_a_full_node_elsewhere_and_back() -> None:
    elsewhere = chia.configured(config(), wanted(farms=True, full_node=("node1", 8444)))
    for section in ("farmer", "wallet"):
        assert elsewhere[section]["full_node_peers"] == [{"host": "node1", "port": 8444}]
    assert chia.concerned(config(), elsewhere) == ["farmer", "wallet"]
    assert chia.configured(elsewhere, wanted(farms=True)) == config()


def test_a_moved_full_node_port_is_followed_by_farmer_and_wallet() -> None:
    new = chia.configured(config(), wanted(farms=True, full_node_port=9444))
    assert new["full_node"]["port"] == 9444
    assert new["farmer"]["full_node_peers"] == [{"host": "localhost", "port": 9444}]


def test_a_host_that_does_not_farm_keeps_its_farmer_section() -> None:
    there = config()
    there["farmer"]["full_node_peers"] = [{"host": "mine", "port": 1}]
    assert chia.configured(there, wanted())["farmer"] == there["farmer"]


def test_an_unknown_network_is_refused_unless_the_settings_bring_it() -> None:
    with pytest.raises(
        ValueError, match="simulator0 is not one of Chia's networks: mainnet, testnet11"
    ):
        chia.configured(config(), wanted(network="simulator0"))
    settings = {"network_overrides": {"config": {"simulator0": {"address_prefix": "txch"}}}}
    new = chia.configured(config(), wanted(network="simulator0", settings=settings))
    assert new["harvester"]["selected_network"] == "simulator0"
    assert set(new["farmer"]["network_overrides"]["config"]) == {
        "mainnet",
        "testnet11",
        "simulator0",
    }


def test_folders_that_a_person_added_outside_of_the_root_stay() -> None:
    found = chia.plot_directories(
        ["/mnt/usb", "/farm/1/gone/plots", "/farm/1/a/plots"],
        ("/farm/1/a/plots", "/farm/2/b/plots"),
        "/farm",
    )
    assert found == ["/mnt/usb", "/farm/1/a/plots", "/farm/2/b/plots"]


def test_new_disks_restart_no_harvester() -> None:
    new = chia.configured(config(), wanted(plot_directories=("/farm/1/a/plots",)))
    assert new != config()
    assert chia.concerned(config(), new) == []


@pytest.mark.parametrize(
    ("change", "services"),
    [
        ({"harvester": {"num_threads": 8}}, ["harvester"]),
        ({"pool": {"xch_target_address": "xch1"}}, ["farmer"]),
        ({"ui": {"rpc_port": 1}}, []),
        ({"daemon_port": 1}, ["daemon", "full_node", "farmer", "wallet", "harvester"]),
        ({"logging": {"log_maxfilesrotation": 3}},
         ["daemon", "full_node", "farmer", "wallet", "harvester"]),
    ],
)  # fmt: skip
def test_what_changed_restarts_what_reads_it(change: dict[str, Any], services: list[str]) -> None:
    assert chia.concerned(config(), chia.configured(config(), wanted(settings=change))) == services


@given(
    st.dictionaries(
        st.sampled_from(["num_threads", "other", "new"]), st.integers() | st.booleans()
    ),
    st.sampled_from(["DEBUG", "INFO", "WARNING"]),
)
def test_a_second_run_changes_nothing(harvester: dict[str, Any], level: str) -> None:
    there = config()
    before = copy.deepcopy(there)
    asked = wanted(
        log_level=level,
        farms=True,
        plot_directories=("/farm/1/a/plots",),
        farmer_peers=(("farmer1", 8447),),
        settings={"harvester": harvester},
    )
    once = chia.configured(there, asked)
    assert there == before
    assert chia.configured(once, asked) == once
    assert list(chia.differences(once, chia.configured(once, asked))) == []
    assert once["harvester"].items() >= harvester.items()


def test_differences_name_what_changed() -> None:
    new = chia.configured(config(), wanted(settings={"harvester": {"num_threads": 8}}))
    assert list(chia.differences(config(), new)) == [("harvester.num_threads", 30, 8)]
