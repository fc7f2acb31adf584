"""A farmer's services, and what its collector makes of them."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack

from goplot.chia.rpc import Certificates
from goplot.collectors.farmer import collect
from goplot.collectors.harvester_names import Known
from goplot.host.settings import FarmerSettings
from goplot.host.textfile import Samples, read_samples
from tests.support.farm_root import FarmRoot
from tests.support.rpc_server import (
    COMMON,
    CONSTANTS,
    FARMED,
    KEYS,
    NO_PLOTS,
    POOLS,
    STATE,
    TARGETS,
    Answer,
    Server,
    Service,
    harvester,
)

TIMEOUT = 2.0
NAMES = {"10.77.1.13": "harvester1", "127.0.0.1": "farmer1", "10.77.1.14": "harvester2"}


def give_certificates(root: FarmRoot, ca: Certificates, service: str) -> None:
    """Put a service's certificates where Chia has them."""
    folder = root.path / "chia" / "config" / "ssl"
    (folder / service).mkdir(parents=True)
    (folder / "ca").mkdir(exist_ok=True)
    shutil.copy(ca.certificate, folder / service / f"private_{service}.crt")
    shutil.copy(ca.key, folder / service / f"private_{service}.key")
    shutil.copy(ca.ca, folder / "ca" / "private_ca.crt")


class Farm:
    """Three services and what the collector makes of them."""

    def __init__(self, ca: Certificates, stack: ExitStack) -> None:
        self.ca = ca
        self.known: Mapping[str, Known] = {}
        summary = {
            "harvesters": [
                harvester("10.77.1.13", "aa" * 32),
                harvester("::1", "bb" * 32, plots=9),
            ]
        }
        answers: dict[str, dict[str, Answer]] = {
            "full_node": {"get_blockchain_state": STATE, "get_constants": CONSTANTS, **COMMON},
            "farmer": {
                "get_harvesters_summary": summary,
                "get_pool_state": POOLS,
                "get_reward_targets": TARGETS,
                **COMMON,
            },
            "wallet": {
                "get_public_keys": KEYS,
                "get_farmed_amount": FARMED,
                "get_sync_status": {"synced": True, "syncing": False},
                **COMMON,
            },
        }
        self.services: dict[str, Service] = {
            name: stack.enter_context(Server(ca, table)) for name, table in answers.items()
        }

    def take_keys(self) -> None:
        """Let the farmer have no keys: what 2.7.5 answers then."""
        missing = "'Farmer' object has no attribute 'farmer_target_encoded'"
        farmer, wallet = self.services["farmer"].answers, self.services["wallet"].answers
        farmer["get_reward_targets"] = {"success": False, "error": missing}
        farmer["get_pool_state"] = {"pool_state": []}
        farmer["get_harvesters_summary"] = {
            "harvesters": [
                harvester(host, node * 32, 0, **NO_PLOTS)
                for host, node in (("10.77.1.13", "aa"), ("127.0.0.1", "bb"), ("10.77.1.14", "cc"))
            ]
        }
        wallet["get_public_keys"] = {"keyring_is_locked": False, "public_key_fingerprints": []}
        for endpoint in ("get_farmed_amount", "get_sync_status"):
            wallet[endpoint] = {"success": False, "error": "wallet state manager not assigned"}

    def settings(self, *, wallet: bool = True) -> FarmerSettings:
        """Settings that name these services."""
        addresses = {name: service.address for name, service in self.services.items()}
        return FarmerSettings(
            addresses["full_node"],
            addresses["farmer"],
            addresses["wallet"] if wallet else None,
            TIMEOUT,
            NAMES,
        )

    def collect(self, *, wallet: bool = True) -> Samples:
        """One run, which goes on with the names of the last one."""
        metrics, self.known = collect(self.settings(wallet=wallet), self.ca, self.known)
        return read_samples(metrics.render())


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """The one sample with exactly these labels; None when there is none."""
    found = [value for had, value in samples.get(name, []) if had == labels]
    assert len(found) < 2
    return found[0] if found else None
