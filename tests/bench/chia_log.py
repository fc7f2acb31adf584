"""How fast harvester-log catches up on a Chia log, beside grep and a parser as chiadog's."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

SIZE = 350_000_000
#: The rate of chiadog's harvester parser where it was measured, MB/s.
CHIADOG = 16.5
PATTERN = "plots were eligible for farming"

# chiadog's harvester pattern, with the prefix and the message of 2.7.5.
_CHIADOG = re.compile(
    r"([0-9:.T-]*) (?:[0-9.]+ )?harvester (?:src|chia).harvester.harvester(?:\s?): INFO\s*"
    r"challenge_hash: [0-9a-f]* \.\.\.([0-9]+) plots were eligible for farming challenge"
    r"Found ([0-9]+) V1 proofs and ([0-9]+) V2 qualities. Time: ([0-9.]*) s. Total ([0-9]*) plots"
)
_MESSAGES: tuple[tuple[str, str, str, int], ...] = (
    ("full_node", "full_node", "Added unfinished_block {}, not farmed by us, SP: 7, Pool pk ", 96),
    ("full_node", "full_node", "🌱 Updated peak to height 5000000, weight 9, hh {}, rh: ", 64),
    ("full_node", "full_node_store", "Don't have rc hash {}. caching signage point 7. ", 8),
    ("full_node", "mempool_manager", "add_spendbundle {} took 0.01 seconds. Cost: 11000000 ", 16),
    ("farmer", "farmer", "Cache miss for challenge {} ", 8),
    ("wallet", "wallet_node", "New peak wallet.. 5000000 Peer: 127.0.0.1 {} ", 8),
)


def write_log(path: Path, size: int) -> tuple[int, int]:
    """An INFO log of a farmer with all services. Returns its lines, and its eligible lines.

    One line in forty is an eligible line, and one a signage point, as on a farmer of mainnet.
    """
    pick = random.Random(1)
    lines = written = 0
    with path.open("wb") as file:
        while written < size:
            block = "".join(_line(pick, lines + n) for n in range(20_000)).encode()
            lines += 20_000
            written += len(block)
            file.write(block)
    return lines, lines // 40


def _line(pick: random.Random, number: int) -> str:
    now = number * 13
    stamp = f"{now // 3600000 % 24:02d}:{now // 60000 % 60:02d}:{now // 1000 % 60:02d}"
    level = "WARNING" if pick.random() < 0.003 else "INFO"
    if number % 40 == 0:
        service, logger, level = "harvester", "harvester", "INFO"
        message = (
            f"challenge_hash: {pick.getrandbits(40):010x} ...{pick.randrange(4)} plots were "
            f"eligible for farming challengeFound 0 V1 proofs and 0 V2 qualities. "
            f"Time: {pick.random():.5f} s. Total 480 plots"
        )
    elif number % 40 == 1:
        service, logger = "full_node", "full_node"
        message = f"⏲️  Finished signage point 7/64: CC: {pick.getrandbits(512):0128x}"
    else:
        service, logger, text, more = pick.choice(_MESSAGES)
        message = text.format(f"{pick.getrandbits(256):064x}") + f"{pick.getrandbits(200):0{more}x}"
    name = f"chia.{service}.{logger}"
    return (
        f"2026-11-22T{stamp}.{now % 1000:03d} 2.7.5 {service} {name:<{33 - len(service)}}: "
        f"{level:<8} {message}\n"
    )


def best(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of CPU of the cheapest of some runs, children that ended included."""
    cheapest = float("inf")
    for _ in range(times):
        begin = sum(os.times()[:4])
        work()
        cheapest = min(cheapest, sum(os.times()[:4]) - begin)
    return cheapest


def grep(path: Path, *options: str) -> float:
    """Seconds of CPU of `grep -c`."""
    # Its output must go somewhere: into /dev/null it stops at the first match.
    command = ["grep", "-c", *options, str(path)]
    return best(lambda: subprocess.run(command, check=True, capture_output=True))


def chiadog(path: Path, size: int) -> float:
    """MB/s of a parser as chiadog's, over the first `size` bytes."""
    with path.open("rb") as file:
        text = file.read(size).decode(errors="replace")

    def work() -> None:
        found = 0
        for match in _CHIADOG.findall(text):
            datetime.fromisoformat(match[0])
            found += 1
        if not found:
            raise RuntimeError("the pattern that is measured should match")

    return size / 1e6 / best(work, 2)


def catch_up(path: Path, lines: int, eligible: int) -> dict[str, float]:
    """What harvester-log's reading and counting take in a process of its own.

    Seconds of CPU, and the most memory before and after it in MB.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.chia_log", str(path)],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout)
    if (figures["lines"], figures["eligible"]) != (lines, eligible):
        raise RuntimeError(f"not all was counted: {figures}")
    return figures


def _resident() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmHWM")


def main() -> None:
    """Catch up on one log and print the figures: the part that runs on its own."""
    from goplot.harvester_log.dating import Window
    from goplot.harvester_log.follower import Follower
    from goplot.harvester_log.service import Watch
    from goplot.harvester_log.tally import Counting, Tally

    path = Path(sys.argv[1])
    tallies: list[Tally] = []

    def work() -> None:
        tally = Tally()
        counting = Counting(tally)
        for block in blocks(Follower(path, None)):
            counting.add(block, Window(time.time()))
        tallies.append(tally)

    def blocks(follower: Follower) -> Iterator[bytes]:
        yield from follower.poll()
        follower.close()

    # What the service has loaded besides counts into its memory.
    if not Watch.__doc__:
        raise RuntimeError("the service is not there")
    before = _resident()
    seconds = best(work)
    last = tallies[-1]
    figures = {
        "seconds": seconds,
        "lines": last.lines,
        "eligible": sum(last.forms.values()),
        "before": before,
        "after": _resident(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
