"""What there is of a Chia that goplot did not install. Reads files and /proc, changes nothing."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common_ending import CronLine, cron_lines

# In the order in which they are stopped: the daemon holds the keys of the others.
SERVICES = ("wallet", "farmer", "harvester", "full_node", "daemon")
# Chia's own ports, by service: between peers, and of its RPC.
PORTS = {
    8444: "full_node",
    8555: "full_node",
    8447: "farmer",
    8559: "farmer",
    9256: "wallet",
    8560: "harvester",
    55400: "daemon",
}
OWN_USERS = ("chia", "goplot")
OWN_UNITS = frozenset(f"chia-{name.replace('_', '-')}.service" for name in SERVICES)
_PROGRAM = re.compile(rf"chia_({'|'.join(SERVICES)}|timelord|data_layer|crawler|seeder)")
_STARTS = re.compile(rf"(?:\bchia\s+start\s|\bchia_(?:{'|'.join(SERVICES)})\b)")
# What every release of goplot has written into its units of Chia.
_OWN_LINES = {"User=chia", "WorkingDirectory=/var/lib/chia"}
_ABSOLUTE = re.compile(r"^\s+(?:database_path|log_filename):\s*['\"]?(/[^'\"\n]*)", re.MULTILINE)
_UNIT_FOLDERS = (
    "etc/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
)
_USER_UNITS = ".config/systemd/user"
_LISTENS = "0A"
# As chia init creates it.
_EMPTY_BYTES = 1 << 20


@dataclass(frozen=True)
class Process:
    """A process of Chia that no unit of goplot's runs, or another one at one of Chia's ports.

    `service` is Chia's name for it, empty for a program that is not Chia. `unit` is the systemd
    unit that runs Chia, if one does, `manager` the user whose systemd it belongs to (empty: the
    system's).
    """

    pid: int
    name: str
    user: str
    service: str = ""
    unit: str = ""
    manager: str = ""
    root: str = ""
    port: int = 0
    container: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit that starts Chia and that goplot did not write."""

    name: str
    file: str
    manager: str = ""
    enabled: bool = False


@dataclass(frozen=True)
class Root:
    """A CHIA_ROOT that is not goplot's, with the keyring of its user.

    `outside` are files and folders of Chia's that are not in it: databases and logs by an absolute
    path, targets of links. `database_bytes` is the size of the blockchain's database.
    """

    path: str
    user: str
    keys: str
    database_bytes: int = 0
    has_wallet: bool = False
    plot_directories: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether somebody farmed with it: the commands of Chia leave empty ones behind."""
        has_blocks = self.database_bytes > _EMPTY_BYTES
        return bool(has_blocks or self.has_wallet or self.plot_directories)


@dataclass(frozen=True)
class Found:
    """All of it."""

    processes: tuple[Process, ...] = ()
    units: tuple[Unit, ...] = ()
    cron: tuple[CronLine, ...] = ()
    roots: tuple[Root, ...] = ()

    @property
    def services(self) -> tuple[Process, ...]:
        """Chia's own processes, in the order in which they are stopped."""
        chia = [one for one in self.processes if one.service]
        order = {name: index for index, name in enumerate(SERVICES)}
        return tuple(sorted(chia, key=lambda one: order.get(one.service, -1)))


@dataclass(frozen=True)
class User:
    """A user of the host."""

    name: str
    uid: int
    home: str


def users() -> list[User]:
    """All users of this host."""
    return [User(one.pw_name, one.pw_uid, one.pw_dir) for one in pwd.getpwall()]


def readable_for_chia(folder: str) -> bool:
    """Whether user chia, on a new host any other user, could list it from within a unit."""
    if folder.startswith(("/home/", "/root/")):  # ProtectHome= hides these
        return False
    try:
        user = pwd.getpwnam("chia").pw_name
    except KeyError:
        user = "nobody"
    command = ["runuser", "-u", user, "--", "ls", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def closed_to_chia(path: str) -> str:
    """The first existing folder on the way to a path that user chia could not enter."""
    try:
        chia = pwd.getpwnam("chia").pw_uid
    except KeyError:
        chia = -1
    for folder in reversed(Path(path).parents):
        with contextlib.suppress(OSError):
            stat = folder.stat()
            if not stat.st_mode & 0o001 and stat.st_uid != chia:
                return str(folder)
    return ""


def unmounted(path: str, fstab: Path = Path("/etc/fstab")) -> str:
    """A mount point of /etc/fstab on the way to a path that is not mounted."""
    for line in _text(fstab).splitlines():
        fields = line.split()
        if len(fields) > 1 and not line.lstrip().startswith("#") and fields[1] != "/":
            mount = Path(fields[1].replace("\\040", " "))
            if (mount == Path(path) or mount in Path(path).parents) and not mount.is_mount():
                return str(mount)
    return ""


def written_by_goplot(text: str) -> bool:
    """Whether a unit of Chia is goplot's."""
    return text.startswith("#") and set(text.splitlines()) >= _OWN_LINES


def look(
    network: str, own_root: str, users: Iterable[User], named: str = "", host: Path = Path("/")
) -> Found:
    """Looks at the host whose root directory is `host`; its owner names the CHIA_ROOT `named`."""
    names = {user.uid: user for user in users}
    everyone = [user for user in names.values() if user.name not in OWN_USERS]
    units = tuple(_units(host, everyone))
    ours = frozenset(name for name in OWN_UNITS if _is_ours(host / _UNIT_FOLDERS[0] / name))
    processes = tuple(_processes(host, names, {one.name for one in units}, ours))
    running = {one.unit for one in processes}
    return Found(
        processes=processes,
        units=tuple(
            one
            for one in units
            if one.enabled
            or one.name in running
            or (one.name in OWN_UNITS and one.file.startswith("/etc/"))
        ),
        cron=tuple(cron_lines(host, _STARTS)),
        roots=tuple(_roots(host, network, own_root, named, everyone, processes)),
    )


def _is_ours(file: Path) -> bool:
    return written_by_goplot(_text(file))


def _units(host: Path, users: Iterable[User]) -> Iterator[Unit]:
    folders = [(host / folder, "") for folder in _UNIT_FOLDERS]
    folders += [(host / user.home.lstrip("/") / _USER_UNITS, user.name) for user in users]
    seen: set[tuple[str, str]] = set()
    for folder, manager in folders:
        for file in _files(folder, "*.service"):
            text = _text(file)
            starts = any(
                _STARTS.search(line) for line in text.splitlines() if line.startswith("ExecStart=")
            )
            same_name = file.name in OWN_UNITS and folder == host / _UNIT_FOLDERS[0]
            if not (starts or same_name) or written_by_goplot(text):
                continue
            for name, enabled in _instances(host, folder, file.name, manager):
                if (name, manager) not in seen:
                    seen.add((name, manager))
                    yield Unit(name, _on_host(host, file), manager, enabled)


def _instances(host: Path, folder: Path, name: str, manager: str) -> Iterator[tuple[str, bool]]:
    """A unit, or those of a template that are enabled, each with whether it is."""
    wants = folder if manager else host / _UNIT_FOLDERS[0]
    links = {link.name for link in wants.glob("*.wants/*.service")}
    links |= {link.name for link in wants.glob("*.requires/*.service")}
    if "@" not in name:
        yield name, name in links
        return
    template = name.removesuffix(".service")
    for link in sorted(links):
        if link.startswith(template) and link != name:
            yield link, True


def _processes(
    host: Path, names: dict[int, User], units: set[str], ours: frozenset[str]
) -> Iterator[Process]:
    ports = _listening(host)
    here = _namespace(host / "proc/self")
    for folder in sorted((host / "proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            uid = folder.stat().st_uid
        except OSError:  # it ended meanwhile
            continue
        match = next(filter(None, map(_program, words[:2])), None)
        held = _ports_of(folder, ports)
        port = min(held, default=0)
        elsewhere = _namespace(folder) != here
        # What runs in a container and does not listen here is none of this host's.
        if not (match or port) or (elsewhere and not port):
            continue
        unit, manager = _unit_of(folder, names)
        if unit in ours and not manager:
            continue
        user = names.get(uid)
        yield Process(
            pid=int(folder.name),
            name=match[0] if match else _name(folder),
            user=user.name if user else str(uid),
            service=match[1] if match else "",
            # Others, such as cron's, only happened to start it.
            unit=unit if unit in units or "chia" in unit else "",
            manager=manager,
            root=_root_of(folder) if match else "",
            port=port,
            container=elsewhere,
        )


def _program(word: bytes) -> re.Match[str] | None:
    name = word.decode(errors="replace").rsplit("/", 1)[-1].strip()
    return _PROGRAM.fullmatch(name)


def _name(folder: Path) -> str:
    return _text(folder / "comm").strip() or folder.name


def _namespace(folder: Path) -> str:
    try:
        return str((folder / "ns/pid").readlink())
    except OSError:
        return ""


def _unit_of(folder: Path, users: dict[int, User]) -> tuple[str, str]:
    """(unit, user whose systemd runs it)."""
    # A host with both hierarchies has its units in one of them.
    for line in _text(folder / "cgroup").splitlines():
        number, _, path = line.split(":", 2)
        parts = path.split("/")
        unit = next((part for part in reversed(parts) if part.endswith(".service")), "")
        if not unit or (number != "0" and "name=systemd" not in line):
            continue
        manager = next((part for part in parts if re.fullmatch(r"user@\d+\.service", part)), "")
        if not manager:
            return unit, ""
        user = users.get(int(manager[5:-8]))
        return ("", "") if unit == manager or user is None else (unit, user.name)
    return "", ""


def _root_of(folder: Path) -> str:
    """CHIA_ROOT of a process: from its environment, else from the files that it holds open."""
    with contextlib.suppress(OSError):
        for item in (folder / "environ").read_bytes().split(b"\0"):
            if item.startswith(b"CHIA_ROOT="):
                return os.fsdecode(item[len(b"CHIA_ROOT=") :])
    for target in _open_files(folder):
        found = re.fullmatch(r"(.+)/(?:log/debug\.log|db/blockchain_v\d_.+\.sqlite)", target)
        if found:
            return found[1]
    return ""


def _open_files(folder: Path) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for link in (folder / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(link.readlink())


def _listening(host: Path) -> dict[str, int]:
    """Chia's ports that are listened at, by the inode of the socket."""
    found: dict[str, int] = {}
    for name in ("tcp", "tcp6"):
        for line in _text(host / "proc/net" / name).splitlines()[1:]:
            fields = line.split()
            port = int(fields[1].rpartition(":")[2], 16)
            if fields[3] == _LISTENS and port in PORTS:
                found[fields[9]] = port
    return found


def _ports_of(folder: Path, ports: dict[str, int]) -> set[int]:
    if not ports:
        return set()
    inodes = (re.fullmatch(r"socket:\[(\d+)\]", target) for target in _open_files(folder))
    return {ports[match[1]] for match in inodes if match and match[1] in ports}


def _roots(
    host: Path,
    network: str,
    own_root: str,
    named: str,
    users: Iterable[User],
    processes: Iterable[Process],
) -> Iterator[Root]:
    """Those of processes, of users' homes, and the one that the owner names."""
    wanted: dict[str, str] = {}
    homes = {user.name: user.home for user in users}
    for one in processes:
        if one.service and not one.container and one.user in homes:
            root = one.root or f"{homes[one.user]}/.chia/{network}"
            wanted.setdefault(_real(host, root), one.user)
    for name, home in homes.items():
        wanted.setdefault(_real(host, f"{home}/.chia/{network}"), name)
    if named:
        wanted.setdefault(_real(host, named), "")
    for path, user in wanted.items():
        folder = host / path.lstrip("/")
        config = folder / "config/config.yaml"
        if not config.is_file():
            continue
        holder = _owner(config, users)
        # goplot's own, or mounted as goplot's. A person's Chia may lie where goplot's is to be.
        if not holder and _same(folder, host / own_root.lstrip("/")):
            continue
        owner = user or holder
        home = homes.get(owner, "")
        yield Root(
            path=path,
            user=owner,
            keys=_real(host, f"{home}/.chia_keys") if home else "",
            database_bytes=sum(
                file.stat().st_size for file in (folder / "db").glob("blockchain_v*.sqlite")
            ),
            has_wallet=any((folder / "wallet/db").glob("*.sqlite")),
            plot_directories=tuple(_plot_directories(_text(config))),
            outside=tuple(outside(folder, _text(config))),
        )


def outside(root: Path, config: str) -> list[str]:
    """What Chia writes outside of its root: by an absolute path of its configuration, or a link."""
    found = set(_ABSOLUTE.findall(config))
    for folder in (root, root / "db", root / "wallet", root / "wallet/db"):
        with contextlib.suppress(OSError):
            found |= {str(item.resolve()) for item in folder.iterdir() if item.is_symlink()}
    real = root.resolve()
    return sorted(path.rstrip() for path in found if real not in Path(path.rstrip()).parents)


def _plot_directories(config: str) -> Iterator[str]:
    """The list of that name: this host need not have PyYAML."""
    inside = False
    for line in config.splitlines():
        if re.match(r"\s+plot_directories:\s*$", line):
            inside = True
        elif inside and (item := re.match(r"\s+- (.+)$", line)):
            yield item[1].strip("'\" ")
        else:
            inside = False


def _same(one: Path, other: Path) -> bool:
    with contextlib.suppress(OSError):
        return one.samefile(other)
    return False


def _owner(config: Path, users: Iterable[User]) -> str:
    uid = config.stat().st_uid
    return next((user.name for user in users if user.uid == uid), "")


def _real(host: Path, path: str) -> str:
    return _on_host(host, (host / path.lstrip("/")).resolve())


def _on_host(host: Path, path: Path) -> str:
    return "/" + str(path.relative_to(host.resolve() if host != Path("/") else host)).lstrip("/")


def _files(folder: Path, pattern: str = "*") -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
