"""What `goplot harvester-log --check` shows."""

from typing import Any

from goplot.harvester_log.check import Check
from goplot.harvester_log.grammar import Kind
from goplot.harvester_log.tally import BUCKETS
from goplot.people.table import table


def check_document(found: Check) -> dict[str, Any]:
    """The result for programs."""
    tally = found.tally
    return {
        "understood": found.understood,
        "lines": tally.lines,
        "origins": dict(sorted(tally.origins.items())),
        "kinds": dict(sorted(tally.kinds.items())),
        "unmatched": dict(sorted(tally.unmatched.items())),
        "eligible_forms": tally.forms,
        "eligible_plots": tally.eligible_plots,
        "proofs_v1": tally.proofs_v1,
        "proofs_v2": tally.proofs_v2,
        "lookup_seconds": round(tally.lookup_seconds, 5),
        "lookups_up_to": dict(zip([*map(str, BUCKETS), "+Inf"], tally.buckets, strict=True)),
        "total_plots": tally.total_plots,
        "look_alikes": [{"file": path, "line": line} for path, line in found.look_alikes],
        "utf16": list(found.utf16),
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
        f"lookups: {lookups}, {mean} on average",
    ]
    if tally.unmatched:
        rows = [[*name.split("/"), str(count)] for name, count in sorted(tally.unmatched.items())]
        text = "warnings and errors that goplot has no name for, counted as they are:"
        parts.append(f"{text}\n{table(['service', 'level', 'lines'], rows)}")
    parts += [
        f"NOT UNDERSTOOD: {path} is in UTF-16, and Chia writes UTF-8: "
        f"iconv -f UTF-16 -t UTF-8 converts it"
        for path in found.utf16
    ]
    count = tally.count(Kind.LOOK_ALIKE)
    if count:
        shown = "\n".join(f"  {path}: {line}" for path, line in found.look_alikes)
        parts.append(
            f"NOT UNDERSTOOD: {count} lines look like an eligible line and match no known form\n"
            f"{shown}"
        )
    return "\n\n".join(parts)
