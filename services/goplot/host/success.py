"""When each program last did its work."""

import os
from collections.abc import Mapping
from pathlib import Path

from goplot.host.files import make_folder
from goplot.host.textfile import Metrics


def record_success(state: Path, program: str) -> None:
    """Record that a program did its work just now. Raises OSError."""
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
    """When programs last did their work; every textfile says it of its own program."""
    for program, moment in sorted(successes.items()):
        metrics.add("goplot_last_success_timestamp_seconds", moment, program=program)
