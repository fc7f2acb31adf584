"""Feeds harvester-log what libFuzzer makes up, guided by what the code does with it.

python -m tests.fuzz.harvester_log CORPUS [options of libFuzzer]: a crash names its input.
"""

import sys
import tracemalloc
from collections import Counter

import atheris

with atheris.instrument_imports(include=["goplot.harvester_log"]):
    from goplot.harvester_log.dating import Window
    from goplot.harvester_log.grammar import parse
    from goplot.harvester_log.metrics import Sight, metrics_of
    from goplot.harvester_log.tally import Counting, Tally

NOW = 1_800_000_000.0
#: Bytes that reading one block may leave in memory, whatever is in it.
MEMORY = 8 << 20


def read(block: bytes) -> None:
    """Read one block of lines. AssertionError when what is counted is not what is there."""
    lines = block.split(b"\n")
    block += b"\n"
    tally = Tally()
    counting = Counting(tally)
    counting.add(block, Window(NOW))
    found = [parse(line) for line in lines]
    assert tally.lines == len(lines)
    assert tally.kinds == Counter(line.kind.value for line in found)
    assert sum(tally.origins.values()) == len(lines)
    proofs = sum(line.eligible.proofs_v1 for line in found if line.eligible)
    assert tally.proofs_v1 == proofs
    if tally.lines % 8 == 0:
        assert metrics_of(tally, Sight(True, NOW, 300.0, 0, 0), NOW).render().isascii()
    assert tracemalloc.get_traced_memory()[0] < MEMORY


if __name__ == "__main__":
    tracemalloc.start()
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
