"""Files that are written whole or not at all."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from goplot.host.files import remove_unfinished, write_whole
from goplot.host.jobstore import Result, end_job, read_results
from goplot.host.log import Log, start_logging
from goplot.host.totals import read_totals


def test_what_a_killed_process_left_is_used_up(tmp_path: Path) -> None:
    file = tmp_path / "value"
    (tmp_path / ".value.new").write_text("half of a much longer text")
    write_whole(file, "new\n")
    assert file.read_text() == "new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["value"]


def test_what_is_in_the_making_stays_and_the_rest_goes(tmp_path: Path) -> None:
    (tmp_path / ".left.new").write_text("x")
    (tmp_path / "kept").write_text("x")
    with (tmp_path / ".busy.new").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".busy.new", "kept"]


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    write_whole(tmp_path / "value", "x")
    os.umask(before)
    assert (tmp_path / "value").stat().st_mode & 0o777 == 0o644


def test_many_writers_leave_one_of_their_texts(tmp_path: Path) -> None:
    texts = [str(number) * (number * 500 + 1) for number in range(8)]

    def write_thrice(text: str) -> None:
        for _ in range(3):
            write_whole(tmp_path / "v", text)

    threads = [threading.Thread(target=write_thrice, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "v").read_text() in texts
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_a_failed_write_leaves_the_old_text(tmp_path: Path) -> None:
    (tmp_path / "value").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "value", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["value"]


def result(index: int, *, done: bool = True) -> Result:
    """A result."""
    return Result(index, done, "" if done else "x", "", 1.0, 2.0, "chiapos", "k18", 1, "a", 1)


def test_results_are_recorded_once_and_outlive_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    end_job(tmp_path, result(1))
    end_job(tmp_path, result(1))
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"index": 2, "do')
    end_job(tmp_path, result(3, done=False))
    assert [found.index for found in read_results(tmp_path)] == [1, 3]


def test_totals_go_on_where_they_were(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    assert read_totals(tmp_path).finished == 0
    for index in range(1, 4):
        end_job(tmp_path, result(index))
        assert read_totals(tmp_path).finished == index
    end_job(tmp_path, result(4, done=False))
    assert read_totals(tmp_path).failed == {"x": 1}
    assert read_totals(tmp_path).failed == {"x": 1}
    # The kept totals are lost: they are counted anew.
    (tmp_path / "totals.json").unlink()
    assert (read_totals(tmp_path).finished, read_totals(tmp_path).failed) == (3, {"x": 1})


def test_a_log_that_can_not_be_written_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start_logging()
    Log(tmp_path / "none" / "goplot.log", "goplot")("text")
    assert "cannot write" in capsys.readouterr().err


def test_a_line_of_the_log_is_one_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "goplot.log", "goplot")
    log("one\ntwo")
    log("three", "endplot")
    lines = (tmp_path / "goplot.log").read_text().splitlines()
    assert [line.split(" - ")[1] for line in lines] == ["goplot   : one; two", "endplot  : three"]
