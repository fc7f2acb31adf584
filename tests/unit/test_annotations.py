"""Annotations: spooled with every plot, sent in order, lost never."""

import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from goplot.grafana import main, send_all
from goplot.host.annotations import spool_folder, waiting
from tests.support.farm_root import FarmRoot
from tests.support.jobs import reserve, run


class Grafana(HTTPServer):
    """Stands in for Grafana's annotation endpoint and keeps what it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.answer = 200

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers POST."""

    server: Grafana

    def do_POST(self) -> None:
        """Keep the body, answer as asked."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.append(self.headers["Authorization"])
        if self.server.answer == 200:
            self.server.received.append(body)
        self.send_response(self.server.answer)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    """A stand-in for Grafana that runs."""
    server = Grafana()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def speak_tls(grafana: Grafana, folder: Path) -> Path:
    """Let Grafana speak TLS. Returns its certificate."""
    key, crt = (folder / name for name in ("grafana.key", "grafana.crt"))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Grafana"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(crt)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    grafana.socket = context.wrap_socket(grafana.socket, server_side=True)
    return crt


def plot(root: FarmRoot, url: str) -> None:
    """Make a plot on a host that has a Grafana."""
    root.configure(more=f'[annotations]\nurl = "{url}"\n')
    assert run(root, reserve(root))


def test_start_and_stop_are_sent(root: FarmRoot, grafana: Grafana) -> None:
    plot(root, grafana.url)
    assert waiting(root.path / "state") == 2
    assert send_all(root.settings, "glsa_x") == 2
    assert waiting(root.path / "state") == 0
    start, stop = grafana.received
    assert start["tags"] == ["plot_start"]
    assert stop["tags"] == ["plot_stop"]
    assert "plot #1" in start["text"]
    assert "1/8 active" in start["text"]
    assert "0/8 active" in stop["text"]
    for words in ("farm 1", "disk disk1", "started 20", "total time"):
        assert words in stop["text"]
    assert start["time"] <= stop["time"]
    assert start["time"] > 1_600_000_000_000
    assert grafana.tokens == ["Bearer glsa_x", "Bearer glsa_x"]


def test_an_owner_chooses_further_tags(root: FarmRoot, grafana: Grafana) -> None:
    root.configure(more=f'[annotations]\nurl = "{grafana.url}"\ntags = ["garage", "k32"]\n')
    assert run(root, reserve(root))
    assert send_all(root.settings, None) == 2
    assert [one["tags"] for one in grafana.received] == [
        ["plot_start", "garage", "k32"],
        ["plot_stop", "garage", "k32"],
    ]


def test_an_absent_grafana_delays_no_plot_and_loses_nothing(
    root: FarmRoot, grafana: Grafana
) -> None:
    plot(root, "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"refused"):
        send_all(root.settings, None)
    assert waiting(root.path / "state") == 2
    root.configure(more=f'[annotations]\nurl = "{grafana.url}"\n')
    assert send_all(root.settings, None) == 2
    assert [one["tags"] for one in grafana.received] == [["plot_start"], ["plot_stop"]]


@pytest.mark.parametrize("answer", [401, 403, 404, 500, 503])
def test_what_grafana_does_not_take_now_waits(
    root: FarmRoot, grafana: Grafana, answer: int
) -> None:
    grafana.answer = answer
    plot(root, grafana.url)
    with pytest.raises(OSError, match=str(answer)):
        send_all(root.settings, "wrong")
    assert waiting(root.path / "state") == 2


def test_what_grafana_never_takes_is_put_aside(root: FarmRoot, grafana: Grafana) -> None:
    grafana.answer = 400
    plot(root, grafana.url)
    assert send_all(root.settings, None) == 0
    assert waiting(root.path / "state") == 0
    assert len(list(spool_folder(root.path / "state").glob("*.refused"))) == 2


def test_a_grafana_that_speaks_tls_is_known_by_its_ca(root: FarmRoot, grafana: Grafana) -> None:
    crt = speak_tls(grafana, root.path)
    url = grafana.url.replace("http:", "https:")
    plot(root, url)
    with pytest.raises(OSError, match="certificate verify failed"):
        send_all(root.settings, "glsa_x")
    root.configure(more=f'[annotations]\nurl = "{url}"\nca = "{crt}"\n')
    assert send_all(root.settings, "glsa_x") == 2
    assert grafana.tokens == ["Bearer glsa_x"] * 2


def test_the_ca_that_the_system_trusts_is_trusted(
    root: FarmRoot, grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    crt = speak_tls(grafana, root.path)
    plot(root, grafana.url.replace("http:", "https:"))
    monkeypatch.setenv("SSL_CERT_FILE", str(crt))
    assert send_all(root.settings, "glsa_x") == 2


def test_nothing_of_the_environment_changes_where_and_as_whom_is_asked(
    root: FarmRoot, grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.path / ".netrc").write_text("default login other password other\n")
    monkeypatch.setenv("HOME", str(root.path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    plot(root, grafana.url)
    assert send_all(root.settings, "glsa_x") == 2
    assert grafana.tokens == ["Bearer glsa_x"] * 2


def test_without_grafana_nothing_is_spooled(root: FarmRoot) -> None:
    assert run(root, reserve(root))
    assert not spool_folder(root.path / "state").exists()


def test_the_program_takes_its_token_from_the_credential(
    root: FarmRoot, grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot(root, grafana.url)
    (root.path / "grafana_token").write_text("glsa_secret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(root.path))
    monkeypatch.setattr("sys.argv", ["goplot-annotations", "--settings", str(root.settings_path)])
    assert main() == 0
    assert grafana.tokens == ["Bearer glsa_secret"] * 2


def test_what_a_clock_ahead_dated_is_sent_as_of_now(
    root: FarmRoot, grafana: Grafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: now + 400 * 86400)
        plot(root, grafana.url)
    assert send_all(root.settings, None) == 2
    for annotation in grafana.received:
        assert now * 1000 - 1 <= annotation["time"] <= time.time() * 1000
