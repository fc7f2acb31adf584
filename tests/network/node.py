"""The full node of the test farm: Chia's own simulator, with signage points.

Runs in the place of chia_full_node (tests/network/simulator.yml), by the Python that farms. Chia's
simulator makes blocks and no signage points, so no harvester would ever look a plot up: this feeds
it real ones, and makes a block for the farm's address now and then. What the farm's harvesters
find is thereby real too.

CHIA_ROOT is the node's own, FARM_ROOT that of the farmer, whose configuration, certificates and log
it takes, so that it answers like the full node that it stands for.
"""

import asyncio
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chia.protocols.full_node_protocol import RespondSignagePoint
from chia.server.signal_handlers import SignalHandlers
from chia.simulator.block_tools import BlockTools, get_signage_point, test_constants
from chia.simulator.simulator_protocol import FarmNewBlockProtocol
from chia.simulator.start_simulator import create_full_node_simulator_service
from chia.types.peer_info import PeerInfo
from chia.util.bech32m import decode_puzzle_hash
from chia.util.chia_logging import initialize_logging
from chia.util.config import load_config, lock_and_load_config, save_config
from chia.util.keychain import Keychain, generate_mnemonic
from chia_rs import BlockRecord
from chia_rs.sized_bytes import bytes32
from chia_rs.sized_ints import uint8

ROOT = Path(os.environ["CHIA_ROOT"])
FARM = Path(os.environ["FARM_ROOT"])
PLOTS = 3
PLOT_SIZE = 19
SECONDS_PER_SIGNAGE_POINT = 3
# While this file is there, the node is out of sync: Chia calls a simulator synced whatever happens.
OUT_OF_SYNC = ROOT / "out-of-sync"


async def main() -> None:
    """Runs until it is stopped."""
    config = _configuration()
    keychain = Keychain()
    if not keychain.get_all_public_keys():
        keychain.add_key(generate_mnemonic())
    (key,) = keychain.get_all_public_keys()
    tools = BlockTools(
        test_constants,
        ROOT,
        keychain=keychain,
        config_overrides={"simulator.use_current_time": True},
        automated_testing=False,
        plot_dir="simulator/plots",
    )
    await tools.setup_keys(fingerprint=key.get_fingerprint())
    await tools.setup_plots(
        num_og_plots=PLOTS,
        num_pool_plots=0,
        num_non_keychain_plots=0,
        num_v2_plots=0,
        plot_size=PLOT_SIZE,
    )
    initialize_logging("full_node", config["full_node"]["logging"], ROOT)
    service = await create_full_node_simulator_service(ROOT, tools.config, tools)
    async with SignalHandlers.manage() as handlers:
        await service.setup_process_global_state(signal_handlers=handlers)
        address = decode_puzzle_hash(config["farmer"]["xch_target_address"])
        _may_lose_sync(service._api.full_node)
        feeding = asyncio.create_task(_feed(service._api, address))
        feeding.add_done_callback(lambda _: service.stop_requested.set())
        await service.run()
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


def _configuration() -> dict[str, Any]:
    shutil.copytree(FARM / "config", ROOT / "config", dirs_exist_ok=True)
    (ROOT / "db").mkdir(exist_ok=True)
    with lock_and_load_config(ROOT, "config.yaml") as config:
        config["harvester"]["plot_directories"] = []
        config["full_node"]["logging"]["log_filename"] = str(FARM / "log/debug.log")
        save_config(ROOT, "config.yaml", config)
    saved: dict[str, Any] = load_config(ROOT, "config.yaml")
    return saved


def _may_lose_sync(node: Any) -> None:
    reported = node.synced

    async def synced(*arguments: Any) -> bool:
        return not OUT_OF_SYNC.exists() and bool(await reported(*arguments))

    node.synced = synced


async def _feed(api: Any, address: bytes32) -> None:
    """A block for the farm's address, the signage points that follow it, and again."""
    node = api.full_node
    # Chia bans who sends a bad point, unless it is on this machine.
    peer = SimpleNamespace(peer_node_id=bytes32.zeros, peer_info=PeerInfo("127.0.0.1", 0))
    while not node.initialized:
        await asyncio.sleep(0.1)
    while True:
        await api.farm_new_transaction_block(FarmNewBlockProtocol(address))
        peak = node.blockchain.get_peak()
        for index in range(peak.signage_point_index + 1, node.constants.NUM_SPS_SUB_SLOT):
            await asyncio.sleep(SECONDS_PER_SIGNAGE_POINT)
            # Proofs over numbers as small as the test constants' fail now and then, and there are
            # no points on top of the first block.
            with suppress(IndexError, RuntimeError):
                point = await asyncio.to_thread(_signage_point, node, peak, index)
                await api.respond_signage_point(point, peer)
        await asyncio.sleep(SECONDS_PER_SIGNAGE_POINT)


def _signage_point(node: Any, peak: BlockRecord, index: int) -> RespondSignagePoint:
    point = get_signage_point(
        node.constants,
        node.blockchain,
        peak,
        peak.ip_sub_slot_total_iters(node.constants),
        uint8(index),
        [],
        peak.sub_slot_iters,
    )
    return RespondSignagePoint(
        uint8(index), point.cc_vdf, point.cc_proof, point.rc_vdf, point.rc_proof
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
