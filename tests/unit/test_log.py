"""The journal gets priorities; goplot.log and people get the text alone."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from goplot.diskhand.service import run
from goplot.host.log import Log
from tests.support.farm_root import FarmRoot

_SPEAK = """
import logging, os, sys
from pathlib import Path
from goplot.host.log import Log, start_logging
if sys.argv[1] == "journal":
    status = os.fstat(2)
    os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino}"
start_logging()
logger = logging.getLogger("goplot.test")
logger.info("well")
logger.warning("odd\\nin two lines")
logger.error("bad")
Log(Path(sys.argv[2]), "goplot").warn("a disk fails")
"""


def speak(where: str, file: Path) -> list[str]:
    """What a program writes to its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", _SPEAK, where, str(file)],
        env={**os.environ, "JOURNAL_STREAM": "1:2"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_lines_of_the_journal_have_priorities(tmp_path: Path) -> None:
    file = tmp_path / "goplot.log"
    expected = ["<6>well", "<4>odd", "<4>in two lines", "<3>bad", "<4>a disk fails"]
    assert speak("journal", file) == expected
    assert file.read_text().endswith(" - goplot   : a disk fails\n")


def test_people_get_the_text_alone(tmp_path: Path) -> None:
    expected = ["well", "odd", "in two lines", "bad", "a disk fails"]
    assert speak("terminal", tmp_path / "goplot.log") == expected


def test_a_failing_disk_is_a_warning_once(root: FarmRoot, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="goplot"):
        run(root.settings)
        # disk4 is never mounted.
        assert warnings(caplog) == [f"{root.disk(2, 'disk4')} is not mounted: out of rotation"]
        caplog.clear()
        run(root.settings)
        assert warnings(caplog) == []
        root.unmount(root.disk(1, "disk1"))
        run(root.settings)
        assert warnings(caplog) == [f"{root.disk(1, 'disk1')} is not mounted: out of rotation"]
        caplog.clear()
        root.mount(root.disk(1, "disk1"))
        run(root.settings)
        assert warnings(caplog) == []
        assert f"{root.disk(1, 'disk1')} is in rotation again" in caplog.messages


def test_what_is_fine_is_not_a_warning(root: FarmRoot, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="goplot"):
        Log(root.path / "logs" / "goplot.log", "goplot")("plot-1 starts")
    assert warnings(caplog) == []
    assert caplog.messages == ["plot-1 starts"]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What `journalctl -p warning` would show."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
