"""The RPC client against a real TLS server, well and ill."""

import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3.connection

from goplot.chia.questions import ask_all
from goplot.chia.rpc import Certificates, Rpc, RpcError, certificates_of, check_certificates
from tests.support import rpc_server
from tests.support.rpc_server import COMMON, Answer, Server

TIMEOUT = 0.6


@pytest.fixture(scope="session")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return rpc_server.make_ca(tmp_path_factory.mktemp("ca") / "other")


def test_all_questions_on_one_connection(ca: Certificates) -> None:
    with (
        Server(ca, COMMON) as service,
        Rpc(service.address.host, service.address.port, ca, 5) as rpc,
    ):
        assert rpc.ask("get_version")["version"] == "2.7.5"
        with pytest.raises(RpcError, match="refused get_nothing: not known"):
            rpc.ask("get_nothing")
        assert len(rpc.ask("get_connections")["connections"]) == 3
        assert service.connections == 1


def test_another_farms_certificate_is_refused_by_both(
    ca: Certificates, other_ca: Certificates
) -> None:
    with Server(ca, COMMON) as service:
        address = service.address
        with Rpc(address.host, address.port, other_ca, 5) as rpc:
            with pytest.raises(RpcError, match="not of this farm's CA"):
                rpc.ask("get_version")
            with pytest.raises(RpcError, match="not of this farm's CA"):
                rpc.ask("get_version")
        # The CA is right, but the certificate is another farm's: the server must refuse it.
        mixed = replace(other_ca, ca=ca.ca)
        with Rpc(address.host, address.port, mixed, 5) as rpc, pytest.raises(RpcError):
            rpc.ask("get_version")
        assert service.asked == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (rpc_server.hang, "within 0.6 s"),
        (rpc_server.dribble, "within 0.6 s"),
        (rpc_server.die, "did not answer get_version"),
        (rpc_server.no_json, "not JSON"),
    ],
)
def test_a_service_that_is_ill_ends_in_time(ca: Certificates, answer: Answer, reason: str) -> None:
    with (
        Server(ca, {**COMMON, "get_version": answer}) as service,
        Rpc(service.address.host, service.address.port, ca, TIMEOUT) as rpc,
    ):
        begin = time.monotonic()
        with pytest.raises(RpcError, match=reason):
            rpc.ask("get_version")
        with pytest.raises(RpcError):
            rpc.ask("get_connections")
        assert time.monotonic() - begin < 3 * TIMEOUT
        assert service.asked == ["get_version"]


def test_an_ill_service_harms_only_its_own_answers(ca: Certificates) -> None:
    ill: dict[str, Answer] = {**COMMON, "get_version": rpc_server.dribble_head}
    with Server(ca, COMMON) as well, Server(ca, ill) as hung:
        questions = {
            "farmer": (hung.address, ("get_version", "get_connections")),
            "wallet": (well.address, ("get_connections", "get_version")),
        }
        begin = time.monotonic()
        answers = ask_all(questions, ca, TIMEOUT)
        assert time.monotonic() - begin < TIMEOUT + 2
    assert answers["wallet"].up
    assert answers["wallet"].refused == {}
    assert not answers["farmer"].up
    assert set(answers["farmer"].refused) == {"get_version", "get_connections"}


def test_certificates_as_chia_makes_them_are_accepted_also_by_newer_pythons(
    ca: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = urllib3.connection.create_urllib3_context

    def strict(*arguments: Any, **options: Any) -> ssl.SSLContext:
        """As urllib3 does from Python 3.13 on."""
        context = make(*arguments, **options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(urllib3.connection, "create_urllib3_context", strict)
    with Server(ca, COMMON) as service:
        answers = ask_all({"farmer": (service.address, ("get_version",))}, ca, TIMEOUT)
    assert answers["farmer"].refused == {}


def test_nothing_listens(ca: Certificates) -> None:
    with Server(ca, COMMON) as service:
        address = service.address
    answers = ask_all({"farmer": (address, ("get_version",))}, ca, TIMEOUT)
    assert "refused" in answers["farmer"].refused["get_version"]


def test_certificates_come_from_the_unit_or_from_chia(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    own = certificates_of(tmp_path, "farmer")
    assert own.key == tmp_path / "config/ssl/farmer/private_farmer.key"
    with pytest.raises(RpcError, match="certificates can't be used"):
        check_certificates(own)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    given = certificates_of(tmp_path, "farmer")
    assert [path.name for path in (given.certificate, given.key, given.ca)] == [
        "chia.crt",
        "chia.key",
        "chia_ca.crt",
    ]
