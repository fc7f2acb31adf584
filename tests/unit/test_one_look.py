"""One poll looks at the host once: no file is read twice in a decision."""

import json
import subprocess
import sys

from tests.support.farm_root import FarmRoot
from tests.support.processes import add_process

# The pacer of a farm whose tractors never start; every file that its poll opens is printed.
POLL = r"""
import json, os, sys
from pathlib import Path
from goplot.host.log import Log
from goplot.host.settings import load
from goplot.pacer.service import Pacer

class Units:
    def start(self, index): pass
    def running(self): return {1: False}

opened = []
counting = False

def note(event, arguments):
    if counting and event == "open" and not arguments[2] & (os.O_CREAT | os.O_DIRECTORY):
        opened.append(str(arguments[0]))

settings = load(Path(sys.argv[1]))
pacer = Pacer(settings, Units(), Log(settings.roots.main_log, "goplot"))
pacer.poll(settings)
sys.addaudithook(note)
counting = True
pacer.poll(settings)
counting = False
print(json.dumps(opened))
"""


def test_no_file_is_read_twice_in_one_poll(root: FarmRoot) -> None:
    add_process(root.path / "proc", 77, ["bash", "-i"])
    failed = {"index": 5, "done": False, "reason": "plotter", "detail": "x", "ended": 1.0}
    placed = {"seconds": 1.0, "plotter": "chiapos", "format": "k18", "farm": 1, "disk": "disk1"}
    line = json.dumps({**failed, **placed, "temp_farm": 1})
    (root.path / "state" / "results.jsonl").write_text(line + "\n")
    done = subprocess.run(
        [sys.executable, "-c", POLL, str(root.settings_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    opened = [path for path in json.loads(done.stdout) if not path.endswith((".py", ".pyc"))]
    # The poll has looked, and started a second plot.
    jobs = root.path / "state" / "jobs"
    assert sorted(path.name for path in jobs.glob("*.json")) == ["6.json", "7.json"]
    expected = ("mountinfo", "state/jobs/6.json", "state/results.jsonl", "config/farm_dest.goplot")
    assert {str(root.path / name) for name in expected} <= set(opened)
    assert sorted(path for path in set(opened) if opened.count(path) > 1) == []
