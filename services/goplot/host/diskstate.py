"""The results of diskhand's last run, for placement, metrics and people."""

import json
from dataclasses import dataclass
from pathlib import Path

from goplot.farm.codec import decode


@dataclass(frozen=True, slots=True)
class Own:
    """What diskhand itself wrote to a disk file: the value, the file's timestamp, and why.

    `reason` is empty while the disk is in rotation.
    """

    kib: int
    stamp: int
    reason: str = ""


def own_path(state: Path) -> Path:
    """Where diskhand records what it wrote to each disk file."""
    return state / "diskhand.json"


def plots_path(state: Path) -> Path:
    """Where diskhand records how many plots it found on each disk."""
    return state / "plots.json"


def temp_faults_path(state: Path) -> Path:
    """Where diskhand records which temp farms reject writes, and why."""
    return state / "temp_faults.json"


def read_temp_faults(state: Path) -> dict[str, str]:
    """Why temp farms reject writes, by path; empty if unknown."""
    try:
        document = json.loads(temp_faults_path(state).read_text())
        return {str(path): str(fault) for path, fault in document.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def read_own(state: Path) -> dict[str, Own]:
    """What diskhand wrote to each disk file, by disk; empty if unknown."""
    try:
        document = json.loads(own_path(state).read_text())
        return {name: decode(Own, entry) for name, entry in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def read_plots(state: Path) -> dict[str, int]:
    """How many plots the last run found on each disk, by path of the disk."""
    try:
        document = json.loads(plots_path(state).read_text())
        return {str(path): int(count) for path, count in document.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
