"""What all services tell alike, as metrics."""

from collections import Counter
from collections.abc import Mapping

from goplot.chia.questions import NODE_TYPES, Answers, text
from goplot.host.textfile import Metrics


def add_services(metrics: Metrics, answers: Mapping[str, Answers]) -> None:
    """`_up`, version, peers and failed questions of every service that was asked."""
    for name, answer in answers.items():
        metrics.gauge(f"chia_{name}_up", f"1 when the {name}'s RPC answers.", int(answer.up))
    metrics.family("chia_rpc_failed", "gauge", "1 for each question that found no answer.")
    metrics.family("chia_version_info", "gauge", "Version of a running service.")
    metrics.family("chia_peers", "gauge", "Connections of a service by the peer's type.")
    for name, answer in answers.items():
        for endpoint in sorted(answer.refused):
            metrics.sample("chia_rpc_failed", 1, {"service": name, "endpoint": endpoint})
        version = text(answer.given.get("get_version"), "version")
        if version:
            metrics.sample("chia_version_info", 1, {"service": name, "version": version})
        if "get_connections" in answer.given:
            for kind, count in sorted(peers(answer).items()):
                metrics.sample("chia_peers", count, {"service": name, "type": kind})


def peers(answer: Answers) -> Counter[str]:
    """Connections by type."""
    found = answer.entries("get_connections", "connections")
    kinds = [entry.get("type") for entry in found]
    return Counter(
        NODE_TYPES.get(kind, "other") if isinstance(kind, int) else "other" for kind in kinds
    )
