"""Processes in a /proc of a test's own."""

from collections.abc import Sequence
from pathlib import Path


def add_process(
    proc: Path,
    number: int,
    arguments: Sequence[str | Path] = (),
    *,
    name: str = "program",
    state: str = "S",
    parent: int = 1,
    folder: Path | None = None,
) -> None:
    """Let a process show as proc(5) has it; a `folder` that is not given can't be seen."""
    process = proc / str(number)
    process.mkdir(parents=True)
    words = [str(word).encode(errors="surrogateescape") for word in arguments]
    (process / "cmdline").write_bytes(b"".join(word + b"\0" for word in words))
    (process / "stat").write_text(f"{number} ({name}) {state} {parent}{' 7' * 48}\n")
    if folder is not None:
        (process / "cwd").symlink_to(folder)
