"""The TCP sockets of a host that listen."""

from __future__ import annotations

import contextlib
from pathlib import Path

_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h, as /proc/net/tcp has it


def listening(host: Path = Path("/")) -> dict[str, int]:
    """The port of each by its inode, from /proc/net/tcp and tcp6, proc_pid_net(5)."""
    found = {}
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):
            table = (host / "proc/net" / name).read_text(encoding="ascii")
            for row in table.splitlines()[1:]:
                fields = row.split()
                if len(fields) > 9 and fields[3] == _LISTEN:
                    found[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    return found
