"""The farm's secrets are looked for as text wherever somebody else could read them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.hosts.machine import Machine
from tests.hosts.spec import HostSet
from tests.support.playbook import PROJECT, play

ToMachine = Callable[[str], Machine]

SCENARIO = PROJECT / "molecule/network"
VAULT_PASSWORD = PROJECT / "tests/network/vault-password"
CHIA = "/var/lib/chia/simulator0/config/ssl"
HOSTS = ("farmer1", "harvester1", "harvester2")
# Runs on a host from standard input, the secrets with it: they are in no command line of its own.
SEARCH = """
import json, os, pathlib, stat, subprocess
secrets = {name: text.encode() for name, text in json.loads(SECRETS).items()}
found = []
def look(where, content):
    found.extend((name, where) for name, text in secrets.items() if text in content)
for folder, folders, files in os.walk("/"):
    # Kernel's own, and the cache of packages that all test hosts share.
    skipped = {"/": ("proc", "sys", "dev"), "/var/cache": ("pip",)}.get(folder, ())
    folders[:] = [name for name in folders if name not in skipped]
    for name in files:
        path = pathlib.Path(folder, name)
        try:
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH:
                look(str(path), path.read_bytes())
        except FileNotFoundError:
            continue
for process in pathlib.Path("/proc").iterdir():
    if process.name.isdigit() and int(process.name) != os.getpid():
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes().replace(b"\\0", b" ")
            except OSError:
                continue
            look("processes", content)
look("journal", subprocess.run(["journalctl", "-o", "cat", "-a"], capture_output=True).stdout)
print(json.dumps(found))
"""


def search(machine: Machine, wanted: dict[str, str]) -> set[tuple[str, str]]:
    """(name of the secret, where it is) on a host; a file's place is its path."""
    script = f"SECRETS = {json.dumps(wanted)!r}\n{SEARCH}"
    return {(name, where) for name, where in json.loads(machine.run("python3", "-", stdin=script))}


def mnemonic() -> str:
    """The words, out of the inventory's vault."""

    class Loader(yaml.SafeLoader):
        pass

    def as_text(loader: Loader, node: yaml.ScalarNode) -> str:
        return loader.construct_scalar(node)

    Loader.add_constructor("!vault", as_text)
    text = (SCENARIO / "inventory/group_vars/farmer/main.yml").read_text(encoding="utf-8")
    password = VAULT_PASSWORD.read_bytes().strip()
    vault = VaultLib([("default", VaultSecret(password))])
    words: str = vault.decrypt(Loader(text).get_single_data()["chia_mnemonic"]).decode()
    return words


def middle(key: str) -> str:
    """A line of a PEM key that no other key has."""
    return key.splitlines()[10]


@pytest.fixture(scope="module")
def wanted(machine: ToMachine) -> dict[str, str]:
    paths = {"the CA's key": ("farmer1", "ca/private_ca.key")}
    paths |= {f"{host}'s key": (host, "daemon/private_daemon.key") for host in HOSTS}
    found = {
        name: middle(machine(host).run("cat", f"{CHIA}/{path}"))
        for name, (host, path) in paths.items()
    }
    words = mnemonic().split()
    assert len(words) == 24
    return {**found, "the mnemonic": " ".join(words), "half the mnemonic": " ".join(words[6:18])}


@pytest.mark.parametrize("host", HOSTS)
def test_no_secret_is_where_somebody_else_can_read_it(
    machine: ToMachine, wanted: dict[str, str], host: str
) -> None:
    assert search(machine(host), wanted) == set()


def test_the_search_finds_what_is_there(machine: ToMachine) -> None:
    decoy = f"decoy {secrets.token_hex(16)}"
    farmer = machine("farmer1")
    farmer.run("sh", "-c", "cat > /srv/leak", stdin=f"<{decoy}>")
    # systemd names the command in the journal, too.
    loop = f": {decoy}; while :; do sleep 1; done"
    farmer.run("systemd-run", "--quiet", "--collect", "--unit=decoy", "sh", "-c", loop)
    try:
        places = {where for _, where in search(farmer, {"decoy": decoy})}
    finally:
        farmer.run("systemctl", "stop", "decoy")
        farmer.run("rm", "/srv/leak")
    assert places >= {"/srv/leak", "journal", "processes"}


def test_no_host_but_the_farmer_has_the_key_of_the_ca(
    machine: ToMachine, wanted: dict[str, str]
) -> None:
    for host in ("harvester1", "harvester2"):
        key = "grep -rlF -f /dev/stdin /var/lib/chia /root /tmp /run/user 2>/dev/null || true"
        assert machine(host).run("sh", "-c", key, stdin=wanted["the CA's key"]) == ""


def test_a_play_shows_no_secret_however_much_it_shows(
    hosts: HostSet, machine: ToMachine, wanted: dict[str, str]
) -> None:
    # Certificates and key are made anew, for these are the tasks that handle secrets.
    for host in ("harvester1", "harvester2"):
        machine(host).run("rm", f"{CHIA}/ca/private_ca.crt")
    password = ("--vault-password-file", VAULT_PASSWORD)
    done = play("network", "chia.yml", "-vvvv", "--diff", *password)
    assert done.returncode == 0, done.stdout[-2000:]
    shown = done.stdout + done.stderr
    assert "Create this host's certificates" in shown
    assert "Add the farmer's key to the keyring" in shown
    assert [name for name, text in wanted.items() if text in shown] == []
