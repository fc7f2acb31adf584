"""A Chia service as its RPC client sees it: TLS with the farm's CA, answers as in 2.7.5."""

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from goplot.chia.rpc import Certificates
from goplot.host.settings import Address

#: What an endpoint answers: a document, or what it does with its connection.
Answer = Mapping[str, Any] | Callable[["Handler"], None]


def make_ca(folder: Path) -> Certificates:
    """A CA of its own with one certificate, as `chia init` makes them.

    The name is chia.net, and there is no authority key identifier.
    """
    folder.mkdir(parents=True)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "rsa:2048", "-nodes", "-keyout")
    openssl("req", "-x509", *key, "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=Chia CA")
    openssl("req", *key, "a.key", "-out", "a.csr", "-subj", "/CN=Chia/OU=Organic Farming Division")
    (folder / "ext").write_text("subjectAltName=DNS:chia.net\nauthorityKeyIdentifier=none\n")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    openssl("x509", "-req", "-in", "a.csr", *signing, "-extfile", "ext", "-out", "a.crt")
    return Certificates(folder / "a.crt", folder / "a.key", folder / "ca.crt")


@dataclass
class Service:
    """A running service: `connections` counts those made to it."""

    address: Address
    answers: dict[str, Answer]
    asked: list[str]
    connections: int = 0


class Handler(BaseHTTPRequestHandler):
    """Answers from the service's table."""

    protocol_version = "HTTP/1.1"
    service: Service
    stopping: threading.Event

    def setup(self) -> None:
        """Count a connection."""
        super().setup()
        self.service.connections += 1

    def do_POST(self) -> None:
        """Answer one question."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        endpoint = self.path[1:]
        self.service.asked.append(endpoint)
        answer = self.service.answers.get(endpoint, {"success": False, "error": "not known"})
        if callable(answer):
            answer(self)
            return
        body = json.dumps({"success": True, **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.stopping.wait()
    handler.close_connection = True


def die(handler: Handler) -> None:
    """End in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"success": true, ')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def not_found(handler: Handler) -> None:
    """Answer as Chia does to an endpoint that it does not have."""
    text = b"404: Not Found"
    handler.send_response(404)
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)


def dribble(handler: Handler) -> None:
    """Answer one byte at a time, without an end."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    try:
        while not handler.stopping.wait(0.05):
            handler.wfile.write(b" ")
    except OSError:
        handler.close_connection = True


def dribble_head(handler: Handler) -> None:
    """The same before the answer's body begins."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not handler.stopping.wait(0.05):
            handler.wfile.write(b"x")
    except OSError:
        handler.close_connection = True


def no_json(handler: Handler) -> None:
    """Something else than JSON."""
    handler.send_response(200)
    handler.send_header("Content-Length", "4")
    handler.end_headers()
    handler.wfile.write(b"oops")


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class Server:
    """A context in which a service answers."""

    def __init__(self, certificates: Certificates, answers: Mapping[str, Answer]) -> None:
        """`answers` by endpoint; they may be changed while it runs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        context.load_verify_locations(certificates.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self._stopping = threading.Event()

        class Bound(Handler):
            stopping = self._stopping

        self._server = _QuietServer(("127.0.0.1", 0), Bound)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        port = self._server.server_address[1]
        self.service = Service(Address("127.0.0.1", port), dict(answers), [])
        Bound.service = self.service
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Service:
        """Serve."""
        self._thread.start()
        return self.service

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


STATE = {
    "blockchain_state": {
        "peak": {"height": 5000000},
        "sync": {
            "synced": True,
            "sync_mode": False,
            "sync_tip_height": 0,
            "sync_progress_height": 0,
        },
        "difficulty": 12000,
        "space": 20 * 2**60,
        "average_block_time": 19,
        "mempool_size": 12,
    }
}
#: What 2.7.5 answers on mainnet, of what goplot reads.
CONSTANTS = {
    "constants": {
        "DIFFICULTY_CONSTANT_FACTOR": 2**67,
        "EPOCH_BLOCKS": 4608,
        "HARD_FORK_HEIGHT": 5496000,
        "HARD_FORK2_HEIGHT": 0xFFFFFFFA,
        "PLOT_V1_PHASE_OUT_EPOCH_BITS": 8,
        "PLOT_FILTER_128_HEIGHT": 10542000,
        "PLOT_FILTER_64_HEIGHT": 15592000,
        "PLOT_FILTER_32_HEIGHT": 20643000,
        "TESTNET": False,
    }
}
COMMON: dict[str, Answer] = {
    "get_version": {"version": "2.7.5"},
    "get_connections": {
        "connections": [
            {"type": 1, "peer_host": "10.0.0.1"},
            {"type": 1, "peer_host": "10.0.0.2"},
            {"type": 3, "peer_host": "127.0.0.1"},
        ]
    },
}


def harvester(host: str, node: str, plots: int = 4, **more: object) -> dict[str, object]:
    """One entry of get_harvesters_summary."""
    return {
        "connection": {"host": host, "node_id": f"0x{node}", "port": 1},
        "duplicates": 1,
        "failed_to_open_filenames": 2,
        "no_key_filenames": 3,
        "harvesting_mode": 1,
        "last_sync_time": 1795366893.5,
        "plots": plots,
        "syncing": None,
        "total_plot_size": 15335435,
        "total_effective_plot_size": 15130951,
        **more,
    }


#: Of a harvester that waits for the farmer's keys.
NO_PLOTS: dict[str, object] = {
    "duplicates": 0,
    "failed_to_open_filenames": 0,
    "no_key_filenames": 0,
    "harvesting_mode": None,
    "last_sync_time": None,
    "total_plot_size": 0,
    "total_effective_plot_size": 0,
}
KEYS = {"keyring_is_locked": False, "public_key_fingerprints": [1214933061]}
TARGETS = {"farmer_target": "xch1kk8wyxj5tda7", "pool_target": "xch1kk8wyxj5tda7"}
POOLS = {
    "pool_state": [
        {
            "pool_config": {"pool_url": "https://pool.example", "launcher_id": "0x" + "ab" * 32},
            "plot_count": 7,
            "current_difficulty": 10,
            "points_found_since_start": 120,
            "points_acknowledged_since_start": 110,
            "points_acknowledged_24h": [[1795366893.5, 10], [1795366894.5, 20]],
            "pool_errors_24h": [[1795366893.5, {"error_code": 5}]],
            "valid_partials_since_start": 11,
            "stale_partials_since_start": 1,
        }
    ]
}
FARMED = {
    "farmed_amount": 2 * 10**12,
    "blocks_won": 1,
    "last_height_farmed": 4999000,
    "last_time_farmed": 1795300000,
}
