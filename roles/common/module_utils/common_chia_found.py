"""What there is of a Chia that goplot did not install. Reads files and /proc, changes nothing."""

from __future__ import annotations

import contextlib
import pwd
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible.module_utils.common_chia_processes import (
    SERVICES,
    Process,
    User,
    chia_processes,
    text_of,
)
from ansible.module_utils.common_ending import CronLine, cron_lines

OWN_USERS = ("chia", "goplot")
OWN_UNITS = frozenset(f"chia-{name.replace('_', '-')}.service" for name in SERVICES)
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
# As chia init creates it.
_EMPTY_BYTES = 1 << 20


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
    for line in text_of(fstab).splitlines():
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
    """Look at the host whose root directory is `host`; its owner names the CHIA_ROOT `named`."""
    names = {user.uid: user for user in users}
    everyone = [user for user in names.values() if user.name not in OWN_USERS]
    units = tuple(_units(host, everyone))
    ours = frozenset(name for name in OWN_UNITS if _is_ours(host / _UNIT_FOLDERS[0] / name))
    processes = tuple(chia_processes(host, names, {one.name for one in units}, ours))
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
    return written_by_goplot(text_of(file))


def _units(host: Path, users: Iterable[User]) -> Iterator[Unit]:
    folders = [(host / folder, "") for folder in _UNIT_FOLDERS]
    folders += [(host / user.home.lstrip("/") / _USER_UNITS, user.name) for user in users]
    seen: set[tuple[str, str]] = set()
    for folder, manager in folders:
        for file in _files(folder, "*.service"):
            text = text_of(file)
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
            plot_directories=tuple(_plot_directories(text_of(config))),
            outside=tuple(outside(folder, text_of(config))),
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
