"""What `goplot farm` says of Chia's keys, refusals and versions. Pure."""

from collections.abc import Mapping, Sequence

from goplot.chia.versions import work_together


def keys_text(keys: float | None, *, locked: bool) -> str:
    """Why the farmer has no keys that it can use, and the cure; `keys` are in the keyring."""
    if locked:
        return (
            "the keyring is locked, and no service can ask for its passphrase: "
            "remove that with sudo goplot chia passphrase remove"
        )
    if keys:
        return (
            "the farmer can't use the keys of the keyring: it needs a private key and "
            "farmer.xch_target_address in config.yaml; sudo goplot keys lists them"
        )
    return (
        "the farmer has no keys: sudo goplot keys add reads your mnemonic; "
        "sudo goplot chia keys generate creates new ones"
    )


def refusals(refused: Sequence[tuple[str, str]], *, keys: float | None) -> list[str]:
    """What services that answer refused, each a service and an endpoint."""
    found = []
    # A wallet that started without a key does not load one that was added later.
    if keys and ("wallet", "get_sync_status") in refused:
        found.append("the wallet has loaded no key: systemctl restart chia-wallet")
        refused = [(service, endpoint) for service, endpoint in refused if service != "wallet"]
    return found + [
        f"the {_name(service)} refused {endpoint}: see its collector's journal"
        for service, endpoint in refused
    ]


def version_problems(running: Mapping[str, str]) -> list[str]:
    """Which of a host's services do not work with its farmer; `running` are versions by service."""
    farmer = running.get("farmer")
    return [
        f"the {_name(service)} runs Chia {running[service]}, the farmer {farmer}: no signage "
        "points pass between them. Install one release on all hosts and restart Chia"
        for service in ("full_node", "harvester")
        if farmer and service in running and not work_together(farmer, service, running[service])
    ]


def versions_text(running: Mapping[str, str]) -> str:
    """Each version with the services that run it."""
    services = {
        version: [_name(service) for service, own in running.items() if own == version]
        for version in running.values()
    }
    return "; ".join(f"{version} ({', '.join(names)})" for version, names in services.items())


def _name(service: str) -> str:
    return service.replace("_", " ")
