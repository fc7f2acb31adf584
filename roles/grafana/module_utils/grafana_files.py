"""Files with secrets that only root can read, and one that everyone can."""

from __future__ import annotations

import os
from pathlib import Path


def read_secret(path: Path) -> str:
    """A secret, or nothing if the file does not exist."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def write_secret(path: Path, secret: str) -> None:
    """Write a secret atomically: a power cut leaves the old one or the new one."""
    _write(path, secret, 0o600)


def write_public(path: Path, text: str) -> None:
    """Write a file that everyone may read, in the same way."""
    _write(path, text, 0o644)


def _write(path: Path, text: str, mode: int) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def is_private(path: Path) -> bool:
    """Whether root owns a file and nobody else may read it."""
    status = path.stat()
    return status.st_uid == os.geteuid() and status.st_mode & 0o077 == 0
