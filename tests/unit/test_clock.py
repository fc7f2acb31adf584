"""What identifies a process, and the boot of a container: the start of a process in ticks."""

import os
import shutil
import subprocess
from pathlib import Path

import psutil

from goplot.host.clock import now, start_ticks
from tests.hosts.system import wait_until


def test_a_start_is_read_whatever_the_program_is_called(tmp_path: Path) -> None:
    program = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a) Z \xff"))
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            ticks = start_ticks(process.pid)
            began = psutil.Process(process.pid).create_time() - psutil.boot_time()
        finally:
            process.kill()
    assert ticks is not None
    assert abs(ticks / os.sysconf("SC_CLK_TCK") - began) < 2


def test_what_has_ended_has_no_start() -> None:
    process = subprocess.Popen(["true"])
    # It is not waited for, so it stays as a zombie.
    entry = psutil.Process(process.pid)
    wait_until("the end of a process", lambda: entry.status() == psutil.STATUS_ZOMBIE, 60)
    assert start_ticks(process.pid) is None
    process.wait()
    assert start_ticks(process.pid) is None


def test_the_boot_of_a_container_is_that_of_its_first_process() -> None:
    assert now().boot_id.endswith(f"/{start_ticks(1)}")
