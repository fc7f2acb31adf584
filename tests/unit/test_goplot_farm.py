"""goplot farm: what it shows where it may ask, and where it reads what the collectors wrote."""

import json
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from goplot.chia.rpc import Certificates
from goplot.cli import main
from goplot.harvester_log.dating import Window
from goplot.harvester_log.metrics import Sight, metrics_of
from goplot.harvester_log.tally import Counting, Tally
from goplot.host.textfile import Samples
from goplot.people.farm import next_step
from goplot.people.farm_samples import Farm as FarmSeen
from tests.support import rpc_server
from tests.support.farm_root import FarmRoot
from tests.support.farmer import Farm, give_certificates
from tests.support.log_samples import NOW
from tests.support.rpc_server import harvester


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
        f"timeout_seconds = 10\nharvesters = {{{names}}}\n"
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
    counting.add(line + b"\n", Window(now))
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
    assert "in order: keys, sync, 12 plots on 3 harvesters" in text
    assert "farming status farming" in " ".join(text.split())
    assert "2 XCH in 1 blocks" in text
    assert "height 4999000" in text
    assert "4 of 4 eligible" in text
    words = " ".join(text.split())
    assert "difficulty 12000" in words
    assert "netspace 20.00 EiB" in words
    assert "plots 12, 43.9 MiB, effective 43.3 MiB" in words
    assert "1000 blocks since" in words
    assert "hard fork not yet set v1 plots end not yet set v1 filter 128 in 1202.7 days" in words
    assert "reward halves in 9.9 days" in words
    assert "v1 plots count" not in words
    chain = document["chain"]
    assert chain["events"]["hard_fork"] == {"height": None, "seconds": None}
    assert chain["events"]["reward_halving"] == {"height": 5045760, "seconds": 45760 * 18.75}
    assert chain["v1_win_ratio"] == {}
    assert document["blocks_since_win"] == 1000
    assert document["difficulty"] == 12000
    assert (document["total_plots"], document["total_bytes"]) == (12, 3 * 15335435)
    assert document["total_effective_bytes"] == 3 * 15130951
    assert "log_lines" not in document
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


def test_versions_that_do_not_work_together_are_a_problem(
    root: FarmRoot, ca: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        well(farm)
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        write_log_metrics(
            root,
            b"2026-11-22T17:01:33.290 2.7.5 farmer farmer_server              : WARNING  "
            b"protocol version mismatch: local_type=3 incoming=0.0.37 our=0.0.38\n" + NOW,
        )
        assert goplot(root) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "2.7.5 (full node, farmer, wallet)" in text
        assert "version mismatches 1 so far in this host's Chia log" in text
        farm.services["full_node"].answers["get_version"] = {"version": "2.7.3"}
        assert goplot(root) == 3
        text = capsys.readouterr().out
        assert goplot(root, "--json") == 3
    document = json.loads(capsys.readouterr().out)
    assert "2.7.3 (full node); 2.7.5 (farmer, wallet)" in text
    assert document["versions"] == {"full_node": "2.7.3", "farmer": "2.7.5", "wallet": "2.7.5"}
    (problem,) = document["problems"]
    assert problem.startswith("the full node runs Chia 2.7.3, the farmer 2.7.5: no signage points")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"keyring_is_locked": False, "public_key_fingerprints": []}, "goplot keys add"),
        ({"keyring_is_locked": True, "public_key_fingerprints": None}, "chia passphrase remove"),
        ({"keyring_is_locked": False, "public_key_fingerprints": [7]}, "xch_target_address"),
    ],
)
def test_a_farmer_without_keys_is_the_problem_and_nothing_else(
    root: FarmRoot,
    ca: Certificates,
    capsys: pytest.CaptureFixture[str],
    keys: dict[str, object],
    words: str,
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        farm.take_keys()
        farm.services["wallet"].answers["get_public_keys"] = keys
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        write_log_metrics(
            root,
            b"2026-11-22T17:01:33.290 2.7.5 farmer chia.farmer.farmer         : WARNING  "
            b"No keys exist. Please run 'chia keys generate' or open the UI.",
        )
        assert goplot(root) == 3
        text = capsys.readouterr().out
        assert goplot(root, "--json") == 3
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "no_keys"
    assert document["keys"] == len(keys["public_key_fingerprints"] or [])  # type: ignore[arg-type]
    (problem,) = document["problems"]
    assert problem.startswith("not farming: ")
    assert words in problem
    assert "the farmer has no keys" in text


def test_a_wallet_that_started_without_the_key_has_to_be_restarted(
    root: FarmRoot, ca: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        well(farm)
        unassigned = {"success": False, "error": "wallet state manager not assigned"}
        for endpoint in ("get_farmed_amount", "get_sync_status"):
            farm.services["wallet"].answers[endpoint] = unassigned
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        assert goplot(root, "--json") == 3
        problem = "the wallet has loaded no key: systemctl restart chia-wallet"
        assert json.loads(capsys.readouterr().out)["problems"] == [problem]
        farm.services["wallet"].answers["get_sync_status"] = {"synced": True}
        assert goplot(root, "--json") == 3
    problem = "the wallet refused get_farmed_amount: see its collector's journal"
    assert json.loads(capsys.readouterr().out)["problems"] == [problem]


def test_keys_that_were_deleted_while_it_farms_are_a_problem(
    root: FarmRoot, ca: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        farm = Farm(ca, stack)
        well(farm)
        farm.services["wallet"].answers["get_public_keys"] = {"public_key_fingerprints": []}
        configure(root, farm)
        give_certificates(root, ca, "farmer")
        assert goplot(root, "--json") == 3
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("the farmer farms until it restarts: the farmer has no keys")


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


@pytest.fixture
def chia_log(root: FarmRoot) -> Path:
    """A host with a textfile of its log, and with the log."""
    write_log_metrics(root)
    path = root.path / "debug.log"
    root.configure(more=f'[chia]\nlog = "{path}"\n')
    return path


@pytest.mark.parametrize(("arguments", "count"), [(["--log"], 10), (["--log", "3"], 3)])
@pytest.mark.parametrize("size", [1, 3, 12, 30_000])
def test_the_last_lines_of_the_log_on_request(
    root: FarmRoot,
    chia_log: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    count: int,
    size: int,
) -> None:
    lines = [f"2026-11-22T17:01:33.290 line {number}" for number in range(size)]
    chia_log.write_text("\n".join(lines) + "\n")
    assert goplot(root, *arguments) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if "line" in line] == lines[-count:]
    assert goplot(root, "--json", *arguments) == 0
    assert json.loads(capsys.readouterr().out)["log_lines"] == lines[-count:]


def test_a_line_of_the_log_does_nothing_to_the_terminal(
    root: FarmRoot, chia_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chia_log.write_bytes(b"\x1b[2Jgone \xe9 \x00\x00\r\n" + b"half a line")
    assert goplot(root, "--log") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-2:] == [r"\x1b[2Jgone \xe9 \x00\x00", "half a line"]


def test_a_log_that_can_not_be_read_is_named_after_the_rest(
    root: FarmRoot, chia_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert goplot(root, "--log") == 1
    printed = capsys.readouterr()
    assert "4 of 4 eligible" in printed.out
    assert f"the Chia log can't be read: [Errno 2] No such file or directory: '{chia_log}'" in (
        printed.err
    )


@pytest.mark.parametrize("lines", ["0", "-1", "x", "10001"])
def test_a_number_of_lines_that_makes_no_sense_is_refused(
    root: FarmRoot, capsys: pytest.CaptureFixture[str], lines: str
) -> None:
    with pytest.raises(SystemExit):
        goplot(root, f"--log={lines}")
    assert "is not a number of lines from 1 to 10000" in capsys.readouterr().err


def test_the_last_lines_come_from_journald_where_chia_logs_there(
    root: FarmRoot,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_log_metrics(root)
    root.configure(more='[chia]\nlog = "journal"\n')
    entry = {
        "MESSAGE": "Farmed unfinished_block",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "chia_farmer",
        "__REALTIME_TIMESTAMP": "1795366893500000",
    }
    journalctl = root.path / "bin" / "journalctl"
    journalctl.parent.mkdir()
    journalctl.write_text(f"#!/bin/sh\necho '{json.dumps(entry)}'\n")
    journalctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{journalctl.parent}:{os.environ['PATH']}")
    assert goplot(root, "--log") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(" farmer chia.farmer: INFO     Farmed unfinished_block")
    journalctl.write_text("#!/bin/sh\necho 'no access' >&2\nexit 1\n")
    assert goplot(root, "--log") == 1
    assert "the Chia log can't be read: no access" in capsys.readouterr().err


def test_a_log_whose_clock_is_off_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    root.configure()
    now = time.time()
    counting = Counting(Tally(clock_behind=7200.0))
    counting.add(NOW + b"\n", Window(now))
    metrics = metrics_of(counting.tally, Sight(True, now - 999, 300, 0, 0), now)
    metrics.write(root.path / "textfiles", "goplot_harvester_log")
    assert goplot(root) == 0
    assert "the clock in it is 2 h behind this host's clock" in capsys.readouterr().out
    assert goplot(root, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["log"]["clock_behind"] == 7200
    assert document["problems"] == []


def test_a_host_that_knows_nothing_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert goplot(root) == 1
    assert "nothing of a farm is known here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        ("no_keys", {}, "keys: sudo goplot keys"),
        ("syncing", {"chia_full_node_sync_progress_ratio": 0.25}, "is synced (25.0%)"),
        ("not_synced", {}, "wait until the full node is synced:"),
        ("unknown", {}, "the problems above"),
        ("farming", {}, "the first plot: on_toggle: run"),
        ("farming", {"chia_full_node_up": 0.0}, "the problems above"),
        ("farming", {"chia_farmer_harvester_plots": 3.0}, "in order: keys, sync, 3 plots"),
    ],
)
def test_what_is_next_on_the_way_to_a_farm(status: str, more: dict[str, float], words: str) -> None:
    samples: Samples = {"chia_farming_status": [({"status": status}, 1.0)]}
    samples |= {name: [({}, value)] for name, value in more.items()}
    step = next_step(FarmSeen(samples))
    assert step is not None
    assert words in step


def test_a_host_without_a_farmer_has_no_next_step() -> None:
    assert next_step(FarmSeen({})) is None
