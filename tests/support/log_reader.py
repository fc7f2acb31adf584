"""Follows a log into a file of what it read, and keeps its position with it; a program of its own.

Call: FOLDER. It may be killed at any moment. After every commit it prints how many lines it has.
"""

import json
import os
import select
import sys
from pathlib import Path

from goplot.harvester_log.follower import Follower, Position
from goplot.host.files import write_whole


def main() -> None:
    """Follow until killed."""
    folder = Path(sys.argv[1])
    state = folder / "state.json"
    sink = os.open(folder / "sink", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    position, size, lines = None, 0, 0
    if state.exists():
        document = json.loads(state.read_text())
        position, size, lines = (
            Position.restored(document["position"]),
            document["size"],
            document["lines"],
        )
    os.ftruncate(sink, size)
    follower = Follower(folder / "log" / "debug.log", position)
    fresh = True
    while True:
        for block in follower.poll():
            os.write(sink, block)
            size += len(block)
            lines += block.count(b"\n")
            fresh = True
            document = {"position": follower.position.document(), "size": size, "lines": lines}
            write_whole(state, json.dumps(document), durable=False)
        if fresh:
            document = {"position": follower.position.document(), "size": size, "lines": lines}
            write_whole(state, json.dumps(document), durable=False)
            print(lines, flush=True)
            fresh = False
        # The pause of a service between two polls; a closed input ends it.
        if select.select([sys.stdin], [], [], 0.002)[0]:
            return


if __name__ == "__main__":
    main()
