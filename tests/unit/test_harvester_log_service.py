"""goplot-harvester-log as a process: what it counts of odd logs, over kills, with flat memory."""

import gzip
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goplot.cli import main as goplot
from goplot.harvester_log.follower import BLOCK, Follower
from goplot.host.textfile import read_samples
from tests.support.farm_root import FarmRoot
from tests.support.log_samples import NOW, UNSEEN, prefixed

PATIENCE = 30.0
ELIGIBLE = prefixed(NOW) + b"\n"
OTHER = prefixed(b"New peak " + b"x" * 90, service=b"wallet", logger=b"chia.wallet") + b"\n"


class Service:
    """The service on a folder of its own; `journalctl` in its PATH is the test's."""

    def __init__(self, root: FarmRoot, log: str = "") -> None:
        self.root = root
        self.log = root.path / "chia" / "log" / "debug.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        name = log or self.log
        root.configure(more=f'[chia]\nroot = "{root.path / "chia"}"\nlog = "{name}"\n')
        self.textfile = root.path / "textfiles" / "goplot_harvester_log.prom"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it, with more in its environment."""
        settings = str(self.root.settings_path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "goplot.harvester_log.service", "--settings", settings],
            env={
                **os.environ,
                "PATH": f"{self.root.path}:{os.environ['PATH']}",
                **environment,
            },
            stderr=subprocess.DEVNULL,
        )

    def end(self, number: signal.Signals) -> int:
        """End it by a signal. Returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def value(self, name: str, **labels: str) -> float | None:
        """A metric as it is written now."""
        if not self.textfile.exists():
            return None
        for had, value in read_samples(self.textfile.read_text()).get(name, []):
            if had == labels:
                return value
        return None

    def state(self) -> dict[str, object]:
        """What it keeps."""
        path = self.root.path / "state" / "harvester_log" / "harvester_log.json"
        document: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
        return document

    def counted(self) -> int:
        """Lines that it keeps as read."""
        tally = self.state().get("tally", {})
        assert isinstance(tally, dict)
        return int(tally.get("lines", 0))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so; fails when it is not in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        select.select([], [], [], 0.02)


@pytest.fixture
def service(root: FarmRoot) -> Iterator[Service]:
    made = Service(root)
    yield made
    if made.process is not None:
        made.end(signal.SIGKILL)


def test_counters_survive_kill_and_stop(service: Service) -> None:
    service.log.write_bytes(ELIGIBLE * 10)
    service.start()
    wait_for(lambda: service.value("chia_harvester_eligible_plots_total") == 40)
    service.end(signal.SIGKILL)
    with service.log.open("ab") as file:
        file.write(ELIGIBLE * 5 + ELIGIBLE[:50])
    service.start()
    wait_for(lambda: service.value("chia_harvester_eligible_plots_total") == 60)
    with service.log.open("ab") as file:
        file.write(ELIGIBLE[50:])
    wait_for(lambda: service.counted() == 16)
    assert service.end(signal.SIGTERM) == 0
    assert service.value("chia_harvester_eligible_plots_total") == 64
    assert service.value("goplot_harvester_log_up") == 1
    assert service.value("goplot_last_success_timestamp_seconds", program="harvester-log")


def test_a_log_that_is_not_there_is_down_and_comes_back(service: Service) -> None:
    service.start()
    wait_for(lambda: service.value("goplot_harvester_log_state", state="unreadable") == 1)
    assert service.value("goplot_harvester_log_up") == 0
    assert service.value("chia_harvester_eligible_plots_total") is None
    service.log.write_bytes(ELIGIBLE)
    wait_for(lambda: service.counted() == 1)
    assert service.end(signal.SIGTERM) == 0
    assert service.value("goplot_harvester_log_up") == 1


@pytest.mark.parametrize(("zone", "behind"), [("XXX-1", 3600), ("XXX8", -28800)])
def test_a_log_in_utc_that_is_read_in_another_zone(
    service: Service, zone: str, behind: float
) -> None:
    def now() -> bytes:
        stamp = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        return prefixed(NOW, time=f"{stamp} ".encode()) + b"\n"

    service.log.write_bytes(now())
    service.start(TZ=zone)
    wait_for(lambda: service.value("goplot_harvester_log_lines_total") == 1)
    with service.log.open("ab") as file:
        file.write(now())
    wait_for(lambda: service.value("goplot_harvester_log_lines_total") == 2)
    assert service.value("goplot_harvester_log_state", state="ok") == 1
    assert service.value("goplot_harvester_log_clock_behind_seconds") == behind
    age = service.value("chia_harvester_eligible_age_seconds")
    assert age is not None
    assert 0 <= age < 60


def test_rotated_and_compressed_files_with_unread_lines(service: Service) -> None:
    service.log.write_bytes(b"first\n" + ELIGIBLE)
    service.start()
    wait_for(lambda: service.counted() == 2)
    service.end(signal.SIGKILL)
    with service.log.open("ab") as file:
        file.write(ELIGIBLE * 2)
    data = service.log.read_bytes()
    service.log.with_name("debug.log.2.gz").write_bytes(gzip.compress(data))
    service.log.with_name("debug.log.1").write_bytes(b"second\n" + ELIGIBLE * 3)
    service.log.write_bytes(b"third\n" + ELIGIBLE * 4)
    service.start()
    wait_for(lambda: service.counted() == 13)
    assert service.end(signal.SIGTERM) == 0
    assert service.value("chia_harvester_eligible_plots_total") == 40
    assert service.value("goplot_harvester_log_lost_files_total") == 0


def test_damaged_state_starts_anew(service: Service) -> None:
    folder = service.root.path / "state" / "harvester_log"
    folder.mkdir()
    (folder / "harvester_log.json").write_text('{"tally": {"lines": ')
    service.log.write_bytes(ELIGIBLE)
    service.start()
    wait_for((folder / "harvester_log.damaged").exists)
    wait_for((folder / "harvester_log.json").exists)
    wait_for(lambda: service.counted() == 1)


def resident(process: int) -> int:
    """Most memory that a process ever had, in bytes (VmHWM, proc_pid_status(5))."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def test_a_log_that_grew_by_much_takes_no_memory(
    service: Service, pytestconfig: pytest.Config
) -> None:
    size = pytestconfig.getoption("log_growth") << 20
    service.start()
    wait_for(lambda: bool(service.state()))
    block = (OTHER * 39 + ELIGIBLE) * 200
    huge = b"y" * (10 << 20) + b"\n"
    odd = b"\xff\xfe\xc3 \x00\n"
    with service.log.open("wb") as file:
        file.write(huge + odd)
        for _ in range(size // len(block)):
            file.write(block)
    lines = 2 + size // len(block) * 8000
    wait_for(lambda: service.counted() == lines)
    assert service.process is not None
    assert resident(service.process.pid) < 30 << 20
    assert service.end(signal.SIGTERM) == 0
    assert service.value("goplot_harvester_log_cut_lines_total") == 1


def test_a_line_of_ten_megabytes_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.write_bytes(ELIGIBLE)
    follower = Follower(path, None)
    assert b"".join(follower.poll()) == ELIGIBLE
    with path.open("ab") as file:
        file.write(b"z" * (10 << 20))
    assert list(follower.poll()) == []
    with path.open("ab") as file:
        file.write(b"\n" + ELIGIBLE)
    lines = b"".join(follower.poll()).split(b"\n")
    assert [len(line) for line in lines] == [BLOCK - 1, len(ELIGIBLE) - 1, 0]
    assert follower.cut == 1
    # A restart within it begins it again.
    again = Follower(path, follower.position)
    assert list(again.poll()) == []


def test_files_that_are_away_for_a_while_are_not_given_up(tmp_path: Path) -> None:
    folder, away = tmp_path / "log", tmp_path / "away"
    folder.mkdir()
    path = folder / "debug.log"
    path.write_bytes(b"one\n")
    follower = Follower(path, None)
    assert list(follower.poll()) == [b"one\n"]
    kept = follower.position
    with path.open("ab") as file:
        file.write(b"two\n")
    folder.rename(away)
    again = Follower(path, kept)
    assert list(again.poll()) == []
    assert again.position == kept
    away.rename(folder)
    assert list(again.poll()) == [b"two\n"]
    assert again.lost == 0


def test_a_log_that_was_deleted_unread_is_counted_as_lost(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.write_bytes(b"one\n")
    follower = Follower(path, None)
    assert list(follower.poll()) == [b"one\n"]
    path.unlink()
    path.write_bytes(b"two\nthree\n")
    again = Follower(path, follower.position)
    assert list(again.poll()) == [b"two\nthree\n"]
    assert again.lost == 1


@pytest.mark.parametrize("damage", ["cut", "bent", "bent soon", "cut soon", "no gzip"])
def test_a_damaged_rotated_file_is_left_behind(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "debug.log"
    path.write_bytes(b"now\n")
    follower = Follower(path, None)
    assert list(follower.poll()) == [b"now\n"]
    text = b"".join(b"%d %d\n" % (n, hash((n, "x"))) for n in range(50_000))
    zipped = bytearray(gzip.compress(text))
    place = 400 if damage.endswith("soon") else len(zipped) // 2
    if damage.startswith("cut"):
        del zipped[place:]
    else:
        zipped[place : place + 20] = b"\xff" * 20
    (tmp_path / "debug.log.1.gz").write_bytes(b"text\n" if damage == "no gzip" else zipped)
    path.rename(tmp_path / "debug.log.2")
    path.write_bytes(b"next\n")
    lines = b"".join(b"".join(follower.poll()) for _ in range(3)).splitlines(keepends=True)
    assert lines[-1] == b"next\n"
    # What is bent may well unpack, to something else, until the file's checksum is compared.
    read = lines[: -2 if damage.startswith("cut") else 1000]
    assert damage.endswith(("soon", "gzip")) or text.startswith(b"".join(read))
    assert list(Follower(path, follower.position).poll()) == []


def test_what_has_no_newline_is_a_line_once_the_log_goes_on_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.write_bytes(b"one\nhalf")
    follower = Follower(path, None)
    assert b"".join(follower.poll()) == b"one\n"
    path.rename(tmp_path / "debug.log.1")
    path.write_bytes(b"two\n")
    # The first look may be too early for a line that was being written to the old file.
    lines = b"".join(follower.poll()) + b"".join(follower.poll())
    assert lines == b"half\ntwo\n"
    again = Follower(path, follower.position)
    assert list(again.poll()) == []


JOURNALCTL = """#!{python}
import json, sys, time
entries = {entries}
after = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--after-cursor=")]
start = int(after[0]) if after else 0
assert "--follow" in sys.argv and "--output=json" in sys.argv
for number, entry in enumerate(entries[start:], start + 1):
    print(json.dumps(dict(entry, __CURSOR=str(number))), flush=True)
sys.stdin.read()
"""


def test_journald(root: FarmRoot) -> None:
    service = Service(root, "journal")
    moment = int(time.time()) - 100.5
    stamp = str(int(moment * 1e6))
    common = {"SYSLOG_IDENTIFIER": "chia.harvester", "PRIORITY": "6", "__REALTIME_TIMESTAMP": stamp}
    entries = [
        {**common, "MESSAGE": NOW.decode(), "LOGGER": "chia.harvester.harvester"},
        {**common, "MESSAGE": list(NOW)},
        {**common, "MESSAGE": "slow", "PRIORITY": "4"},
        {**common, "MESSAGE": None},
        {**common, "MESSAGE": prefixed(NOW).decode(), "SYSLOG_IDENTIFIER": "chia_harvester"},
    ]
    program = root.path / "journalctl"
    program.write_text(JOURNALCTL.format(python=sys.executable, entries=repr(entries)))
    program.chmod(0o755)
    try:
        # Journald's time counts, also for a text with a date of another zone.
        service.start(TZ="XXX8")
        wait_for(lambda: service.value("chia_harvester_eligible_plots_total") == 12)
        assert service.value("chia_harvester_last_eligible_timestamp_seconds") == moment
        service.end(signal.SIGTERM)
        assert service.state()["cursor"] == "5"
        assert service.value("chia_log_lines_total", service="harvester", level="WARNING") == 1
        assert service.value("chia_log_lines_total", service="harvester", level="INFO") == 4
        service.textfile.unlink()
        service.start()
        wait_for(lambda: service.value("goplot_harvester_log_up") == 1)
        assert service.end(signal.SIGTERM) == 0
        assert service.value("chia_harvester_eligible_plots_total") == 12
    finally:
        if service.process is not None:
            service.end(signal.SIGKILL)


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, zipped = tmp_path / "debug.log", tmp_path / "debug.log.1.gz"
    plain.write_bytes(ELIGIBLE * 3 + OTHER)
    zipped.write_bytes(gzip.compress(ELIGIBLE + b"no newline"))
    assert goplot(["harvester-log", "--check", str(plain), str(zipped), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["understood"], document["lines"]) == (True, 6)
    assert document["kinds"] == {"eligible": 4, "other": 2}
    assert document["eligible_forms"] == {"2.5.7": 4}
    with plain.open("ab") as file:
        file.write(prefixed(UNSEEN))
    assert goplot(["harvester-log", "--check", str(plain), str(zipped)]) == 1
    text = capsys.readouterr().out
    assert "NOT UNDERSTOOD: 1 lines" in text
    assert UNSEEN.decode() in text


def test_check_names_the_file_that_is_not_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for path, reason in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        assert goplot(["harvester-log", "--check", str(path)]) == 1
        assert capsys.readouterr().err == f"goplot: {path}: {reason}\n"
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
