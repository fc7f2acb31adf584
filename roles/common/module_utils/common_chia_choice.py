"""What becomes of a Chia that goplot did not install: the owner's choice. Accesses no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ansible.module_utils.common_chia_found import OWN_UNITS, Found, Root
from ansible.module_utils.common_chia_processes import PORTS, SERVICES

REFUSE, ADOPT, LEAVE = "refuse", "adopt", "leave"
CHOICE = "chia_existing"
FOLDER = "/etc/goplot/adopted"
_FOLDER_OF_LEFT = f"with {CHOICE}: leave, set it to the folder of the Chia that is there"
# ProtectHome= and PrivateTmp= hide these; /run is emptied at boot.
_HIDDEN = ("/home/", "/root/", "/run/", "/tmp/", "/var/tmp/")  # noqa: S108 - none is used
_GIB = 1 << 30


@dataclass(frozen=True)
class Wanted:
    """Variables of one host. `services` are those of Chia that goplot runs there."""

    choice: str
    root: str
    keys_root: str
    network: str
    services: tuple[str, ...]
    existing_root: str = ""
    database: str = ""


@dataclass(frozen=True)
class Host:
    """What a plan asks of its host, by path.

    `readable` is whether user chia can read it. `closed` is the first folder on the way to it that
    user chia can't enter, `unmounted` a mount point of /etc/fstab on the way to it that is not
    mounted; empty if there is none.
    """

    exists: Callable[[str], bool]
    readable: Callable[[str], bool]
    closed: Callable[[str], str]
    unmounted: Callable[[str], str]


@dataclass(frozen=True)
class Plan:
    """What is to be done. `refused` are sentences that say why nothing is."""

    refused: tuple[str, ...] = ()
    adopted: Root | None = None
    stops: bool = False


def plan(found: Found, wanted: Wanted, host: Host) -> Plan:
    """The plan for a host."""
    if wanted.choice == LEAVE:
        return Plan(tuple(_refused_to_leave(found, wanted, host)))
    roots = _candidates(found, wanted)
    refused = [*_refused_ports(found, wanted), *_refused_places(wanted, host)]
    if wanted.choice == REFUSE:
        if what := _named(found, roots):
            refused.append(
                f"{CHOICE} is not set, and this host has a Chia that goplot did not install: "
                f"{what}. Set it to adopt (goplot stops these services and takes over "
                f"{_paths(roots) or 'their database and keys'}; the way back is written to "
                f"{FOLDER}), or to leave (goplot monitors that Chia and plots beside it; set "
                f"chia_root to its folder), or remove what nobody needs."
            )
        return Plan(tuple(refused))
    refused += _refused_to_adopt(found, wanted, roots, host)
    running = bool(found.services or found.units or found.cron)
    return Plan(tuple(refused), roots[0] if len(roots) == 1 else None, running)


def takes(found: Found, todo: Plan) -> str:
    """What is taken over, as a sentence."""
    what = _named(found, [todo.adopted] if todo.adopted else [])
    return f"goplot takes over {what}. The way back is written to {FOLDER}/way-back."


def units_to_stop(found: Found) -> list[tuple[str, str]]:
    """(unit, user whose systemd runs it), in order: the daemon's last."""
    units = [(one.unit, one.manager) for one in found.services if one.unit]
    units += [(one.name, one.manager) for one in found.units]
    return list(dict.fromkeys(sorted(units, key=_order)))


def units_to_save(found: Found) -> list[str]:
    """Files of units with the names of goplot's."""
    return [
        one.file
        for one in found.units
        if one.name in OWN_UNITS and not one.manager and one.file.startswith("/etc/")
    ]


def _order(unit: tuple[str, str]) -> int:
    name = unit[0].replace("-", "_")
    return next((index for index, one in enumerate(SERVICES) if one in name), -1)


def _candidates(found: Found, wanted: Wanted) -> list[Root]:
    """The folders that may be taken over: those in use, if there are any."""
    if wanted.existing_root:
        return [one for one in found.roots if one.path == wanted.existing_root.rstrip("/")]
    running = {one.root for one in found.services if one.root}
    users = {one.user for one in found.services if not one.root}
    used = [one for one in found.roots if one.path in running or one.user in users]
    return used or [one for one in found.roots if one.is_used]


def _refused_to_leave(found: Found, wanted: Wanted, host: Host) -> Iterator[str]:
    paths = [one.path for one in _candidates(found, wanted)]
    if paths and wanted.root not in paths:
        yield f"chia_root is {wanted.root}: {_FOLDER_OF_LEFT}, {' or '.join(paths)}."
    elif not host.exists(f"{wanted.root}/config/config.yaml"):
        yield f"chia_root is {wanted.root}, which has no config/config.yaml: {_FOLDER_OF_LEFT}."


def _refused_ports(found: Found, wanted: Wanted) -> Iterator[str]:
    """What goplot can't stop, where its own Chia would listen."""
    for one in found.processes:
        if (one.container or not one.service) and PORTS.get(one.port) in wanted.services:
            where = " in a container" if one.container else ""
            yield (
                f"Port {one.port} is in use by {one.name} (process {one.pid}){where}: stop it in "
                f"its own way ({CHOICE}: leave for a Chia that is to stay)."
            )


def _refused_places(wanted: Wanted, host: Host) -> Iterator[str]:
    """Folders that the services could not use, or that are on a disk that is absent."""
    for variable, path in (
        ("chia_root", wanted.root),
        ("chia_keys_root", wanted.keys_root),
        ("chia_database_path", wanted.database),
    ):
        if path.startswith(_HIDDEN):
            yield (
                f"{variable} is {path}, which no service of Chia sees: set it to a folder outside "
                "of /home, /root, /run and /tmp."
            )
        elif path and (mount := host.unmounted(path)):
            yield f"{variable} is {path}, but {mount} of /etc/fstab is not mounted: mount it."
        elif path and (closed := host.closed(path)):
            yield (
                f"{variable} is {path}, but user chia can't enter {closed}: let others enter it "
                f"(chmod o+x {closed})."
            )
    database = f"{wanted.root}/db/blockchain_v2_{wanted.network}.sqlite"
    if wanted.database and host.exists(database) and not host.exists(new := _database(wanted)):
        yield (
            f"chia_database_path is {wanted.database}, and the database is in {wanted.root}/db: "
            f"stop chia-full-node and move it (mv {database} {new}; also -wal and -shm, if there "
            "are), or it would be downloaded again."
        )


def _database(wanted: Wanted) -> str:
    return f"{wanted.database.rstrip('/')}/blockchain_v2_{wanted.network}.sqlite"


def _refused_to_adopt(
    found: Found,
    wanted: Wanted,
    roots: list[Root],
    host: Host,
) -> Iterator[str]:
    if wanted.existing_root and not roots and not host.exists(f"{wanted.root}/config/config.yaml"):
        yield (
            f"chia_existing_root is {wanted.existing_root}, which is not a CHIA_ROOT: "
            "set it to a folder with config/config.yaml."
        )
    if len(roots) > 1:
        yield (
            f"chia_existing_root is not set, and there are {_paths(roots)}: "
            "set it to the one that goplot takes over."
        )
    if len(roots) != 1:
        return
    root = roots[0]
    # Where the old one runs goplot's own could not, and its folder has nothing that anyone misses.
    if not found.services and root.path != wanted.root:
        for variable, path, file in (
            ("chia_root", wanted.root, "config/config.yaml"),
            ("chia_keys_root", wanted.keys_root, "keyring.yaml"),
        ):
            if host.exists(f"{path}/{file}"):
                yield (
                    f"{variable} is {path}, which holds {file} already, and {root.path} is another "
                    "Chia: rename the one that you don't need."
                )
    for folder in root.plot_directories if "harvester" in wanted.services else ():
        if host.exists(folder) and not host.readable(folder):
            yield (
                f"{CHOICE} is adopt, but user chia can't read the plots in {folder}: let others "
                "enter its folders and read it (chmod o+rx); below /home or /root, move or mount "
                "it elsewhere."
            )


def _named(found: Found, roots: Iterable[Root]) -> str:
    parts = [
        *(f"{one.name}{_of(one.user)}" for one in found.services if not one.container),
        *(f"unit {one.name}{_of(one.manager)}" for one in found.units),
        *(f"a line in the crontab of {one.user or one.file}" for one in found.cron),
        *(_root(one) for one in roots),
    ]
    return ", ".join(dict.fromkeys(parts))


def _root(root: Root) -> str:
    size = root.database_bytes / _GIB
    return root.path + (f" with a database of {size:.1f} GiB" if root.database_bytes else "")


def _of(user: str) -> str:
    return f" of {user}" if user else ""


def _paths(roots: Iterable[Root]) -> str:
    return " and ".join(one.path for one in roots)
