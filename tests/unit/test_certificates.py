"""When certificates end: read by goplot, against what their maker states."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from goplot.collectors.certificates import collect, expiry
from goplot.host.textfile import read_samples

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
BEGIN = datetime(1951, 1, 1, tzinfo=UTC)
# Before 2050 an end is written in two digits of the year, from 2050 on in four.
ENDS = st.datetimes(datetime(1951, 1, 2), datetime(2200, 1, 1)).map(
    lambda end: end.replace(microsecond=0, tzinfo=UTC)
)
# Each example starts openssl once or more.
READ_BY_OPENSSL = settings(max_examples=25)


def pem(end: datetime, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = EC) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "é" * 30)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, BEGIN, end)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@READ_BY_OPENSSL
@given(ENDS, st.sampled_from([EC, RSA]))
def test_the_end_is_what_its_maker_said(
    end: datetime, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    assert expiry(pem(end, key)) == end.timestamp()


@READ_BY_OPENSSL
@given(st.lists(ENDS, min_size=1, max_size=3))
def test_a_chain_ends_with_the_first_of_it(ends: list[datetime]) -> None:
    text = "a line for people\n".join(map(pem, ends))
    assert expiry(text) == min(ends).timestamp()


def test_every_certificate_has_its_name(tmp_path: Path) -> None:
    soon = datetime(2027, 1, 1, tzinfo=UTC)
    (tmp_path / "tls_host").write_text(pem(soon))
    (tmp_path / "chia_ca").write_text(pem(soon + timedelta(days=1)))
    samples = read_samples(collect(tmp_path).render())
    assert samples["goplot_certificate_expiry_timestamp_seconds"] == [
        ({"certificate": "chia_ca"}, soon.timestamp() + 86400),
        ({"certificate": "tls_host"}, soon.timestamp()),
    ]
    assert "goplot_last_success_timestamp_seconds" in samples


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----", pem(BEGIN.replace(2030))[:99]])
def test_what_is_no_certificate_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tls_host").write_text(text)
    with pytest.raises(ValueError, match="tls_host: it contains no certificate"):
        collect(tmp_path)


@READ_BY_OPENSSL
@given(st.binary(max_size=400))
def test_what_is_broken_is_refused(data: bytes) -> None:
    body = base64.b64encode(data).decode()
    text = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    with pytest.raises(ValueError, match="certificate"):
        expiry(text)
