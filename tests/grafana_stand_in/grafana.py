#!/usr/bin/python3
"""A stand-in for Grafana, for tests: no real Grafana can be had where they run.

It starts as Grafana does (`grafana server --config=FILE cfg:default.paths.data=FOLDER`), reads
grafana.ini and the provisioning files of which goplot's role makes use, and answers those parts of
the HTTP API that goplot calls, as Grafana documents them. It is as inconvenient as Grafana is: it
refuses an address that is not an IP address, answers 503 at first, is healthy before it has
provisioned anything, and reads Prometheus through a plugin, a process of its own that is gone after
a start with updates of plugins left on. It keeps in its data folder what it is given, and has no
pages.
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
import ipaddress
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.grafana_stand_in.grafana_answers import Answers
else:
    # Where it is installed, its files lie in one folder and are not a package.
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from grafana_answers import Answers

Document = dict[str, Any]
VERSION = "13.2.1+stand-in"
#: Seconds after its start until it answers; a test that has to meet this time asks for more.
UNAVAILABLE = float(os.environ.get("STAND_IN_UNAVAILABLE", "1"))
#: Seconds after its start until it has provisioned.
UNPROVISIONED = UNAVAILABLE + 1


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


class Plugin:
    """The Prometheus datasource: a child process behind a socket in a temporary folder."""

    def __init__(self, program: Path) -> None:
        """Raises OSError when the program can't be started."""
        self._socket = Path(tempfile.mkdtemp(prefix="plugin"), "socket")
        self._process = subprocess.Popen([program, self._socket], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"listening\n":
            raise OSError(f"{program} ended with status {self._process.wait()}")

    def stop(self) -> None:
        """Ends with Grafana."""
        self._process.terminate()
        self._process.wait()

    def ask(self, source: Document) -> tuple[bool, str]:
        """Whether the datasource is healthy, and a message. Raises OSError without an answer."""
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rw") as file:
            connection.connect(str(self._socket))
            file.write(json.dumps(source) + "\n")
            file.flush()
            answer = file.readline()
        if not answer:
            raise OSError("the plugin does not answer")
        healthy, message = json.loads(answer)
        return bool(healthy), str(message)


class StandIn:
    """What Grafana knows: its settings, what is provisioned, and what it has received."""

    def __init__(self, config: Path, paths: dict[str, Path]) -> None:
        """Raises OSError or KeyError when a file that must be there is not."""
        self.settings = configparser.ConfigParser(interpolation=None)
        with config.open(encoding="utf-8") as file:
            self.settings.read_file(file)
        check_addresses(self.setting("server", "http_addr"), self.setting("server", "domain"))
        self.lock = RLock()
        self.provisioning = paths["provisioning"]
        self._file = paths["data"] / "stand-in.json"
        self.state = self._first_or_kept_state()
        self._started = time.monotonic()
        self.plugin = self._prometheus(paths["bundled_plugins"] / "prometheus/gpx_prometheus")

    def _prometheus(self, program: Path) -> Plugin | None:
        """The plugin; None if it was unloaded for an update that the vendor did not deliver."""
        updates = self.setting("plugins", "preinstall_auto_update", "true") == "true"
        if updates and self.setting("plugins", "preinstall_disabled", "false") != "true":
            return None
        return Plugin(program)

    def starts(self) -> bool:
        """Whether it does not answer yet."""
        return time.monotonic() < self._started + UNAVAILABLE

    @property
    def datasources(self) -> list[Document]:
        """The provisioned datasources."""
        return self._provisioned("datasources", "datasources")

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
        if time.monotonic() < self._started + UNPROVISIONED:
            return found
        for path in sorted((self.provisioning / folder).glob("*.y*ml")):
            document = unescaped(yaml.safe_load(path.read_text())) or {}
            found += document.get(key) or []
        return found

    def dashboards(self) -> dict[str, tuple[Document, str]]:
        """The dashboards in the providers' folders as they are now, with their folder, by uid."""
        found = {}
        for provider in self._provisioned("dashboards", "providers"):
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


class Server(ThreadingHTTPServer):
    """Listens on an address of either kind."""


def check_addresses(address: str, domain: str) -> None:
    """Ends the start as Grafana does, at an address that it can't listen on or make a URL of."""
    try:
        if address:
            ipaddress.ip_address(address)
    except ValueError:
        sys.exit(f"invalid IP address: {address}")
    if ":" in domain and not re.fullmatch(r"\[[0-9a-fA-F:.]+\]", domain):
        sys.exit(f"failed to parse root_url: invalid host {domain}")


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

    Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = Server((address, port), Handler)
    if known.setting("server", "protocol", "http") == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = (known.setting("server", name) for name in ("cert_file", "cert_key"))
        context.load_cert_chain(*files)
        # A client that says nothing holds up itself alone: each has a thread of its own.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    print(f"stand-in for Grafana listens on {address or 'all addresses'}, port {port}", flush=True)
    # systemd stops it with SIGTERM; the plugin ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    finally:
        if known.plugin:
            known.plugin.stop()


if __name__ == "__main__":
    main()
