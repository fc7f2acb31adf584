"""State outlives releases: this one reads the files of every earlier one, and those of a later."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from goplot.farm.codec import decode, encode
from goplot.farm.formats import PlotFormat
from goplot.farm.jobs import Job, Stage, Start
from goplot.harvester_log.service import Record
from goplot.harvester_log.tally import Tally
from goplot.host import clock
from goplot.host.annotations import waiting
from goplot.host.diskstate import Own, read_own, read_plots, read_temp_faults
from goplot.host.jobstore import read_job, read_jobs, read_results
from goplot.host.refusals import read_refusals
from goplot.host.report import Report, read_report, write_report
from goplot.host.totals import read_totals
from goplot.host.tunables import read_last_good, read_number
from goplot.pacer.start import last_start
from tests.support.farm_root import FarmRoot
from tests.support.history import services_before
from tests.support.jobs import reserve, run

_STATES = Path(__file__).parent / "state"
RELEASES = sorted(path.name for path in _STATES.iterdir())
START = Start(1790000000.5, 5000.25, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/42")
JOB = Job(
    index=7,
    plotter="chiapos",
    format=PlotFormat(32),
    temp_farm=1,
    temp_path=Path("/plot_temp/1"),
    dest_farm=2,
    disk="disk2",
    disk_path=Path("/farm/2/disk2"),
    plot_bytes=111_000_000_000,
    temp_bytes=257_698_037_760,
    start=START,
    origin="pacer",
    stage=Stage.DELIVERING,
    phase="copy",
    progress=0.25,
    phase_seconds={"1": 7200.5, "2": 3600.0},
    plot_id="ab" * 32,
    plot_file=f"plot-k32-2026-11-22-17-53-{'ab' * 32}.plot",
    process="4711:99",
)


@pytest.fixture(params=["as it was written", "with keys of a later release"])
def state(request: pytest.FixtureRequest, release: str, tmp_path: Path) -> Path:
    """A release's state folder; the same with a further key in every table."""
    folder = tmp_path / "state"
    shutil.copytree(_STATES / release, folder)
    if request.param != "as it was written":
        for path in (*folder.glob("jobs/*.json"), *folder.glob("harvester_log/*.json")):
            _write(path, _with_more(json.loads(path.read_text())))
        for name in ("totals", "tunables", "last_start", "pacer"):
            path = folder / f"{name}.json"
            _write(path, _with_more(json.loads(path.read_text())))
        own = json.loads((folder / "diskhand.json").read_text())
        _write(folder / "diskhand.json", {disk: _with_more(entry) for disk, entry in own.items()})
        lines = (folder / "results.jsonl").read_text().splitlines()
        longer = [json.dumps(_with_more(json.loads(line))) for line in lines]
        (folder / "results.jsonl").write_text("\n".join(longer) + "\n")
        totals = json.loads((folder / "totals.json").read_text())
        totals["offset"] = (folder / "results.jsonl").stat().st_size
        _write(folder / "totals.json", totals)
    return folder


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Every release whose state is kept here."""
    return str(request.param)


def test_jobs_and_results(state: Path) -> None:
    jobs, broken = read_jobs(state / "jobs")
    assert (jobs, broken) == ([JOB], {})
    assert read_job(state / "jobs", 7) == JOB
    results = list(read_results(state))
    assert [(one.index, one.done, one.reason) for one in results] == [
        (5, True, ""),
        (6, False, "temp_space"),
    ]
    assert results[0].phase_seconds == {"1": 7000.0, "copy": 900.0}


def test_counters_go_on(state: Path) -> None:
    totals = read_totals(state)
    assert (totals.finished, totals.failed) == (1, {"temp_space": 1})
    assert totals.phases == {"chiapos/k32/1": [1, 7000.0], "chiapos/k32/copy": [1, 900.0]}


def test_pacing_goes_on(state: Path) -> None:
    assert last_start(state) == START
    assert read_last_good(state)["max_plots"] == 12
    assert read_number(state / "index", 0) == 7
    (state / "pacer.json").touch()
    detail = "232 s since the last start of 900 s plot_gap"
    assert read_report(state, 60) == Report("plot_gap", detail)
    assert waiting(state) == 1


def test_what_diskhand_knows(state: Path) -> None:
    stamp = 1789990000000000000
    own = {"disk1": Own(9999999999999, stamp, "full"), "disk2": Own(1234567, stamp)}
    assert read_own(state) == own
    assert read_plots(state) == {"/farm/1/disk1": 17}
    assert read_temp_faults(state) == {"/plot_temp/2": "Input/output error"}


def test_the_log_is_read_on(state: Path) -> None:
    document = json.loads((state / "harvester_log/harvester_log.json").read_text())
    record = decode(Record, document)
    assert (record.since, record.lost, record.cut) == (1789980000.0, 1, 2)
    assert record.position is not None
    assert record.position["offset"] == 300
    tally = record.tally
    assert (tally.lines, tally.eligible_plots, tally.proofs_v2, tally.total_plots) == (2, 3, 2, 40)


def test_a_counter_that_a_later_release_adds_begins_at_its_default() -> None:
    document = encode(Tally(lines=3))
    for name in ("proofs_v2", "buckets", "last_eligible"):
        del document[name]
    assert decode(Tally, document) == Tally(lines=3)


# The first release's own reading of a state folder, as its tractors do it during an upgrade.
_READ = """
import json, sys
from pathlib import Path
from goplot.host.jobstore import read_jobs, read_results
from goplot.pacer.report import read_report
from goplot.tractor.reserve import last_start
state = Path(sys.argv[1])
jobs, broken = read_jobs(state / "jobs")
report = read_report(state, 60)
print(json.dumps({
    "jobs": [job.index for job in jobs],
    "broken": broken,
    "results": [one.index for one in read_results(state)],
    "last_start": last_start(state) is not None,
    "report": report and report.reason,
}))
"""


def test_the_first_release_reads_what_is_written_now(root: FarmRoot, tmp_path: Path) -> None:
    run(root, reserve(root))
    root.configure(fate="fail")
    run(root, reserve(root))
    reserve(root)
    state = root.path / "state"
    write_report(state, Report("max_plots", "8 plots run"), clock.now())
    services = services_before(tmp_path / "releases")
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(state)],
        env={**os.environ, "PYTHONPATH": str(services)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == {
        "jobs": [3],
        "broken": {},
        "results": [1, 2],
        "last_start": True,
        "report": "max_plots",
    }


@dataclass(frozen=True)
class _Inner:
    number: int
    share: float = 0.5


@dataclass(frozen=True)
class _Outer:
    path: Path
    stage: Stage
    inner: _Inner
    names: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b'{"a"', b"\xff", b'{"a": null}', b'{"a": []}', b'{"a": Infinity}'],
)
def test_a_damaged_file_is_as_good_as_none(content: bytes, tmp_path: Path) -> None:
    names = (
        "diskhand.json",
        "last_poll.json",
        "last_start.json",
        "pacer.json",
        "plots.json",
        "refusals.json",
        "totals.json",
    )
    for name in names:
        (tmp_path / name).write_bytes(content)
    assert last_start(tmp_path) is None
    assert read_report(tmp_path, 60) is None
    assert not read_own(tmp_path)
    assert not read_plots(tmp_path)
    assert not read_refusals(tmp_path)
    assert read_totals(tmp_path).finished == 0


def test_what_is_encoded_is_decoded() -> None:
    value = _Outer(Path("/farm/1"), Stage.PLOTTING, _Inner(3), {"a": 1})
    assert decode(_Outer, json.loads(json.dumps(encode(value)))) == value
    assert {entry.name for entry in fields(_Outer)} == set(encode(value))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"path": "/", "stage": "plotting"},
        {"path": "/", "stage": "flying", "inner": {"number": 3}},
        {"path": "/", "stage": "plotting", "inner": {"number": "3"}},
        {"path": "/", "stage": "plotting", "inner": 3},
        {"path": 4, "stage": "plotting", "inner": {"number": 3}},
    ],
)
def test_what_is_damaged_is_reported(document: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        decode(_Outer, document)


def _with_more(document: dict[str, object]) -> dict[str, object]:
    """A table of a later release: a further key in it, and in every table that a record holds."""
    nested = ("format", "start", "tally")
    longer = {
        key: _with_more(value) if key in nested and isinstance(value, dict) else value
        for key, value in document.items()
    }
    return {**longer, "added_later": {"x": 1}}


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document) + "\n")
