"""Chia's own verdict on plots: `chia plots check`, on the host where they lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tests.hosts.machine import Machine

_CHIA = "/opt/chia/plotting/bin/chia"
_ROOT = "/var/lib/goplot/plots-check"
_PROOFS = re.compile(r"Testing plot (\S+\.plot)|Proofs ([0-9]+) / ([0-9]+)")


def proofs_found(
    machine: Machine, folders: Sequence[Path], challenges: int
) -> dict[str, tuple[int, int]]:
    """Plot name -> (proofs found, challenges tried), for each plot that Chia could open.

    Chia gets a configuration of its own for this, as user goplot; it is removed afterwards.
    """
    chia = ["runuser", "-u", "goplot", "--", "env", f"CHIA_ROOT={_ROOT}"]
    chia += [f"CHIA_KEYS_ROOT={_ROOT}/keys", _CHIA]
    machine.run("rm", "-rf", _ROOT)
    machine.run(*chia, "init")
    for folder in folders:
        machine.run(*chia, "plots", "add", "-d", str(folder))
    # Its findings are log lines, on standard error.
    check = [*chia, "plots", "check", "-n", str(challenges)]
    said = machine.run("sh", "-c", 'exec "$@" 2>&1', "sh", *check)
    machine.run("rm", "-rf", _ROOT)
    found: dict[str, tuple[int, int]] = {}
    name = ""
    for match in _PROOFS.finditer(said):
        if match[1]:
            name = Path(match[1]).name
        else:
            found[name] = (int(match[2]), int(match[3]))
    return found
