"""When each program last did its work."""

import os
from collections.abc import Mapping
from pathlib import Path

from goplot.host.files import make_folder
from goplot.host.textfile import Metrics


def record_success(state: Path, program: str) -> None:
    """Note that a program did its work just now. Raises OSError."""
    folder = state / "success"
    make_folder(folder)
    descriptor = os.open(folder / program, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)


def read_successes(state: Path) -> dict[str, float]:
    """Epoch seconds of the last success of every program that ever had one."""
    try:
        return {entry.name: entry.stat().st_mtime for entry in os.scandir(state / "success")}
    except FileNotFoundError:
        return {}


def add_success(metrics: Metrics, successes: Mapping[str, float]) -> None:
    """The family that tells when programs last did their work; every textfile tells its own."""
    # Of one name and help in all textfiles: node_exporter refuses a family that has two.
    name = "goplot_last_success_timestamp_seconds"
    metrics.family(name, "gauge", "When a program last did its work.")
    for program, moment in sorted(successes.items()):
        metrics.sample(name, moment, {"program": program})
