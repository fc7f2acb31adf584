"""`goplot harvester-log --check`: what goplot understands of a Chia log."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goplot.harvester_log.files import DAMAGED, LogFile
from goplot.harvester_log.follower import BLOCK
from goplot.harvester_log.grammar import Kind
from goplot.harvester_log.tally import BUCKETS, Counting, Tally
from goplot.people.table import table

#: So many look-alikes are kept to be shown; all are counted.
_SHOWN = 1000
_WIDTH = 400


@dataclass(frozen=True, slots=True)
class Check:
    """What was found: counts of all files together, and look-alikes with their file."""

    tally: Tally
    look_alikes: tuple[tuple[str, str], ...]

    @property
    def understood(self) -> bool:
        """False when lines are left that look like an eligible line and match no known form."""
        return not self.tally.count(Kind.LOOK_ALIKE)


def check(paths: Sequence[Path]) -> Check:
    """Read logs, compressed or not, in the order given. Raises OSError."""
    tally = Tally()
    counting = Counting(tally)
    found: list[tuple[str, str]] = []
    now = time.time()
    for path in paths:
        for block in _blocks(path):
            counting.add(block, now)
            found += [
                (str(path), line[:_WIDTH].decode(errors="backslashreplace"))
                for line in counting.look_alikes[: _SHOWN - len(found)]
            ]
    return Check(tally, tuple(found))


def _blocks(path: Path) -> Iterator[bytes]:
    file = LogFile(path)
    try:
        position, half = 0, b""
        while True:
            try:
                data = file.read_at(position, BLOCK)
            except DAMAGED as error:
                raise OSError(f"{path} is damaged: {error}") from error
            if not data:
                break
            position += len(data)
            whole, newline, rest = data.rpartition(b"\n")
            if newline:
                yield half + whole + newline
                half = rest
            else:
                half = (half + data)[:BLOCK]
        if half:
            yield half + b"\n"
    finally:
        file.close()


def check_document(found: Check) -> dict[str, Any]:
    """The result for programs."""
    tally = found.tally
    return {
        "understood": found.understood,
        "lines": tally.lines,
        "origins": dict(sorted(tally.origins.items())),
        "kinds": dict(sorted(tally.kinds.items())),
        "eligible_forms": tally.forms,
        "eligible_plots": tally.eligible_plots,
        "proofs_v1": tally.proofs_v1,
        "proofs_v2": tally.proofs_v2,
        "lookup_seconds": round(tally.lookup_seconds, 5),
        "lookups_up_to": dict(zip([*map(str, BUCKETS), "+Inf"], tally.buckets, strict=True)),
        "total_plots": tally.total_plots,
        "look_alikes": [{"file": path, "line": line} for path, line in found.look_alikes],
    }


def check_text(found: Check) -> str:
    """The result for people."""
    tally = found.tally
    origins = [[*name.split("/"), str(count)] for name, count in sorted(tally.origins.items())]
    kinds = [[kind, str(count)] for kind, count in sorted(tally.kinds.items())]
    lookups = sum(tally.buckets)
    mean = f"{tally.lookup_seconds / lookups:.3f} s" if lookups else "-"
    forms = ", ".join(f"{count} of form {form}" for form, count in sorted(tally.forms.items()))
    parts = [
        f"{tally.lines} lines",
        table(["version or form", "service", "level", "lines"], origins),
        table(["kind", "lines"], kinds),
        f"eligible lines: {forms or 'none'}\n"
        f"eligible plots: {tally.eligible_plots}, of {tally.total_plots or 0} plots at the end\n"
        f"proofs found: {tally.proofs_v1} v1, {tally.proofs_v2} v2\n"
        f"lookups: {lookups}, {mean} in the mean",
    ]
    if not found.understood:
        count = tally.count(Kind.LOOK_ALIKE)
        shown = "\n".join(f"  {path}: {line}" for path, line in found.look_alikes)
        parts.append(
            f"NOT UNDERSTOOD: {count} lines look like an eligible line and match no known form\n"
            f"{shown}"
        )
    return "\n\n".join(parts)
