"""The farm's certificates and web configurations: the modules' own code and real openssl."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.modules import load_module

NAMES = ["farmer1", "localhost", "127.0.0.1", "::1"]


tls_openssl = load_module("tls/module_utils/tls_openssl.py")
tls_web = load_module("tls/module_utils/tls_web.py")


class Runner:
    """What the code needs of an AnsibleModule."""

    def get_bin_path(self, name: str, required: bool) -> str:
        path = shutil.which(name)
        assert path
        return path

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def fail_json(self, msg: str) -> None:
        raise AssertionError(msg)


class Farm:
    """A CA and a host's key and certificate in a folder."""

    def __init__(self, folder: Path) -> None:
        self.openssl: Any = tls_openssl.OpenSsl(Runner())
        self.ca, self.ca_key = folder / "ca.crt", folder / "ca.key"
        self.certificate, self.key = folder / "host.crt", folder / "host.key"
        self.openssl.make_key(self.ca_key)
        self.ca.write_text(self.openssl.make_authority(self.ca_key))
        self.openssl.make_key(self.key)
        self.sign()

    def sign(self) -> None:
        request = self.openssl.request(self.key)
        signed = self.openssl.sign(request, NAMES, self.ca, self.ca_key)
        self.certificate.write_text(signed)

    def serves(self, names: list[str] = NAMES) -> bool:
        ca = self.ca.read_text()
        return bool(self.openssl.serves(self.certificate, self.key, ca, names))


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path)


def accepted(farm: Farm, name: str) -> bool:
    """Whether a client that trusts the CA accepts the certificate for a name."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(farm.certificate, farm.key)
    client = ssl.create_default_context(cafile=str(farm.ca))
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)

    def serve() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(ours, server_hostname=name).close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        ours.close()
        thread.join()
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_host_is_accepted_under_each_of_its_names(farm: Farm, name: str) -> None:
    assert accepted(farm, name)


def test_a_host_is_not_accepted_as_another(farm: Farm) -> None:
    assert not accepted(farm, "harvester1")


def test_keys_are_for_root_alone(farm: Farm) -> None:
    for key in (farm.key, farm.ca_key):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_certificate_is_kept_while_it_serves(farm: Farm) -> None:
    assert farm.serves()
    assert farm.serves([*reversed(NAMES)])


def test_another_name_another_key_another_ca_each_ask_for_a_new_one(
    farm: Farm, tmp_path: Path
) -> None:
    assert not farm.serves([*NAMES, "farm.example"])
    farm.openssl.make_key(farm.key)
    assert not farm.serves()
    farm.sign()
    assert farm.serves()
    farm.ca.write_text(farm.openssl.make_authority(farm.ca_key))
    assert not farm.serves()


def test_a_certificate_that_ends_soon_asks_for_a_new_one(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_openssl, "_HOST_DAYS", 89)
    farm.sign()
    assert not farm.serves()
    monkeypatch.setattr(tls_openssl, "_HOST_DAYS", 92)
    farm.sign()
    assert farm.serves()


def test_a_hosts_certificate_signs_nothing(farm: Farm, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    farm.openssl.make_key(other)
    request = farm.openssl.request(other)
    signed = farm.openssl.sign(request, ["farmer1"], farm.certificate, farm.key)
    farm.certificate.write_text(signed + farm.certificate.read_text())
    farm.key.write_text(other.read_text())
    assert not accepted(farm, "farmer1")


def test_the_hash_of_a_password_stays_while_the_password_does() -> None:
    first = tls_web.hashed("correct horse", None)
    assert first.startswith("$2b$10$")
    assert tls_web.hashed("correct horse", first) == first
    other = tls_web.hashed("battery staple", first)
    assert other != first
    assert tls_web.hashed("battery staple", other) == other


@given(st.dictionaries(st.text(min_size=1), st.just("$2b$10$" + "a" * 53)), st.booleans())
def test_users_are_read_as_they_were_written(users: dict[str, str], tls: bool) -> None:
    text = tls_web.rendered("/crt" if tls else None, "/key" if tls else None, users)
    assert tls_web.read_users(text) == users
