"""Queries to several services at the same time, independently of each other."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goplot.chia.rpc import Certificates, Rpc, RpcError, UnknownEndpointError
from goplot.host.settings import Address

#: Chia's NodeType, chia/protocols/outbound_message.py.
NODE_TYPES = {
    1: "full_node",
    2: "harvester",
    3: "farmer",
    4: "timelord",
    5: "introducer",
    6: "wallet",
    7: "data_layer",
    8: "solver",
}
#: What every service answers.
COMMON = ("get_connections", "get_version")
#: Arguments of endpoints; all others take none.
_ARGUMENTS = {"get_reward_targets": {"search_for_private_key": False}}
# Endpoints that Chia has since 2.7.2: an earlier release may lack them.
_LATE = frozenset({"get_constants"})


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one service by endpoint, the errors by endpoint, and what it can't answer."""

    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)

    @property
    def up(self) -> bool:
        """True when the service answered at least one query."""
        return bool(self.given)

    def number(self, endpoint: str, *keys: str) -> float | None:
        """A number or a boolean within an answer; None if missing."""
        return number(self.given.get(endpoint), *keys)

    def entries(self, endpoint: str, key: str) -> list[dict[str, Any]]:
        """A list of objects within an answer; empty if missing."""
        found = self.given.get(endpoint, {}).get(key)
        if not isinstance(found, list):
            return []
        return [entry for entry in found if isinstance(entry, dict)]


def number(document: object, *keys: str) -> float | None:
    """A finite number or a boolean under some keys; None if missing."""
    for key in keys:
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    if not isinstance(document, int | float):
        return None
    return None if document in (float("inf"), -float("inf")) or document != document else document


def text(document: object, *keys: str) -> str:
    """A text under some keys; empty if missing."""
    for key in keys:
        if not isinstance(document, dict):
            return ""
        document = document.get(key)
    return document if isinstance(document, str) else ""


def ask_all(
    questions: Mapping[str, tuple[Address, Sequence[str]]],
    certificates: Certificates,
    timeout: float,
) -> dict[str, Answers]:
    """Query all services; all together take no longer than about `timeout` seconds.

    What hangs beyond that is left behind: such a thread ends with the program. Certificates that
    can't be used leave every question without an answer.
    """
    try:
        clients = {
            name: Rpc(address.host, address.port, certificates, timeout)
            for name, (address, _) in questions.items()
        }
    except RpcError as error:
        return {
            name: Answers(refused=dict.fromkeys(endpoints, str(error)))
            for name, (_, endpoints) in questions.items()
        }
    answers = {name: Answers() for name in questions}
    threads = []
    for name, (_, endpoints) in questions.items():
        arguments = (clients[name], endpoints, answers[name])
        thread = threading.Thread(target=_ask, args=arguments, daemon=True)
        thread.start()
        threads.append(thread)
    end = time.monotonic() + timeout + 0.5
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    result = {}
    for name, (_, endpoints) in questions.items():
        # Copies: an abandoned thread may still write to its own.
        given, refused = dict(answers[name].given), dict(answers[name].refused)
        lacking = set(answers[name].lacking)
        for endpoint in endpoints:
            if endpoint not in given and endpoint not in lacking:
                refused.setdefault(endpoint, f"{name} did not answer {endpoint} in time")
        result[name] = Answers(given, refused, lacking)
    return result


def _ask(client: Rpc, endpoints: Sequence[str], answers: Answers) -> None:
    with client as rpc:
        for endpoint in endpoints:
            try:
                answers.given[endpoint] = rpc.ask(endpoint, _ARGUMENTS.get(endpoint))
            except RpcError as error:
                if endpoint in _LATE and isinstance(error, UnknownEndpointError):
                    answers.lacking.add(endpoint)
                    continue
                answers.refused[endpoint] = str(error)
