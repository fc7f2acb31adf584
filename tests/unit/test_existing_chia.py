"""A Chia that goplot did not install: what is found of it, and what the owner's choice does."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import load_module

_UTILS = "ansible.module_utils"
ending = load_module("common/module_utils/common_ending.py", _UTILS)
load_module("common/module_utils/common_sockets.py", _UTILS)
processes = load_module("common/module_utils/common_chia_processes.py", _UTILS)
found = load_module("common/module_utils/common_chia_found.py", _UTILS)
choice = load_module("common/module_utils/common_chia_choice.py", _UTILS)

ALICE = processes.User("alice", 1000, "/home/alice")
ROOT = "/home/alice/.chia/mainnet"
OWN = (
    "# Ansible managed\n[Service]\nUser=chia\nWorkingDirectory=/var/lib/chia\n"
    "ExecStart=/opt/chia/current/bin/chia_harvester\n"
)
WANTED = choice.Wanted(
    choice="refuse",
    root="/var/lib/chia/mainnet",
    keys_root="/var/lib/chia/keys",
    network="mainnet",
    services=("daemon", "full_node", "farmer", "wallet", "harvester"),
)


class Host:
    """A host in a folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        (top / "proc/self/ns").mkdir(parents=True)
        (top / "proc/self/ns/pid").symlink_to("pid:[1]")

    def write(self, path: str, text: str) -> Path:
        file = self.top / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def process(self, pid: int, title: str, cgroup: str, namespace: str = "pid:[1]") -> Path:
        folder = self.write(f"proc/{pid}/cmdline", title + "\0\0\0").parent
        self.write(f"proc/{pid}/cgroup", f"9:name=systemd:/\n0::{cgroup}\n")
        self.write(f"proc/{pid}/comm", title + "\n")
        (folder / "ns").mkdir()
        (folder / "ns/pid").symlink_to(namespace)
        (folder / "fd").mkdir()
        return folder

    def listens(self, process: Path, port: int) -> None:
        (process / "fd/3").symlink_to(f"socket:[{port}0]")
        line = f"   0: 00000000:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 {port}0 1\n"
        self.write("proc/net/tcp", f"header\n{line}")

    def root(self, path: str = ROOT, config: str = "full_node:\n  database_path: db/x\n") -> Path:
        database = self.write(f"{path}/db/blockchain_v2_mainnet.sqlite", "")
        os.truncate(database, 2 << 20)
        return self.write(f"{path}/config/config.yaml", config).parents[1]

    def look(self, named: str = "") -> Any:
        me = replace(ALICE, uid=self.top.stat().st_uid)
        return found.look("mainnet", WANTED.root, [me], named, self.top)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def asked(there: tuple[str, ...] = (), closed: str = "", unmounted: str = "") -> Any:
    exists: Callable[[str], bool] = there.__contains__
    return choice.Host(exists, lambda _: False, lambda _: closed, lambda _: unmounted)


def planned(seen: Any, there: tuple[str, ...] = (), **wanted: str) -> Any:
    return choice.plan(seen, replace(WANTED, **wanted), asked(there))


def test_a_host_without_chia_needs_no_choice(host: Host) -> None:
    seen = host.look()
    assert seen == found.Found()
    for one in ("refuse", "adopt"):
        assert planned(seen, choice=one) == choice.Plan()


def test_goplots_own_chia_is_none_that_is_found(host: Host) -> None:
    host.write("etc/systemd/system/chia-harvester.service", OWN)
    host.write(f"{WANTED.root}/config/config.yaml", "")
    host.process(7, "chia_harvester", "/system.slice/chia-harvester.service")
    assert host.look().processes == ()
    assert host.look().units == ()


def test_services_of_a_person_are_found_with_their_root_and_stopped_in_order(host: Host) -> None:
    host.root()
    session = "/user.slice/user-1000.slice/session-2.scope"
    for pid, name in enumerate(("daemon", "full_node", "wallet", "harvester", "farmer"), 10):
        process = host.process(pid, f"chia_{name}", session)
        (process / "fd/1").symlink_to(f"{ROOT}/log/debug.log")
    seen = host.look()
    stopped = [one.service for one in seen.services]
    assert stopped == ["wallet", "farmer", "harvester", "full_node", "daemon"]
    assert {one.root for one in seen.services} == {ROOT}
    assert not any(one.unit for one in seen.services)
    (line,) = planned(seen).refused
    assert "chia_daemon of alice" in line
    assert ROOT in line
    assert "adopt" in line
    assert "leave" in line
    taken = planned(seen, choice="adopt")
    assert taken.refused == ()
    assert taken.adopted.path == ROOT
    assert taken.adopted.keys == "/home/alice/.chia_keys"


def test_a_process_that_cron_started_is_not_stopped_with_cron(host: Host) -> None:
    host.root()
    host.process(9, "chia_daemon", "/system.slice/cron.service")
    host.write(
        "var/spool/cron/crontabs/alice", "# chia start\n@reboot /venv/bin/chia start farmer\n"
    )
    seen = host.look()
    assert [one.unit for one in seen.processes] == [""]
    assert choice.units_to_stop(seen) == []
    assert [one.line for one in seen.cron] == ["@reboot /venv/bin/chia start farmer"]


@pytest.mark.parametrize("text", ["ExecStart=/venv/bin/chia_harvester\n", "ExecStart=/start.sh\n"])
def test_a_unit_of_goplots_name_that_goplot_did_not_write_is_saved(host: Host, text: str) -> None:
    host.write("etc/systemd/system/chia-harvester.service", f"[Service]\n{text}")
    seen = host.look()
    assert "unit chia-harvester.service" in planned(seen).refused[0]
    assert choice.units_to_save(seen) == ["/etc/systemd/system/chia-harvester.service"]


def test_units_of_the_package_are_stopped_by_instance(host: Host) -> None:
    text = "[Service]\nExecStart=/usr/bin/chia_{}\n"
    wants = host.top / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    for name in ("daemon", "farmer"):
        unit = f"chia-{name}@.service"
        file = host.write(f"usr/lib/systemd/system/{unit}", text.format(name))
        (wants / f"chia-{name}@alice.service").symlink_to(file)
    assert choice.units_to_stop(host.look()) == [
        ("chia-farmer@alice.service", ""),
        ("chia-daemon@alice.service", ""),
    ]
    assert choice.units_to_save(host.look()) == []


def test_units_of_a_users_systemd_are_stopped_there(host: Host) -> None:
    uid = host.top.stat().st_uid
    host.write("home/alice/.config/systemd/user/farm.service", "ExecStart=/v/bin/chia start all\n")
    host.process(5, "chia_farmer", f"/user.slice/user-{uid}.slice/user@{uid}.service/farm.service")
    assert choice.units_to_stop(host.look()) == [("farm.service", "alice")]


def test_an_empty_folder_that_chias_commands_leave_behind_is_nothing(host: Host) -> None:
    root = host.root(config="harvester:\n  plot_directories: []\n")
    os.truncate(root / "db/blockchain_v2_mainnet.sqlite", 8192)
    assert planned(host.look()).refused == ()


def test_two_used_folders_need_a_name(host: Host) -> None:
    host.root()
    host.root("/srv/chia")
    seen = host.look("/srv/chia")
    (line,) = planned(seen, choice="adopt").refused
    assert line.startswith("chia_existing_root is not set")
    taken = planned(seen, choice="adopt", existing_root="/srv/chia")
    assert taken.adopted.path == "/srv/chia"


def test_a_chia_of_goplots_is_not_replaced_by_an_idle_one(host: Host) -> None:
    host.root()
    there = (f"{WANTED.root}/config/config.yaml", f"{WANTED.keys_root}/keyring.yaml")
    refused = planned(host.look(), there, choice="adopt").refused
    assert [line.split()[0] for line in refused] == ["chia_root", "chia_keys_root"]


def test_plots_that_goplots_harvester_could_not_read_are_named(host: Host) -> None:
    host.root(config="harvester:\n  plot_directories:\n  - /mnt/plots\n  x: 1\n")
    (line,) = planned(host.look(), ("/mnt/plots",), choice="adopt").refused
    assert "/mnt/plots" in line


def test_the_folder_of_what_is_left_must_be_named(host: Host) -> None:
    host.root()
    seen = host.look()
    (line,) = planned(seen, choice="leave").refused
    assert ROOT in line
    there = (f"{ROOT}/config/config.yaml",)
    assert planned(seen, there, choice="leave", root=ROOT).refused == ()


def test_what_holds_a_port_and_is_not_chia_is_named(host: Host) -> None:
    host.listens(host.process(8, "docker-proxy", "/system.slice/docker.service"), 8444)
    (line,) = planned(host.look(), choice="adopt").refused
    assert line.startswith("Port 8444 is in use by docker-proxy (process 8)")
    harvester = replace(WANTED, choice="adopt", services=("daemon", "harvester"))
    assert choice.plan(host.look(), harvester, asked()).refused == ()


def test_containers_are_not_this_hosts_unless_they_hold_its_ports(host: Host) -> None:
    process = host.process(8, "chia_full_node", "/docker/x.scope", "pid:[2]")
    assert host.look().processes == ()
    host.listens(process, 8444)
    (line,) = planned(host.look()).refused
    assert "in a container" in line


def test_what_lies_outside_of_the_folder_is_found(host: Host) -> None:
    config = "full_node:\n  database_path: /ssd/blockchain_v2.sqlite\n  x: db/y\n"
    root = host.root(config=config)
    wallet = host.write("ssd2/wallet/x", "").parent
    (root / "wallet").symlink_to(wallet)
    (one,) = host.look().roots
    assert one.outside == ("/ssd/blockchain_v2.sqlite", str(wallet))


def test_a_folder_that_is_mounted_as_goplots_is_not_found_again(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = host.root()
    own = host.top / WANTED.root.lstrip("/")
    own.parent.mkdir(parents=True)
    own.symlink_to(root)
    monkeypatch.setattr(found, "_owner", lambda *_: "")
    assert host.look().roots == ()


@pytest.mark.parametrize(
    ("wanted", "host_says", "said"),
    [
        ({"root": "/home/alice/chia"}, {}, "chia_root is /home/alice/chia, which no service"),
        ({"keys_root": "/tmp/keys"}, {}, "chia_keys_root is /tmp/keys, which no service"),  # noqa: S108
        (
            {"root": "/ssd/x"},
            {"unmounted": "/ssd"},
            "chia_root is /ssd/x, but /ssd of /etc/fstab is not",
        ),
        ({"database": "/ssd/x"}, {"closed": "/ssd"}, "chmod o+x /ssd"),
        (
            {"database": "/ssd"},
            {"there": (f"{WANTED.root}/db/blockchain_v2_mainnet.sqlite",)},
            f"mv {WANTED.root}/db/blockchain_v2_mainnet.sqlite /ssd/blockchain_v2_mainnet.sqlite",
        ),
    ],
)
def test_a_folder_that_the_services_could_not_use_is_named(
    wanted: dict[str, str], host_says: dict[str, Any], said: str
) -> None:
    refused = choice.plan(found.Found(), replace(WANTED, **wanted), asked(**host_says)).refused
    assert any(said in line for line in refused), refused


def test_a_mount_point_of_fstab_that_is_not_mounted_is_found(tmp_path: Path) -> None:
    fstab = tmp_path / "fstab"
    fstab.write_text(
        f"# /x {tmp_path}/a ext4\nUUID=1 {tmp_path}/ssd ext4 defaults 0 2\n/x / ext4\n"
    )
    assert found.unmounted(f"{tmp_path}/ssd/chia", fstab) == f"{tmp_path}/ssd"
    assert found.unmounted(f"{tmp_path}/a/chia", fstab) == ""
