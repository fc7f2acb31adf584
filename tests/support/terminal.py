"""A program at a terminal of its own, as a person starts it."""

from __future__ import annotations

import os
import pty
import select
from collections.abc import Sequence

_SECONDS = 120


def on_a_terminal(command: Sequence[str], prompt: str = "", typed: str = "") -> tuple[int, str]:
    """Run a program, and type once it has shown the prompt.

    Returns its status and all that the terminal showed. Raises AssertionError when it neither
    prompts nor ends within two minutes.
    """
    child, terminal = pty.fork()
    if child == 0:
        try:
            os.execvp(command[0], list(command))
        finally:
            os._exit(127)
    screen = ""
    waits = bool(prompt)
    try:
        while True:
            ready, _, _ = select.select([terminal], [], [], _SECONDS)
            assert ready, screen
            try:
                part = os.read(terminal, 4096)
            except OSError:  # its end: the program has left the terminal
                break
            if not part:
                break
            screen += part.decode(errors="replace")
            if waits and prompt in screen:
                waits = False
                os.write(terminal, typed.encode())
    finally:
        os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), screen
