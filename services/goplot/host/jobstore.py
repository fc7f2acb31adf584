"""Jobs and results in the state folder: one JSON file per job, one line per result."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goplot.farm.codec import decode, encode
from goplot.farm.jobs import Job
from goplot.host.files import remove, remove_unlocked, sync_folder, write_whole

#: Bytes at the end of the results: enough for those of every job of this moment, for every failure
#: that counts, and for the highest index.
RECENT_RESULTS = 65536


@dataclass(frozen=True, slots=True)
class Result:
    """How a job ended. `reason` is empty for a finished plot; `ended` is in epoch seconds.

    `plot_id` is known where the plot's name is not enough: see Job.id_apart.
    """

    index: int
    done: bool
    reason: str
    detail: str
    ended: float
    seconds: float
    plotter: str
    format: str
    farm: int
    disk: str
    temp_farm: int
    plot_file: str | None = None
    phase_seconds: dict[str, float] = field(default_factory=dict)
    plot_id: str | None = None


def job_path(jobs: Path, index: int) -> Path:
    """The file of a job."""
    return jobs / f"{index}.json"


def stop_path(jobs: Path, index: int) -> Path:
    """The file that marks a job as stopped by a person."""
    return jobs / f"{index}.stop"


def read_jobs(jobs: Path) -> tuple[list[Job], dict[int, str]]:
    """Every job that has not ended, by index, and what is wrong with invalid files."""
    found: list[Job] = []
    broken: dict[int, str] = {}
    for path in jobs.glob("*.json"):
        if not path.stem.isdecimal():
            continue
        try:
            found.append(decode(Job, json.loads(path.read_text())))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError) as error:
            broken[int(path.stem)] = f"{path}: {error}"
    return sorted(found, key=lambda job: job.index), broken


def read_job(jobs: Path, index: int) -> Job | None:
    """One job, or None when it has ended. Raises OSError, ValueError, TypeError."""
    try:
        text = job_path(jobs, index).read_text()
    except FileNotFoundError:
        return None
    return decode(Job, json.loads(text))


def write_job(jobs: Path, job: Job) -> None:
    """Save a job durably. Raises OSError."""
    text = json.dumps(encode(job), indent=1) + "\n"
    write_whole(job_path(jobs, job.index), text)


def end_job(state: Path, result: Result) -> None:
    """Record how a job ended and release its reservation. Raises OSError.

    The result comes first: a crash between the two leaves a job whose result is there, and the
    next call finds it and does not record it twice.
    """
    if result.index not in (earlier.index for earlier in read_results(state, tail=RECENT_RESULTS)):
        descriptor = os.open(
            results_path(state), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
        try:
            size = os.fstat(descriptor).st_size
            if not size:
                # Everybody may run `goplot status`, whatever the umask of a service.
                os.fchmod(descriptor, 0o644)
            # A line that a power cut cut short must not swallow this one.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = json.dumps(_document(result), separators=(",", ":")) + "\n"
            os.write(descriptor, ("\n" * torn + line).encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if not size:
            sync_folder(state)
    stop_path(state / "jobs", result.index).unlink(missing_ok=True)
    (state / "jobs" / f".{result.index}.json.new").unlink(missing_ok=True)
    remove(job_path(state / "jobs", result.index))


def _document(result: Result) -> dict[str, Any]:
    document = encode(result)
    if result.plot_id is None:
        # The first release reads no result with a key that it does not know.
        del document["plot_id"]
    return document


def remove_locks(jobs: Path) -> None:
    """Remove lock files that killed tractors of ended jobs left. Raises OSError."""
    for path in jobs.glob("*.lock"):
        if not path.with_suffix(".json").exists():
            remove_unlocked(path)


def results_path(state: Path) -> Path:
    """The file of results, one JSON line each, in the order in which jobs ended."""
    return state / "results.jsonl"


def read_results(
    state: Path, *, start: int = 0, end: int | None = None, tail: int | None = None
) -> Iterator[Result]:
    """Results from byte `start` to `end`, or those in the last `tail` bytes. Raises OSError.

    Invalid lines, such as one that a power cut truncated, are skipped.
    """
    path = results_path(state)
    if not path.exists():
        return
    with path.open("rb") as file:
        if tail is not None:
            start = max(0, os.fstat(file.fileno()).st_size - tail)
        file.seek(start)
        position = start
        for line in file:
            position += len(line)
            if end is not None and position > end:
                return
            try:
                yield decode(Result, json.loads(line))
            except (ValueError, TypeError):
                continue
