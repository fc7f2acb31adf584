"""The results of diskhand's last run, for placement, metrics and people."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from goplot.farm.codec import decode
from goplot.host.statefile import read_table


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
    return read_table(temp_faults_path(state), str)


def read_own(state: Path) -> dict[str, Own]:
    """What diskhand wrote to each disk file, by disk; empty if unknown."""
    return read_table(own_path(state), partial(decode, Own))


def read_plots(state: Path) -> dict[str, int]:
    """How many plots the last run found on each disk, by path of the disk."""
    return read_table(plots_path(state), int)
