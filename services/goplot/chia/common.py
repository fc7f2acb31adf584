"""The metrics that all services have in common."""

from collections import Counter
from collections.abc import Mapping

from goplot.chia.questions import NODE_TYPES, Answers, text
from goplot.chia.versions import SERVICES, protocol_of, served_by
from goplot.host.textfile import Metrics

_UP = {
    "full_node": "chia_full_node_up",
    "farmer": "chia_farmer_up",
    "wallet": "chia_wallet_up",
    "harvester": "chia_harvester_up",
}


def add_services(metrics: Metrics, answers: Mapping[str, Answers]) -> None:
    """Whether each queried service is up, its version, peers and failed queries."""
    for name, answer in answers.items():
        metrics.add(_UP[name], int(answer.up))
        for endpoint in sorted(answer.refused):
            metrics.add("chia_rpc_failed", 1, service=name, endpoint=endpoint)
        version = text(answer.given.get("get_version"), "version")
        if version:
            metrics.add("chia_version_info", 1, service=name, version=version)
        if version and name in SERVICES:
            protocol = protocol_of(version)
            labels = {"service": name, "version": version, "protocol": protocol}
            metrics.add("chia_protocol_info", 1, **labels)
        if version and name == "farmer":
            for protocol in served_by(version):
                metrics.add("chia_farmer_served_protocol_info", 1, protocol=protocol)
        if "get_connections" in answer.given:
            for kind, count in sorted(peers(answer).items()):
                metrics.add("chia_peers", count, service=name, type=kind)


def peers(answer: Answers) -> Counter[str]:
    """Connections by type."""
    found = answer.entries("get_connections", "connections")
    kinds = [entry.get("type") for entry in found]
    return Counter(
        NODE_TYPES.get(kind, "other") if isinstance(kind, int) else "other" for kind in kinds
    )
