"""The follower against a log that rotates both ways, vanishes, and grows; killed all the time."""

import random
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.log_rotator import line_of

ROOT = Path(__file__).resolve().parents[2]
LINES = 3000
PATIENCE = 60.0


def start(program: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start a program of tests/support."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "support" / program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )


def read_line(process: subprocess.Popen[bytes]) -> bytes:
    """The next line that a program prints; fails when there is none in time."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert ready, "nothing was printed in time"
    return process.stdout.readline()


class Reader:
    """The reading process, with all its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = start("log_reader.py", folder)
        self.kills = 0

    def kill(self) -> None:
        """Kill -9, and start it again."""
        self.end()
        self.kills += 1
        self.process = start("log_reader.py", self.folder)

    def end(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.communicate()

    def await_lines(self, count: int) -> None:
        """Wait until it has kept `count` lines."""
        deadline = time.monotonic() + PATIENCE
        have = -1
        while have < count and time.monotonic() < deadline:
            # A life that finds everything kept already prints nothing.
            state = self.folder / "state.json"
            if state.exists() and f'"lines": {count}}}' in state.read_text():
                return
            have = int(read_line(self.process) or b"0")
        assert have >= count


def one_round(seed: int, folder: Path) -> int:
    """Write, rotate, kill and compare. Returns how often the reader was killed."""
    (folder / "log").mkdir(parents=True)
    pick = random.Random(seed)
    reader = Reader(folder)
    # Its first position is where it begins: what is rotated before that is not its to read.
    reader.await_lines(0)
    writer = start("log_rotator.py", seed, LINES, folder / "log")
    try:
        word, written = b"", 0
        while word != b"end":
            word, number = read_line(writer).split()
            written = int(number)
            if word == b"await":
                reader.await_lines(written)
                assert writer.stdin is not None
                writer.stdin.write(b"go\n")
            elif pick.random() < 0.15:
                reader.kill()
        reader.await_lines(written)
    finally:
        reader.end()
        writer.kill()
        writer.communicate()
    got = (folder / "sink").read_bytes().split(b"\n")
    assert got.pop() == b""
    for place, line in enumerate(got):
        assert line == line_of(seed, place), f"seed {seed}: line {place} of {written}"
    assert len(got) == written
    return reader.kills


def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    first = random.SystemRandom().randrange(10**6)
    rounds = pytestconfig.getoption("rotation_rounds")
    kills = sum(one_round(first + n, tmp_path / str(n)) for n in range(rounds))
    assert kills > 0
