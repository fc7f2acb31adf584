"""`goplot keys` and `goplot chia`, with a program in the place of Chia's that keeps a keyring."""

from __future__ import annotations

import getpass
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from goplot.cli import PROBLEMS, main
from goplot.people.keys import Key, Keys, keys_text, next_step, parse_keys, read_words
from tests.support.terminal import on_a_terminal

WORDS = " ".join(["abandon"] * 23 + ["art"])
SHOWN = {"fingerprint": 7, "farmer_pk": "f" * 96, "pool_pk": "a" * 96, "mnemonic": None}
#: As Chia: it takes the words from its standard input and ends with 0, whatever it did.
CHIA = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CHIA_ROOT"] + "/called", "a") as log:
    log.write(json.dumps([sys.argv[1:], dict(os.environ), os.geteuid()]) + chr(10))
keys = os.environ["CHIA_KEYS_ROOT"] + "/keyring"
if sys.argv[1:3] == ["keys", "show"]:
    print("a warning")
    print(json.dumps({{"keys": [{SHOWN!r}] if os.path.exists(keys) else []}}))
elif sys.argv[1:3] == ["keys", "add"]:
    if sys.stdin.readline() == "{WORDS}" + chr(10):
        open(keys, "w").close()
elif sys.argv[1:2] == ["show"]:
    print("tty", sys.stdout.isatty())
    sys.exit(9)
elif sys.argv[1:2] == ["fails"]:
    sys.exit("no such thing")
"""


class Farmer:
    """CHIA_ROOT, a keyring, the program and goplot's settings."""

    def __init__(self, folder: Path) -> None:
        self.root, self.keys = folder / "root", folder / "keys"
        self.settings, self.program = folder / "settings.toml", folder / "bin/chia"
        for path in (self.root, self.keys, self.program.parent):
            path.mkdir()
        self.program.write_text(CHIA)
        self.program.chmod(0o755)
        self.settings.write_text(
            f'[roots]\nstate = "{folder}"\ntextfiles = "{folder}"\n[chia]\nroot = "{self.root}"\n'
            f'keys_root = "{self.keys}"\nprogram = "{self.program}"\n'
        )

    def goplot(self, *arguments: str) -> int:
        """Run a command."""
        return main(["--settings", str(self.settings), *arguments])

    def calls(self) -> list[tuple[list[str], dict[str, str], int]]:
        """Arguments, environment and user of each call of Chia's program."""
        lines = (self.root / "called").read_text().splitlines()
        return [tuple(json.loads(line)) for line in lines]


@pytest.fixture
def farmer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Farmer:
    """A farmer with an empty keyring; a person types at a terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("goplot.people.keys._restart", lambda: "restarted")
    return Farmer(tmp_path)


def test_an_empty_keyring_is_a_problem_with_its_cure(
    farmer: Farmer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert farmer.goplot("keys") == PROBLEMS
    shown = capsys.readouterr().out
    assert "the keyring is empty" in shown
    assert "sudo goplot keys add" in shown
    assert "sudo goplot chia keys generate" in shown


def test_words_reach_the_keyring_and_nothing_else(
    farmer: Farmer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: f"  {WORDS.upper()} ")
    assert farmer.goplot("keys", "add") == 0
    assert "added the key with fingerprint 7; restarted" in capsys.readouterr().out
    for arguments, environment, _ in farmer.calls():
        assert not any("abandon" in text for text in [*arguments, *environment.values()])
    for path in farmer.settings.parent.rglob("*"):
        if path.is_file() and path != farmer.program:
            assert b"abandon" not in path.read_bytes(), path
    assert farmer.goplot("keys", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["keys"][0]["farmer_public_key"] == "f" * 96
    assert document["keys"][0]["pool_public_key"] == "a" * 96


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (WORDS.replace("art", "abandon"), "Chia added no key"),
        ("abandon art", "these are 2 words"),
        ("", "these are 0 words"),
    ],
)
def test_wrong_words_are_refused_and_not_repeated(
    farmer: Farmer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    reason: str,
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: typed)
    assert farmer.goplot("keys", "add") == 1
    shown = capsys.readouterr()
    assert reason in shown.err
    assert "abandon" not in shown.err + shown.out


def test_without_a_terminal_no_words_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: WORDS)
    with pytest.raises(OSError, match="ssh -t"):
        read_words()


def test_words_are_typed_without_echo(farmer: Farmer) -> None:
    """The terminal shows the prompt, and not one word."""
    command = [sys.executable, "-m", "goplot.cli", "--settings", str(farmer.settings)]
    status, screen = on_a_terminal([*command, "keys", "add"], "nothing is shown", f"{WORDS}\n")
    assert status == 0, screen
    assert "fingerprint 7" in screen
    assert "abandon" not in screen


def test_chia_runs_in_this_terminal_and_its_status_is_passed_on(farmer: Farmer) -> None:
    command = [sys.executable, "-m", "goplot.cli", "--settings", str(farmer.settings)]
    status, screen = on_a_terminal([*command, "chia", "show", "-s", "--settings", "x"])
    assert status == 9
    assert "tty True" in screen
    ((arguments, environment, _),) = farmer.calls()
    assert arguments == ["show", "-s", "--settings", "x"]
    assert environment["CHIA_ROOT"] == str(farmer.root)
    assert environment["CHIA_KEYS_ROOT"] == str(farmer.keys)
    assert environment["PATH"].startswith(str(farmer.program.parent))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_runs_chia_as_the_user_to_whom_its_root_belongs(farmer: Farmer) -> None:
    # Python need not be readable for that user.
    farmer.program.write_text(
        '#!/bin/sh\necho "$(id -u) $HOME $PWD" >> "$CHIA_ROOT/called"\necho \'{"keys": []}\'\n'
    )
    for path in (farmer.root, farmer.keys):
        os.chown(path, 65534, 65534)
    for folder in (farmer.settings.parent, *farmer.settings.parent.parents):
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    closed = farmer.settings.parent / "closed"
    closed.mkdir(mode=0o700)
    for arguments in (["keys"], ["chia", "show"]):
        command = [sys.executable, "-m", "goplot.cli", "--settings", str(farmer.settings)]
        subprocess.run(
            [*command, *arguments],
            check=False,
            capture_output=True,
            cwd=closed,
        )
    calls = [line.split() for line in (farmer.root / "called").read_text().splitlines()]
    assert [call[0] for call in calls] == ["65534", "65534"]
    assert all(call[1] != "/root" for call in calls)
    # Root's own folder is closed to that user.
    assert calls[1][2] == str(farmer.root)


def test_a_host_without_chia_says_so(farmer: Farmer, capsys: pytest.CaptureFixture[str]) -> None:
    farmer.program.unlink()
    assert farmer.goplot("chia", "show") == 1
    assert "this host has no Chia" in capsys.readouterr().err


def test_what_is_next_depends_on_the_keys_and_on_the_farmer() -> None:
    key = Key(7, "f", "p")
    assert "keys add" in next_step(Keys(()))
    assert "keys add" in next_step(Keys((Key(8, None, None),)))
    assert "systemctl restart" in next_step(Keys((key,), loaded=False))
    assert "plotnft show" in next_step(Keys((key,), loaded=True))
    assert "no private key" in keys_text(Keys((Key(8, None, None),)))


def test_what_is_no_list_of_keys_is_an_error() -> None:
    for output in ("", "Unable to unlock the keyring", '{"keys": [{}]}', "{"):
        with pytest.raises(OSError, match="chia keys show"):
            parse_keys(output)
