"""Names from disk are bytes: whatever they are, every program goes on and shows them."""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goplot.cli import main as goplot
from goplot.collectors.harvester import scan
from goplot.collectors.plotter import main as plotter_collector
from goplot.diskhand.service import main as diskhand
from goplot.farm.disks import LINK, NOT_UTF8
from goplot.farm.names import is_utf8, shown
from goplot.host.mounts import read_mounts
from goplot.host.notify import notify
from goplot.host.observe import list_disks, observe
from goplot.host.processes import foreign_plots
from goplot.host.textfile import read_samples
from tests.support.farm_root import FarmRoot, make_farm_root
from tests.support.jobs import reserve, results, run
from tests.support.processes import add_process

ODD = "cass\udce9"
SHOWN = r"cass\xe9"

NAMES = (
    st.binary(min_size=1, max_size=255)
    .map(lambda raw: raw.replace(b"/", b"").replace(b"\0", b""))
    .filter(lambda name: name not in (b"", b".", b"..", b"lost+found"))
    .map(os.fsdecode)
)


def program(root: FarmRoot, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of goplot in a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments, "--settings", str(root.settings_path)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def samples(root: FarmRoot, name: str, disk: str) -> list[float]:
    """The values of a metric of the plotter's textfile for a disk."""
    text = (root.path / "textfiles" / "goplot_plotter.prom").read_text()
    return [value for labels, value in read_samples(text)[name] if labels["disk"] == disk]


def add_odd(root: FarmRoot, kind: str) -> None:
    """Add the folder whose name is not UTF-8, as a plain folder or as the only disk there is."""
    root.add_disk(1, ODD, mounted=kind == "mounted")
    if kind == "mounted":
        for farm, name in ((1, "disk1"), (1, "disk3"), (2, "disk2")):
            root.unmount(root.disk(farm, name))


@pytest.mark.parametrize("kind", ["plain", "mounted"])
def test_a_folder_whose_name_is_not_utf_8_is_shown_and_stops_nothing(
    root: FarmRoot, kind: str
) -> None:
    add_odd(root, kind)
    path = f"{root.path}/farm/1/{SHOWN}"
    for _ in range(2):
        done = program(root, "goplot.diskhand.service")
        assert done.returncode == 0, done.stderr
    text = (root.path / "logs" / "diskhand.log").read_text()
    assert f"{path} is unusable: its name is not UTF-8, setting size to 9999999999999" in text
    assert program(root, "goplot.collectors.plotter").returncode == 0
    assert samples(root, "goplot_disk_mounted", SHOWN) == [int(kind == "mounted")]
    assert samples(root, "goplot_disk_in_rotation", SHOWN) == [0]
    status = program(root, "goplot.cli", "status")
    assert f"disk {path} is unusable: its name is not UTF-8" in status.stdout, status.stderr
    disks = program(root, "goplot.cli", "disks", "--json")
    (disk,) = (entry for entry in json.loads(disks.stdout) if entry["disk"] == SHOWN)
    assert (disk["path"], disk["state"]) == (path, "its name is not UTF-8")
    assert (disk["in_rotation"], disk["room"]) == (False, 0)
    assert SHOWN in program(root, "goplot.cli", "disks").stdout
    plot = program(root, "goplot.cli", "plot", "--dry-run")
    assert plot.returncode == (0 if kind == "plain" else 4), plot.stderr


def test_the_pacer_and_the_tractor_work_beside_it(root: FarmRoot) -> None:
    add_odd(root, "plain")
    root.add_disk(2, ODD)
    job = reserve(root)
    done = program(root, "goplot.tractor.service", str(job.index))
    assert done.returncode == 0, done.stderr
    assert results(root)[0].done


def test_the_pacer_says_why_it_starts_nothing(root: FarmRoot) -> None:
    add_odd(root, "mounted")
    pacer = subprocess.Popen(
        [sys.executable, "-m", "goplot.pacer.service", "--settings", str(root.settings_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert pacer.stderr is not None
    try:
        lines = iter(pacer.stderr.readline, "")
        assert any("no disk is mounted, writable and in rotation" in line for line in lines)
    finally:
        pacer.terminate()
        pacer.communicate()
    assert pacer.returncode == 0


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_a_disk_that_is_a_link_is_listed(root: FarmRoot, target: str) -> None:
    place = root.path / "elsewhere"
    place.mkdir()
    root.mount(place)
    root.disk(1, "linked").symlink_to(root.path / target)
    assert program(root, "goplot.diskhand.service").returncode == 0
    assert "linked is a link: mount it here" in (root.path / "logs" / "diskhand.log").read_text()
    assert program(root, "goplot.collectors.plotter").returncode == 0
    assert samples(root, "goplot_disk_mounted", "linked") == [0]
    path = root.disk(1, "linked")
    assert f"disk {path} is a link: mount it here" in program(root, "goplot.cli", "status").stdout
    disks = program(root, "goplot.cli", "disks").stdout
    (line,) = (line for line in disks.splitlines() if " linked " in line)
    assert "is a link: mount it here" in line
    (disk,) = (disk for disk in observe(root.settings).disks if disk.name == "linked")
    assert (disk.trouble, disk.available, disk.mounted) == (LINK, 0, False)
    assert run(root, reserve(root))


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Take what is written in a strict encoding, which lets no surrogate through."""
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")),
        contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO(), "utf-8", "strict")),
    ):
        yield


@settings(max_examples=20)
@given(name=NAMES, kind=st.sampled_from(["plain", "mounted", "link"]))
@example(name=ODD, kind="mounted")
@example(name="²", kind="mounted")
@example(name="a\x85b\u2028\r\x1c", kind="mounted")
@example(name="a\nb\tc \\040", kind="mounted")
@example(name="\udcff" * 255, kind="mounted")
@example(name="n" * 255, kind="mounted")
def test_any_name_lets_every_program_end_well(name: str, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        root = make_farm_root(Path(folder))
        if kind == "link":
            root.disk(1, name).symlink_to(root.path)
        else:
            root.add_disk(1, name, mounted=kind == "mounted")
        arguments = ["--settings", str(root.settings_path)]
        patch.setattr("sys.argv", ["program", *arguments])
        with silent():
            assert diskhand() == 0
            assert diskhand() == 0
            assert plotter_collector() == 0
            for words in (["status"], ["disks"], ["status", "--json"], ["plot", "--dry-run"]):
                assert goplot([*words, *arguments]) in (0, 3)
        read_samples((root.path / "textfiles" / "goplot_plotter.prom").read_bytes().decode())
        (disk,) = (disk for disk in observe(root.settings).disks if disk.name == shown(name))
        assert disk.mounted == (kind == "mounted")
        assert (disk.trouble == NOT_UTF8) == (not is_utf8(name))
        mounts = read_mounts(root.path / "mountinfo")
        found = scan((path for _, _, path in list_disks(root.path / "farm")), mounts)
        assert found[root.disk(1, name)].mounted == (kind == "mounted")


@given(text=st.text(st.characters()) | st.binary().map(os.fsdecode))
def test_what_is_shown_can_be_encoded_and_says_which_bytes(text: str) -> None:
    shown(text).encode()
    assert (shown(text) == text) == is_utf8(text)


def test_systemd_is_reported_names_that_can_be_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify(f"STATUS={ODD}")
        assert systemd.recv(100).decode() == f"STATUS={SHOWN}"


def test_bytes_are_shown_as_such() -> None:
    assert shown(ODD) == SHOWN
    assert shown("\ud800") == r"\ud800"


def test_a_name_does_nothing_to_the_terminal(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    root.add_disk(1, "\x1b[2Jgone\x9b")
    for words in (["disks"], ["disks", "--json"]):
        assert goplot([*words, "--settings", str(root.settings_path)]) in (0, 3)
        printed = capsys.readouterr().out
        assert "[2Jgone" in printed
        assert not {"\x1b", "\x9b"} & set(printed)


@given(words=st.lists(st.binary().map(lambda raw: raw.replace(b"\0", b"")), max_size=6))
@example(words=[b"-k", "²".encode()])
@example(words=[b"-k", b"\xe9", b"-t", b"/srv/\xe9"])
def test_any_arguments_of_a_process_are_read(words: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for start in (["chia", "plots", "create"], ["chia_plot"], ["bladebit", "ramplot"]):
            proc = Path(folder) / start[0]
            add_process(proc, 1, [*start, *map(os.fsdecode, words)])
            assert len(foreign_plots(proc, ())) <= 1
