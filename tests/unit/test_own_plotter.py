"""A program of the user's own names its plots as it likes: none is lost, whatever it is called."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from goplot.cli import main
from goplot.diskhand.service import main as diskhand
from goplot.farm.jobs import Stage, partial_name
from goplot.host import clock
from goplot.host.jobstore import write_job
from goplot.host.log import Log
from goplot.host.tunables import read_tunables
from goplot.pacer.decision import Reason
from goplot.pacer.start import start_plot
from goplot.tractor.job import JobRun
from goplot.tractor.state import JobState
from tests.support.farm_root import PLOT_ID, FarmRoot
from tests.support.jobs import NAME, NoUnits, leftovers, reserve, results, run

OTHER_ID = "cd" * 32
SIZE = 3889102
# It makes one file for each of its arguments after the folder: `name`, or `name:header`, where the
# header is an id, or "none".
PROGRAM = """\
import os, sys
folder, *files = sys.argv[1:]
for file in files:
    name, _, header = file.partition(":")
    path = os.path.join(os.fsencode(folder), bytes.fromhex(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        if header != "none":
            out.write(b"Proof of Space Plot" + bytes.fromhex(header) + bytes([18]))
        out.write(bytes.fromhex(header[:2] * 99 if header != "none" else "00"))
        out.truncate(%d)
"""


def leave(root: FarmRoot, *files: tuple[str, str], after: str = "") -> None:
    """Let the next plots come from a program that leaves files of these names and headers.

    `after` is a line of shell that follows.
    """
    program = root.path / "own.py"
    program.write_text(PROGRAM % SIZE)
    words = [f"{os.fsencode(name).hex()}:{header}" for name, header in files]
    script = " ".join([sys.executable, str(program), '"$1"', *words])
    command = json.dumps(["/bin/sh", "-c", f"{script}\n{after}", "sh", "{folder}"])
    own = f'command = {command}\ngrammar = "madmax"\ntemp_gib = 0.1'
    root.configure(more=f"[plotters.own]\n{own}\n")
    text = root.settings_path.read_text()
    root.settings_path.write_text(text.replace("[plot]\n", '[plot]\nplotter = "own"\n'))


def on_disks(root: FarmRoot) -> list[str]:
    """The names of all files in the plots folders."""
    return sorted(path.name for path in root.path.glob("farm/*/*/plots/*"))


def on_temp(root: FarmRoot) -> list[str]:
    """The names of all files on the temp farms."""
    files = (path.name for path in leftovers(root) if path.is_file())
    return sorted(name for name in files if name != ".goplot-probe")


def with_second(root: FarmRoot, after: str) -> None:
    """Let the next plots use temp farm 2 for second temporary files, and leave one there."""
    command = json.dumps(
        ["/bin/sh", "-c", f'touch "$2/a.tmp"\n{after}', "sh", "{folder}", "{temp2}"]
    )
    own = f'command = {command}\ngrammar = "madmax"\ntemp_gib = 0.1\ntemp2 = 2\ntemp2_gib = 0.05'
    root.configure(more=f"[plotters.own]\n{own}\n")
    text = root.settings_path.read_text()
    root.settings_path.write_text(text.replace("[plot]\n", '[plot]\nplotter = "own"\n'))


def test_second_temporary_files_are_in_their_temp_farm_and_are_removed(root: FarmRoot) -> None:
    with_second(root, 'ls "$2" >"$1/../seen"; exit 3')
    for index in (1, 2):
        job = reserve(root)
        assert (job.temp_path, job.temp2_path) == (root.temp(1), root.temp(2))
        assert job.temp2_bytes == int(0.05 * (1 << 30))
        assert not run(root, job)
        assert results(root)[-1].index == index
    assert (root.temp(1) / "seen").read_text() == "a.tmp\n"
    assert list(root.temp(2).iterdir()) == []


def test_second_temporary_files_of_a_tractor_that_died_are_removed(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_second(root, "exit 3")
    job = reserve(root)
    assert job.temp2_folder is not None
    # Both as a power cut leaves them: the job is there, or it has ended while the farm was away.
    for folder in (job.folder, job.temp2_folder):
        folder.mkdir()
        (folder / "b.tmp").touch()
    write_job(root.path / "state" / "jobs", replace(job, stage=Stage.PLOTTING))
    assert not run(root, replace(job, stage=Stage.PLOTTING))
    assert not job.temp2_folder.exists()
    job.temp2_folder.mkdir()
    (job.temp2_folder / "b.tmp").touch()
    run_diskhand(root, monkeypatch)
    assert not job.temp2_folder.exists()


def test_no_plot_starts_without_its_second_temp_farm(root: FarmRoot) -> None:
    with_second(root, "exit 3")
    root.unmount(root.temp(2))
    turn = start_plot(root.settings, read_tunables(root.path / "config", {}), NoUnits())
    assert turn.job is None
    assert turn.decision.reason is Reason.NO_TEMP


def run_diskhand(root: FarmRoot, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run goplot-diskhand. Returns its log."""
    monkeypatch.setattr("sys.argv", ["goplot-diskhand", "--settings", str(root.settings_path)])
    assert diskhand() == 0
    return (root.path / "logs" / "diskhand.log").read_text()


def status(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> str:
    """What `goplot status` shows."""
    capsys.readouterr()
    main(["status", "--settings", str(root.settings_path)])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        f"plot-k32-c7-2023-02-26-16-58-{PLOT_ID}.plot",
        f"plot-k32-c07-2023-04-24-10-10-{PLOT_ID}.plot",
        f"plot-k32-c19-2024-02-24-17-10-{PLOT_ID}.plot",
        f"plot-k32-c30-2024-03-10-19-51-{PLOT_ID}.plot",
        f"{PLOT_ID}.plot",
        "mine.plot",
        "my plot.plot",
        "cass\udce9.plot",
        "строка.plot2",
        ".plot",
        f"{'n' * 250}.plot",
        "-rf.plot",
        "out/deeper/mine.plot",
    ],
)
def test_it_is_delivered_under_its_own_name(root: FarmRoot, name: str) -> None:
    leave(root, (name, PLOT_ID))
    assert run(root, reserve(root))
    assert on_disks(root) == [Path(name).name]
    assert leftovers(root) == []
    (result,) = results(root)
    assert (result.done, result.detail, result.plot_file) == (True, "", Path(name).name)
    assert (root.path / "logs" / "goplot.log").read_text().count("done: ") == 1


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (NAME, "none"),
        ("plot-k28-abcd.plot2", "none"),
        ("group.gplot", "none"),
        (NAME, OTHER_ID),
        ("sub/cass\udce9.plot", "none"),
    ],
)
def test_what_can_not_be_verified_is_kept_and_named(
    root: FarmRoot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    header: str,
) -> None:
    leave(root, (name, header), ("x.sort_bucket_000.tmp", "none"))
    job = reserve(root)
    assert not run(root, job)
    for _ in range(2):
        shown = name.replace("\udce9", r"\xe9")
        (result,) = results(root)
        assert (result.done, result.reason) == (False, "verify")
        assert f"left in {job.folder}: {shown}" in result.detail
        assert shown in (root.path / "logs" / "goplot.log").read_text()
        assert f"{job.folder / shown} is a finished plot that no job" in status(root, capsys)
        main(["status", "--json", "--settings", str(root.settings_path)])
        document = json.loads(capsys.readouterr().out)
        assert document["kept_plots"] == [str(job.folder / shown)]
        assert on_temp(root) == [Path(name).name]
        log = run_diskhand(root, monkeypatch)
        assert (
            f"{job.folder} holds a finished plot that no job delivers; it is kept: {shown}" in log
        )


def test_of_two_plots_one_is_delivered_and_the_other_kept(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(root, ("b.plot", PLOT_ID), ("a.plot", OTHER_ID))
    job = reserve(root)
    assert run(root, job)
    run_diskhand(root, monkeypatch)
    assert (on_disks(root), on_temp(root)) == (["a.plot"], ["b.plot"])
    assert results(root)[0].detail == f"; left in {job.folder}: b.plot"
    assert "b.plot is a finished plot that no job delivers" in status(root, capsys)


def test_a_broken_plot_does_not_hide_a_whole_one(root: FarmRoot) -> None:
    leave(root, ("a.plot", "none"), ("b.plot", PLOT_ID))
    assert run(root, reserve(root))
    assert (on_disks(root), on_temp(root)) == (["b.plot"], ["a.plot"])


def test_a_disk_that_has_another_plot_of_the_name_is_left_alone(root: FarmRoot) -> None:
    leave(root, ("out.plot", PLOT_ID))
    first = reserve(root)
    assert run(root, first)
    leave(root, ("out.plot", OTHER_ID))
    second = reserve(root)
    # As if its turn had come again.
    second = replace(second, dest_farm=first.dest_farm, disk=first.disk, disk_path=first.disk_path)
    assert run(root, second)
    plots = [path.read_bytes()[19:51].hex() for path in root.path.glob("farm/*/*/plots/out.plot")]
    assert sorted(plots) == [PLOT_ID, OTHER_ID]
    assert leftovers(root) == []
    assert results(root)[1].disk != first.disk


def test_a_half_copy_under_the_plots_name_is_not_a_copy(root: FarmRoot) -> None:
    leave(root, (NAME, PLOT_ID))
    job = reserve(root)
    header = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([18])
    (job.disk_path / "plots" / NAME).write_bytes(header)
    assert run(root, job)
    assert results(root)[0].disk != job.disk
    sizes = [path.stat().st_size for path in root.path.glob(f"farm/*/*/plots/{NAME}")]
    assert sorted(sizes) == [len(header), SIZE]


def test_names_of_copies_under_way_are_never_shared() -> None:
    assert partial_name(NAME, PLOT_ID) == f"{NAME}.tmp"
    assert partial_name("out.plot", PLOT_ID) != partial_name("out.plot", OTHER_ID)
    assert len(partial_name("n" * 300 + PLOT_ID, PLOT_ID)) < 255


def test_a_copy_that_was_cut_off_is_removed_whatever_the_plots_name(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(root, ("out.plot", PLOT_ID))
    assert run(root, reserve(root))
    plots = root.disk(2, "disk2") / "plots"
    (plots / partial_name("out.plot", PLOT_ID)).write_bytes(b"half")
    (plots / "out.plot.tmp").write_bytes(b"somebody copies")
    run_diskhand(root, monkeypatch)
    assert [path.name for path in plots.iterdir()] == ["out.plot.tmp"]


def test_a_plot_that_gets_its_name_after_its_plotter_has_ended(root: FarmRoot) -> None:
    rename = (
        'cd "$1"; (while ! test -e ../go; do sleep 0.05; done; mv a.plot.tmp a.plot) >&- 2>&- &'
    )
    leave(root, ("a.plot.tmp", PLOT_ID), after=f"touch ../left; {rename}")
    job = reserve(root)
    log = Log(root.path / "logs" / "goplot.log", "prejob")
    waits = []

    def wait(_: float) -> None:
        waits.append(on_temp(root))
        (job.temp_path / "go").touch()
        subprocess.run(["sleep", "0.1"], check=True)

    assert JobRun(JobState(root.settings, job, log, wait)).run()
    assert "a.plot.tmp" in waits[0]
    assert on_disks(root) == ["a.plot"]
    assert not job.folder.exists()


def test_a_whole_plot_that_never_got_its_name_gets_it(root: FarmRoot) -> None:
    leave(root, (f"{NAME}.tmp", PLOT_ID))
    assert run(root, reserve(root))
    assert on_disks(root) == [NAME]
    assert leftovers(root) == []


def test_a_plotter_that_failed_left_nothing_whole_under_a_temporary_name(root: FarmRoot) -> None:
    leave(root, (f"{NAME}.tmp", PLOT_ID), after="exit 3")
    assert not run(root, reserve(root))
    assert leftovers(root) == []


def test_a_whole_plot_of_a_killed_job_is_delivered(root: FarmRoot) -> None:
    leave(root, ("mine.plot", PLOT_ID), after="kill -9 $$")
    assert run(root, reserve(root))
    assert on_disks(root) == ["mine.plot"]


def test_a_partial_plot_of_a_killed_job_is_kept(root: FarmRoot) -> None:
    leave(root, ("mine.plot", "none"), after="kill -9 $$")
    assert not run(root, reserve(root))
    assert on_temp(root) == ["mine.plot"]
    assert "mine.plot" in results(root)[0].detail


def test_a_plot_of_a_host_that_went_down_is_kept_for_a_person(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    job = reserve(root)
    job.folder.mkdir()
    (job.folder / "mine.plot").write_bytes(b"\0" * SIZE)
    job = replace(job, stage=Stage.PLOTTING, start=replace(clock.now(), boot_id="another"))
    write_job(root.path / "state" / "jobs", job)
    assert not run(root, job)
    assert results(root)[0].reason == "crash"
    assert on_temp(root) == ["mine.plot"]
    assert "mine.plot is a finished plot that no job delivers" in status(root, capsys)


def test_cleaning_up_leaves_plots_of_others(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = reserve(root)
    assert run(root, job)
    job.folder.mkdir()
    # The delivered plot is back after a power cut; the others never were goplot's.
    header = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([18])
    (job.folder / NAME).write_bytes(header)
    (job.folder / f"{OTHER_ID}.plot").write_bytes(b"x")
    (root.temp(1) / "by hand.plot").write_bytes(b"x")
    run_diskhand(root, monkeypatch)
    assert on_temp(root) == ["by hand.plot", f"{OTHER_ID}.plot"]


def test_the_delivered_plots_name_alone_is_not_a_proof(
    root: FarmRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(root, ("out.plot", PLOT_ID))
    job = reserve(root)
    assert run(root, job)
    job.folder.mkdir()
    header = b"Proof of Space Plot" + bytes.fromhex(OTHER_ID) + bytes([18])
    (job.folder / "out.plot").write_bytes(header)
    run_diskhand(root, monkeypatch)
    assert on_temp(root) == ["out.plot"]


def test_a_program_that_ends_well_without_a_plot_is_reported(root: FarmRoot) -> None:
    leave(root)
    job = reserve(root)
    assert not run(root, job)
    assert f"it left no plot in {job.folder}" in results(root)[0].detail


def test_what_a_plotter_writes_need_not_be_utf_8(root: FarmRoot) -> None:
    leave(root, after="printf 'Failed to write to /srv/caf\\351\\n'; exit 1")
    job = reserve(root)
    assert not run(root, job)
    assert "Failed to write to /srv/caf\ufffd" in results(root)[0].detail
    assert b"/srv/caf\xe9\n" in (job.disk_path / "logs" / job.log_name).read_bytes()


def test_a_stop_while_its_processes_are_at_work_ends_the_job(root: FarmRoot) -> None:
    leave(root, after='cd "$1"; (exec sleep 600) >&- 2>&- & echo $! > ../pid')
    job = reserve(root)
    log = Log(root.path / "logs" / "goplot.log", "prejob")

    def stop(_: float) -> None:
        job_run.stop()

    job_run = JobRun(JobState(root.settings, job, log, stop))
    try:
        assert not job_run.run()
    finally:
        os.kill(int((root.temp(1) / "pid").read_text()), signal.SIGKILL)
    assert results(root)[0].reason == "stopped"
