"""A person runs a program by hand as root: its service goes on afterwards as before."""

import json
import os
import re
import shutil
import site
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from goplot.host.account import ACCOUNTS
from tests.hosts.system import wait_until
from tests.support.farm_root import FarmRoot, make_farm_root
from tests.support.jobs import NAME
from tests.support.unit_files import read_unit

TOP = Path(__file__).resolve().parents[2]
USERS = {"goplot": 64990, "goplot-log": 64991, "goplot-collector": 64992}
GROUPS = {**USERS, "chia": 64993}
# In a mount namespace of its own: this host gets the users, and Python where they may read it.
ENTER = """
set -e
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mount --bind "$2" "$1/python"
mount --bind "$3" "$1/packages"
mount --bind "$4" "$1/services"
# What is mounted has other numbers here.
exec 9< "$1/farm"
number=$(sed -n 's/^mnt_id:[^0-9]*//p' /proc/self/fdinfo/9)
exec 9<&-
changed=$(sed "s/^[0-9]*/$number/" "$1/farm/mountinfo")
echo "$changed" > "$1/farm/mountinfo"
shift 4
exec "$@"
"""


class Host:
    """A farm whose files belong to goplot, on a host that has goplot's users."""

    def __init__(self, folder: Path) -> None:
        self.root: FarmRoot = make_farm_root(folder / "farm")
        self._folder = folder
        for name in ("python", "packages", "services"):
            (folder / name).mkdir()
        users = [f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false" for name, uid in USERS.items()]
        groups = [f"{name}:x:{gid}:" for name, gid in GROUPS.items()]
        for name, lines in (("passwd", users), ("group", groups)):
            others = [
                line
                for line in Path("/etc", name).read_text().splitlines()
                if line.split(":")[0] not in GROUPS
            ]
            (folder / name).write_text("\n".join([*others, *lines, ""]))
        for path in self.root.path.rglob("*"):
            os.lchown(path, USERS["goplot"], USERS["goplot"])
        textfiles = self.root.path / "textfiles"
        os.chown(textfiles, 0, USERS["goplot"])
        textfiles.chmod(0o1775)

    def run(self, *words: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments to its end."""
        return subprocess.run(
            self._command(words, user),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start Python with these arguments as root."""
        return subprocess.Popen(
            self._command(words, "root"), env=self._environment(), stderr=subprocess.PIPE, text=True
        )

    def program(self, module: str, *words: str, user: str = "root") -> str:
        """Run a program of goplot, which ends well. Returns its output."""
        settings = ["--settings", str(self.root.settings_path)]
        done = self.run("-m", f"goplot.{module}", *words, *settings, user=user)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def owners(self) -> dict[str, int]:
        """Who owns each file and folder of the farm."""
        paths = self.root.path.rglob("*")
        return {str(path.relative_to(self.root.path)): path.lstat().st_uid for path in paths}

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": "/root",
            "LD_LIBRARY_PATH": f"{self._folder}/python/lib",
            "PYTHONHOME": str(self._folder / "python"),
            "PYTHONPATH": f"{self._folder}/services:{self._folder}/packages",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _command(self, words: tuple[str, ...], user: str) -> list[str]:
        python = self._folder / "python" / "bin" / Path(sys.executable).resolve().name
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}"]
        become += ["--init-groups", "--"] if become else []
        enter = ["unshare", "-m", "sh", "-c", ENTER, "sh", str(self._folder), sys.base_prefix]
        packages = site.getsitepackages()[0]
        return [*enter, packages, str(TOP / "services"), *become, str(python), *words]


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with goplot's users."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "farm").mkdir()
    yield Host(folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize("module", ["diskhand.service", "collectors.plotter"])
def test_the_service_replaces_what_root_left(host: Host, module: str) -> None:
    before = host.owners()
    host.program(module)
    made = {path: uid for path, uid in host.owners().items() if path not in before}
    assert set(made.values()) == {USERS["goplot"]}
    host.program(module, user="goplot")
    host.program(module, user="goplot")


def test_a_disk_stays_in_rotation_after_roots_diskhand(host: Host) -> None:
    host.program("diskhand.service")
    host.program("diskhand.service", user="goplot")
    assert int((host.root.path / "disks" / "disk1.goplot").read_text()) < 9_999_999_999_999


def test_goplot_diskhand_shows_what_it_did(host: Host) -> None:
    before = host.owners()
    shown = host.program("cli", "diskhand")
    disk = host.root.disk(1, "disk1")
    assert f"{disk} has room for plotting, setting size to" in shown
    assert "disk4 is not mounted, setting size to 9999999999999" in shown
    assert {uid for path, uid in host.owners().items() if path not in before} == {USERS["goplot"]}
    host.program("diskhand.service", user="goplot")


def test_goplot_collect_shows_what_it_wrote(host: Host) -> None:
    shown = host.program("cli", "collect")
    textfile = host.root.path / "textfiles" / "goplot_plotter.prom"
    assert f"{textfile}" in shown
    assert textfile.stat().st_uid == USERS["goplot"]
    (one,) = json.loads(host.program("cli", "collect", "--json"))
    assert (one["collector"], one["ok"], one["samples"] > 50) == (
        "goplot-plotter-collector",
        True,
        True,
    )
    host.program("collectors.plotter", user="goplot")


def test_a_collector_that_fails_is_shown_with_its_reason(host: Host) -> None:
    (host.root.path / "textfiles").chmod(0o755)
    done = host.run("-m", "goplot.cli", "collect", "--settings", str(host.root.settings_path))
    assert done.returncode == 1
    assert "goplot-plotter-collector: " in done.stdout
    assert "Permission denied" in done.stdout


def test_a_pacer_and_a_tractor_of_root_are_goplots(host: Host) -> None:
    before = host.owners()
    settings = ["--settings", str(host.root.settings_path)]
    host.root.tune(max_plots=1)
    os.chown(host.root.path / "config" / "max_plots.goplot", USERS["goplot"], USERS["goplot"])
    pacer = host.start("-m", "goplot.pacer.service", *settings)
    plots = host.root.path / "farm"
    try:
        wait_until("a plot", lambda: bool(list(plots.glob(f"*/*/plots/{NAME}"))), 60)
        wait_until("its result", (host.root.path / "state" / "results.jsonl").exists, 60)
    finally:
        host.root.tune(on_toggle="stop")
        pacer.terminate()
        pacer.communicate()
    jobs = host.root.path / "state" / "jobs"
    wait_until("the end of its job", lambda: not list(jobs.glob("*.lock")), 60)
    made = {path: uid for path, uid in host.owners().items() if path not in before}
    assert set(made.values()) == {USERS["goplot"]}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("collectors.farmer", "goplot-farmer-collector"),
        ("collectors.harvester", "goplot-harvester-collector"),
        ("collectors.certificates", "goplot-certificates-collector"),
        ("grafana", "goplot-annotations"),
        ("harvester_log.service", "goplot-harvester-log"),
    ],
)
def test_what_only_the_unit_can_do_is_reported_and_nothing_written(
    host: Host, module: str, name: str
) -> None:
    before = host.owners()
    done = host.run("-m", f"goplot.{module}", "--settings", str(host.root.settings_path))
    assert done.returncode == 1
    assert f"systemctl start {name}" in done.stderr
    assert host.owners() == before


def test_without_its_user_a_program_of_root_does_nothing(host: Host) -> None:
    before = host.owners()
    (host.root.path.parent / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    done = host.run("-m", "goplot.diskhand.service", "--settings", str(host.root.settings_path))
    assert done.returncode == 1
    assert "goplot-diskhand runs as user goplot, who is not on this host" in done.stderr
    assert host.owners() == before


def test_it_has_the_groups_of_its_unit_and_nothing_of_root(host: Host) -> None:
    shown = host.run(
        "-c",
        "import os, pathlib; from goplot.host.account import become;"
        "os.environ['STATE_DIRECTORY'] = '/nowhere';"
        f"become('goplot-harvester-log', pathlib.Path({str(host.root.path / 'state')!r}));"
        "print(os.getresuid(), os.getresgid(), os.umask(0), os.environ['USER']);"
        "print(set(os.getgroups()))",
    ).stdout.splitlines()
    log = USERS["goplot-log"]
    assert shown[0] == f"{(log,) * 3} {(log,) * 3} {0o027} goplot-log"
    assert {log, USERS["goplot"], GROUPS["chia"]} <= set(json.loads(f"[{shown[1][1:-1]}]"))
    assert 0 not in json.loads(f"[{shown[1][1:-1]}]")


def units() -> Iterator[tuple[str, str]]:
    """Every unit that runs a program of goplot, and its file with what it includes."""
    for role in ("goplot", "watch"):
        folder = TOP / f"roles/{role}/templates"
        for path in folder.glob("goplot-*.service.j2"):
            text = path.read_text()
            included = re.findall("{% include '(.*?)' ", text)
            texts = [(folder / name).read_text() for name in included]
            yield path.name.removesuffix(".service.j2").removesuffix("@"), "\n".join([*texts, text])


def test_accounts_are_those_of_the_units() -> None:
    declared = tomllib.loads((TOP / "services/pyproject.toml").read_text())["project"]["scripts"]
    # The summary's user exists only while it runs; it writes nothing.
    assert ACCOUNTS.keys() == declared.keys() - {"goplot-summary"}
    found = dict(units())
    assert found.keys() - {"goplot-plot"} == ACCOUNTS.keys() - {"goplot", "goplot-tractor"}
    for name, text in found.items():
        service = read_unit(text)
        account = ACCOUNTS["goplot-tractor" if name == "goplot-plot" else name]
        assert service["User"] == account.user
        groups = service.get("SupplementaryGroups", "")
        # One of them may depend on the host.
        assert set(account.groups) == set(re.findall("goplot|chia|systemd-journal", groups))
        given = ["CREDENTIALS_DIRECTORY"] * ("LoadCredential" in service)
        given += ["STATE_DIRECTORY"] * ("StateDirectory" in service)
        assert account.given in given if given else not account.given
