"""Writes a log and does to it what logs suffer, as fast as it can; a program of its own.

Call: SEED LINES FOLDER. It writes `debug.log` there. After every act it prints how many lines are
written; after `await` it waits for one line on standard input, that everything was read.
"""

import gzip
import os
import random
import shutil
import sys
from pathlib import Path


def line_of(seed: int, number: int) -> bytes:
    """Line `number` of a log, without its newline; no two are alike."""
    pick = random.Random(seed * 1_000_003 + number)
    if pick.random() < 0.002:
        body = b"x" * pick.randrange(100_000, 130_000)
    else:
        body = bytes(pick.choice(b"ab \xff\xc3\x1b\xf0") for _ in range(pick.randrange(60)))
    return b"2026-11-22T17:01:33.290 %d/%d %s" % (seed, number, body)


class Rotator:
    """The log's writer."""

    def __init__(self, seed: int, path: Path) -> None:
        """`seed` decides lines and acts."""
        self.seed = seed
        self.path = path
        self.pick = random.Random(seed)
        self.written = 0
        self.file = path.open("ab", buffering=0)

    def burst(self, count: int) -> None:
        """Write some lines, in pieces that end anywhere."""
        data = b"".join(line_of(self.seed, self.written + n) + b"\n" for n in range(count))
        while data:
            size = self.pick.randrange(1, 20_000)
            self.file.write(data[:size])
            data = data[size:]
        self.written += count

    def shift(self) -> None:
        """debug.log.1 becomes debug.log.2, and so on."""
        numbers = sorted(
            (int(entry.name.split(".")[2]), entry.suffix == ".gz", entry)
            for entry in self.path.parent.glob("debug.log.*")
        )
        for number, zipped, entry in reversed(numbers):
            entry.rename(self.path.with_name(f"debug.log.{number + 1}{'.gz' if zipped else ''}"))

    def rename(self) -> None:
        """Rotate as Chia does."""
        self.shift()
        self.path.rename(self.path.with_name("debug.log.1"))
        self.file.close()
        self.file = self.path.open("ab", buffering=0)

    def copy_truncate(self) -> None:
        """Rotate as logrotate does with copytruncate."""
        self.shift()
        shutil.copyfile(self.path, self.path.with_name("debug.log.1"))
        os.truncate(self.path, 0)

    def compress(self) -> None:
        """Compress a rotated file, as Chia and logrotate do."""
        found = sorted(self.path.parent.glob("debug.log.[0-9]*"))
        plain = [entry for entry in found if entry.suffix != ".gz"]
        if plain:
            source = self.pick.choice(plain)
            with source.open("rb") as text, gzip.open(f"{source}.gz", "wb", 1) as zipped:
                shutil.copyfileobj(text, zipped)
            source.unlink()

    def delete(self) -> None:
        """Delete the log once everything in it was read, and make it again."""
        print("await", self.written, flush=True)
        sys.stdin.readline()
        self.file.close()
        self.path.unlink()
        self.file = self.path.open("ab", buffering=0)

    def truncate(self) -> None:
        """Empty the log once everything in it was read."""
        print("await", self.written, flush=True)
        sys.stdin.readline()
        os.truncate(self.path, 0)


def main() -> None:
    """Write all lines."""
    seed, lines = int(sys.argv[1]), int(sys.argv[2])
    rotator = Rotator(seed, Path(sys.argv[3]) / "debug.log")
    acts = {
        rotator.rename: 4,
        rotator.copy_truncate: 4,
        rotator.compress: 3,
        rotator.delete: 1,
        rotator.truncate: 1,
    }
    while rotator.written < lines:
        rotator.burst(rotator.pick.randrange(400))
        if rotator.pick.random() < 0.5:
            rotator.pick.choices(list(acts), list(acts.values()))[0]()
        print("at", rotator.written, flush=True)
    print("end", rotator.written, flush=True)


if __name__ == "__main__":
    main()
