#!/usr/bin/python3
"""A stand-in for Grafana, for tests: no real Grafana can be had where they run.

It starts as Grafana does (`grafana server --config=FILE cfg:default.paths.data=FOLDER`), reads
grafana.ini and the provisioning files of which goplot's role makes use, and answers those parts of
the HTTP API that goplot calls, as Grafana documents them. What people and programs tell it is kept
in its data folder. It shows no page.
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
import json
import os
import re
import secrets
import ssl
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.grafana_stand_in.grafana_answers import Answers
else:
    # Where it is installed, its files lie in one folder and are no package.
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from grafana_answers import Answers

Document = dict[str, Any]
VERSION = "13.2.0+stand-in"


def expanded(text: str) -> str:
    """A value of a configuration with `$__file{PATH}` replaced by that file's text."""
    return re.sub(r"\$__file\{([^}]*)\}", lambda found: Path(found[1]).read_text().strip(), text)


def unescaped(value: Any) -> Any:
    """A value of a provisioning file: `$NAME` is the environment's, `$$` is a dollar."""
    if isinstance(value, dict):
        return {key: unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    if isinstance(value, str):
        return "$".join(os.path.expandvars(expanded(part)) for part in value.split("$$"))
    return value


def hashed(secret: str) -> str:
    """A secret as it may be kept."""
    salt = secrets.token_hex(8)
    return f"{salt}:{hashlib.sha256((salt + secret).encode()).hexdigest()}"


def matches(secret: str, kept: str) -> bool:
    """Whether a secret is the one that was kept."""
    salt, digest = kept.split(":")
    return hmac.compare_digest(hashlib.sha256((salt + secret).encode()).hexdigest(), digest)


class StandIn:
    """What Grafana knows: its settings, what is provisioned, and what it has received."""

    def __init__(self, config: Path, paths: dict[str, Path]) -> None:
        """Raises OSError or KeyError when a file that must be there is not."""
        self.settings = configparser.ConfigParser(interpolation=None)
        with config.open(encoding="utf-8") as file:
            self.settings.read_file(file)
        self.lock = RLock()
        self.provisioning = paths["provisioning"]
        self._file = paths["data"] / "stand-in.json"
        self.state = self._first_or_kept_state()
        self.datasources = self._provisioned("datasources", "datasources")
        self.providers = self._provisioned("dashboards", "providers")

    def setting(self, section: str, key: str, default: str = "") -> str:
        """A setting, its `$__file{}` read."""
        return expanded(self.settings.get(section, key, fallback=default))

    def _first_or_kept_state(self) -> Document:
        """As Grafana: the password of the inventory counts at the first start only."""
        mark = hashlib.sha256(self.setting("security", "secret_key").encode()).hexdigest()
        if self._file.exists():
            kept: Document = json.loads(self._file.read_text())
            if kept["secret_key"] != mark:
                sys.exit("secret_key is not the one that this data was encrypted with")
            return kept
        state: Document = {"secret_key": mark, "next": 1, "annotations": [], "accounts": []}
        state["admin"] = hashed(self.setting("security", "admin_password", "admin"))
        self.state = state
        self.keep()
        return state

    def keep(self) -> None:
        """Write the state, whole or not at all."""
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(self.state))
        partial.replace(self._file)

    def next_id(self) -> int:
        """An id that nothing else has."""
        self.state["next"] += 1
        return int(self.state["next"]) - 1

    def _provisioned(self, folder: str, key: str) -> list[Document]:
        found: list[Document] = []
        for path in sorted((self.provisioning / folder).glob("*.y*ml")):
            document = unescaped(yaml.safe_load(path.read_text())) or {}
            found += document.get(key) or []
        return found

    def dashboards(self) -> dict[str, tuple[Document, str]]:
        """The dashboards in the providers' folders as they are now, with their folder, by uid."""
        found = {}
        for provider in self.providers:
            for path in sorted(Path(provider["options"]["path"]).rglob("*.json")):
                board = json.loads(path.read_text())
                found[board["uid"]] = (board, provider.get("folder", ""))
        return found

    def new_token(self) -> tuple[str, str]:
        """A service account's token, and what may be kept of it."""
        key = f"glsa_{secrets.token_urlsafe(24)}"
        return key, hashed(key)

    def is_admin(self, user: str, password: str) -> bool:
        """Whether this is the administrator."""
        name = self.setting("security", "admin_user", "admin")
        return user == name and matches(password, self.state["admin"])

    def set_password(self, password: str) -> None:
        """Keep another password of the administrator."""
        self.state["admin"] = hashed(password)
        self.keep()

    def account_of(self, token: str) -> Document | None:
        """The service account that a token belongs to."""
        for account in self.state["accounts"]:
            if any(matches(token, one["hash"]) for one in account["tokens"]):
                found: Document = account
                return found
        return None


def main() -> None:
    """`grafana server --config=FILE cfg:default.paths.NAME=FOLDER ...`."""
    words = dict(word.split("=", 1) for word in sys.argv[2:] if "=" in word)
    prefix = "cfg:default.paths."
    paths = {key[len(prefix) :]: Path(v) for key, v in words.items() if key.startswith(prefix)}
    known = StandIn(Path(words["--config"]), paths)
    address = known.setting("server", "http_addr")
    port = int(known.setting("server", "http_port", "3000"))

    class Handler(Answers):
        """Answers from what is known."""

        grafana = known
        version = VERSION

    server = ThreadingHTTPServer((address, port), Handler)
    if known.setting("server", "protocol", "http") == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = (known.setting("server", name) for name in ("cert_file", "cert_key"))
        context.load_cert_chain(*files)
        # A client that says nothing holds up itself alone: each has a thread of its own.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    print(f"stand-in for Grafana listens on {address or 'all addresses'}, port {port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
