"""The text of an exporter's web configuration, and the hashes of the passwords in it."""

from __future__ import annotations

import ctypes
import hmac
import json
import re
from collections.abc import Mapping

LONGEST = 72
"""Bytes of a password that bcrypt uses."""
_COST = 10
_USER = re.compile(r'^  ("(?:[^"\\]|\\.)+"): "([^"]+)"$', re.MULTILINE)


def hashed(password: str, stored: str | None) -> str:
    """The bcrypt hash of a password: the stored one if it matches.

    Uses libcrypt, which every Debian and Ubuntu has: Python 3.13 has no crypt module.
    """
    crypt = ctypes.CDLL("libcrypt.so.1")
    crypt.crypt.restype = ctypes.c_char_p
    crypt.crypt_gensalt.restype = ctypes.c_char_p
    secret = password.encode()
    if stored and hmac.compare_digest(crypt.crypt(secret, stored.encode()) or b"", stored.encode()):
        return stored
    salt = crypt.crypt_gensalt(b"$2b$", ctypes.c_ulong(_COST), None, 0)
    text: bytes = crypt.crypt(secret, salt)
    return text.decode()


def read_users(text: str) -> dict[str, str]:
    """Hash by user from a configuration that `rendered` wrote."""
    _, _, users = text.partition("basic_auth_users:\n")
    return {json.loads(user): hashed for user, hashed in _USER.findall(users)}


def rendered(certificate: str | None, key: str | None, hashes: Mapping[str, str]) -> str:
    """The configuration, YAML."""
    lines = ["# Ansible managed"]
    if certificate:
        lines += ["tls_server_config:", f"  cert_file: {certificate}", f"  key_file: {key}"]
    if hashes:
        lines += ["basic_auth_users:"]
        lines += [f'  {json.dumps(user)}: "{hashes[user]}"' for user in sorted(hashes)]
    return "\n".join(lines) + "\n"
