"""goplot farm: what it tells where it may ask, and where it reads what the collectors wrote."""

import json
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from goplot.chia.rpc import Certificates
from goplot.cli import main
from goplot.harvester_log.metrics import Sight, metrics_of
from goplot.harvester_log.tally import Counting, Tally
from tests.support import rpc_server
from tests.support.farm_root import FarmRoot
from tests.support.farmer import Farm
from tests.support.log_samples import NOW
from tests.support.rpc_server import harvester


def give_certificates(root: FarmRoot, ca: Certificates, service: str) -> None:
    """Put a service's certificates where Chia has them."""
    folder = root.path / "chia" / "config" / "ssl"
    (folder / service).mkdir(parents=True)
    (folder / "ca").mkdir(exist_ok=True)
    shutil.copy(ca.certificate, folder / service / f"private_{service}.crt")
    shutil.copy(ca.key, folder / service / f"private_{service}.key")
    shutil.copy(ca.ca, folder / "ca" / "private_ca.crt")


def configure(root: FarmRoot, farm: Farm) -> None:
    """Settings with a farmer collector."""
    settings = farm.settings()
    addresses = "\n".join(
        f'{name} = "{service.address.host}:{service.address.port}"'
        for name, service in farm.services.items()
    )
    names = ", ".join(f'"{host}" = "{name}"' for host, name in settings.harvesters.items())
    root.configure(
        more=f'[chia]\nroot = "{root.path / "chia"}"\n[farmer_collector]\n{addresses}\n'
        f"timeout_seconds = 1\nharvesters = {{{names}}}\n"
    )


def goplot(root: FarmRoot, *arguments: str) -> int:
    """Run goplot farm in this process."""
    return main(["farm", *arguments, "--settings", str(root.settings_path)])


def well(farm: Farm) -> None:
    """Let all harvesters be there without a fault."""
    faultless = {"duplicates": 0, "failed_to_open_filenames": 0, "no_key_filenames": 0}
    farm.services["farmer"].answers["get_harvesters_summary"] = {
        "harvesters": [
            harvester(host, node * 32, **faultless)
            for host, node in (("10.77.1.13", "aa"), ("127.0.0.1", "bb"), ("10.77.1.14", "cc"))
        ]
    }


def write_log_metrics(root: FarmRoot, line: bytes = NOW) -> Path:
    """What harvester-log writes of one line."""
    counting = Counting(Tally())
    now = time.time()
    counting.add(line + b"\n", now)
    metrics = metrics_of(counting.tally, Sight(True, now - 999, 300, 0, 0), now)
    metrics.write(root.path / "textfiles", "goplot_harvester_log")
    return root.path / "textfiles" / "goplot_harvester_log.prom"


def test_asks_where_it_may(
    root: FarmRoot, ca: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        well(farm)
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        write_log_metrics(root)
        assert goplot(root) == 0
        text = capsys.readouterr().out
        assert goplot(root, "--json") == 0
        document = json.loads(capsys.readouterr().out)
    assert "PROBLEMS" not in text
    assert "farming status farming" in " ".join(text.split())
    assert "2 XCH in 1 blocks" in text
    assert "height 4999000" in text
    assert "4 of 4 eligible" in text
    rows = [line.split() for line in text.splitlines() if " connected " in line]
    assert [row[0] for row in rows] == ["farmer1", "harvester1", "harvester2"]
    assert document["status"] == "farming"
    assert document["services"] == {"full_node": True, "farmer": True, "wallet": True}
    assert [entry["plots"] for entry in document["harvesters"]] == [4, 4, 4]
    assert document["log"]["state"] == "ok"
    assert document["pools"][0]["points_24h"] == 30


def test_problems_are_named(
    root: FarmRoot, ca: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        farm.services["full_node"].answers["get_blockchain_state"] = rpc_server.die
        farm.services["full_node"].answers["get_version"] = rpc_server.die
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        write_log_metrics(root, b"2026-11-22T17:01:33.290 harvester a: WARNING  slow")
        assert goplot(root, "--json") == 3
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems[0] == "not farming: the full node does not answer"
    assert "the full node does not answer" in problems
    assert "harvester harvester2 is not connected to the farmer" in problems
    assert "harvester harvester1 has 2 plots that can't be opened" in problems
    assert any("has no INFO lines" in problem for problem in problems)


def test_reads_what_the_collectors_wrote_and_says_how_old_it_is(
    root: FarmRoot,
    ca: Certificates,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from goplot.collectors.farmer import main as collect

    with ExitStack() as stack:
        farm = Farm(ca, stack)
        well(farm)
        configure(root, farm)
        credentials = root.path / "credentials"
        credentials.mkdir()
        for path, name in ((ca.certificate, "chia.crt"), (ca.key, "chia.key")):
            shutil.copy(path, credentials / name)
        shutil.copy(ca.ca, credentials / "chia_ca.crt")
        with monkeypatch.context() as patch:
            patch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
            patch.setattr("sys.argv", ["x", "--settings", str(root.settings_path)])
            assert collect() == 0
    assert goplot(root) == 0
    assert "farming status farming" in " ".join(capsys.readouterr().out.split())
    written = root.path / "textfiles" / "goplot_farmer.prom"
    assert written.stat().st_mode & 0o777 == 0o644
    os.utime(written, (time.time() - 600, time.time() - 600))
    assert goplot(root) == 3
    assert "goplot_farmer.prom is 10m00s old" in capsys.readouterr().out
    os.utime(written, (time.time() + 86400, time.time() + 86400))
    assert goplot(root) == 3
    assert "goplot_farmer.prom is dated in the future" in capsys.readouterr().out


def test_a_host_that_knows_nothing_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert goplot(root) == 1
    assert "nothing of a farm is known here" in capsys.readouterr().err
