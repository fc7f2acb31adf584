"""Scenarios that run side by side."""

import pytest

from tests.tools.side_by_side import SideBySide


def test_the_output_of_each_is_shown_behind_its_name(capfd: pytest.CaptureFixture[str]) -> None:
    failed = SideBySide().run(
        {"one": ("-c", "print('a'); print('b')"), "two": ("-c", "import sys; sys.exit('c')")}
    )
    assert failed == {"two": 1}
    lines = capfd.readouterr().out.splitlines()
    assert sorted(lines) == ["one: a", "one: b", "two: c"]


def test_two_run_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each waits for the other through a pipe with two ends."""
    pipe = tmp_path_factory.mktemp("pipes") / "pipe"
    # Alone, it would wait for ever.
    make = f"import os, signal; signal.alarm(60); os.mkfifo({str(pipe)!r})"
    write = f"{make}; open({str(pipe)!r}, 'w').write('x')"
    wait = "import pathlib, time\nwhile not pathlib.Path({0!r}).exists(): time.sleep(0.01)\n"
    read = wait.format(str(pipe)) + f"assert open({str(pipe)!r}).read() == 'x'"
    assert SideBySide().run({"one": ("-c", write), "two": ("-c", read)}) == {}


def test_after_a_failure_no_further_one_starts(capfd: pytest.CaptureFixture[str]) -> None:
    bad = ("-c", "import sys; sys.exit(3)")
    runs = {"one": bad, "two": bad, "three": bad, "four": ("-c", "print('started')")}
    failed = SideBySide().run(runs)
    assert set(failed) <= {"one", "two", "three"}
    assert "four: not run" in capfd.readouterr().out
