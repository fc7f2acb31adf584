"""A bash goplot: what of it is found, named, ended and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.modules import load_module

_UTILS = "ansible.module_utils"
ending = load_module("common/module_utils/common_ending.py", _UTILS)
bash = load_module("common/module_utils/common_bash_goplot.py", _UTILS)
module = load_module("goplot/library/goplot_existing.py")

CRON = """\
*/5 * * * * /etc/chia/goplot/diskhand.sh
#*/5 * * * * /etc/chia/goplot/diskhand.sh
*/1 * * * * /etc/chia/goplot/collectors/goplot_collector.sh | sponge > /x/goplotstats.prom
0 3 * * * /usr/local/bin/backup.sh /etc/chia/goplot
0 4 * * * /home/me/mygoplot.sh
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for pid, command in (
        ("self", ""),
        ("11", "bash\0/etc/chia/goplot/goplot.sh\0"),
        ("12", "/bin/bash\0./tractor.sh\0"),
        ("13", "/bin/bash\0./harvesterlog.sh\0"),
        ("14", "vi\0/etc/chia/goplot/goplot.sh\0"),
        ("15", "/usr/bin/python3\0diskhand.sh\0"),
        ("16", "bash\0/etc/chia/goplot/goplot.sh\0"),
        ("17", "/venv/bin/python\0/venv/bin/chia\0plots\0create\0-k\x0032\0"),
    ):
        folder = tmp_path / "proc" / pid
        (folder / "ns").mkdir(parents=True)
        (folder / "ns/pid").symlink_to("pid:[1]")
        (folder / "cmdline").write_text(command)
        parent = {"16": 11, "17": 16}.get(pid, 1)
        (folder / "stat").write_text(f"{pid} (some (name) S) S {parent} 1 1\n")
    spool = tmp_path / "var/spool/cron/crontabs"
    spool.mkdir(parents=True)
    (spool / "root").write_text(CRON)
    return tmp_path


def test_loops_and_lines_of_crontabs_are_found_and_nothing_else(host: Path) -> None:
    found = bash.look(host)
    assert [one.name for one in found.loops] == ["goplot.sh", "harvesterlog.sh"]
    # The copy of goplot.sh that waits for its plot is a job, too.
    assert [one.pid for one in found.jobs] == [12, 16]
    assert [one.line for one in found.cron] == [CRON.splitlines()[0], CRON.splitlines()[2]]
    assert {one.user for one in found.cron} == {"root"}


def test_they_are_named_until_the_owner_has_chosen(host: Path) -> None:
    found = bash.look(host)
    (line,) = bash.refused(found, "refuse")
    for word in ("goplot.sh (process 11)", "diskhand.sh' in the crontab of root", "adopt"):
        assert word in line
    assert bash.refused(found, "adopt") == []
    assert "tractor.sh (process 12), which finishes its plot" in bash.takes(found, "adopt")[0]


def test_files_alone_need_no_choice(tmp_path: Path) -> None:
    (tmp_path / "etc/chia/goplot/config").mkdir(parents=True)
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    (tmp_path / "proc/self/ns/pid").symlink_to("pid:[1]")
    found = bash.look(tmp_path)
    assert bash.refused(found, "refuse") == []
    assert bash.takes(found, "adopt") == []
    folder = tmp_path / "etc/chia/goplot"
    assert not bash.is_there(found, folder)
    (folder / "logs").symlink_to(tmp_path)
    assert not bash.is_there(found, folder)
    (folder / "logs").unlink()
    (folder / "logs").mkdir()
    assert bash.is_there(found, folder)


def test_a_line_becomes_a_comment_and_the_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "root"
    file.write_text(CRON)
    first = CRON.splitlines()[0]
    ending.comment_out(ending.CronLine(str(file), "root", first))
    assert file.read_text() == f"{ending.MARK}{CRON}"


def test_logs_are_moved_and_none_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.os, "chown", lambda *_, **__: None)
    monkeypatch.setattr(module.pwd, "getpwnam", lambda _: module.pwd.getpwuid(0))
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, "from bash"), (new, "of now")):
        folder.mkdir()
        (folder / "goplot.log").write_text(text)
    (old / "diskhand.log").write_text("disks")
    module._take_logs(old, new)
    assert not old.exists()
    texts = {file.name: file.read_text() for file in new.iterdir()}
    assert texts == {
        "goplot.log": "of now",
        "goplot.log.bash": "from bash",
        "diskhand.log": "disks",
    }
