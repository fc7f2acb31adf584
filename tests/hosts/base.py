"""The base tree that all hosts share: a minimal Debian, made once and cached."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.hosts.spec import CACHE_ROOT
from tests.hosts.system import HostError, locked, remove_tree, run, say

INCLUDE = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "python3",
    "iproute2",
    "python3-apt",
    "openssh-server",
    "ca-certificates",
)
MACHINE_CERTIFICATES = Path("/usr/local/share/ca-certificates")
PIP_KEYS = ("index-url", "trusted-host", "proxy")


def ensure(suite: str) -> Path:
    """The base tree of a Debian suite, made if it is not there. Takes half a minute the first time.

    What it trusts is a part of its name: a machine whose certificates or package sources changed
    gets a new tree.
    """
    settings = _machine_settings(suite)
    digest = hashlib.sha256(repr((INCLUDE, sorted(settings.items()))).encode()).hexdigest()[:12]
    tree = CACHE_ROOT / f"base-{suite}-{digest}"
    with locked(CACHE_ROOT / "lock") as lock:
        if not tree.exists():
            _build(suite, tree, settings, lock)
    return tree


def _build(suite: str, tree: Path, settings: dict[str, str], lock: int) -> None:
    say(f"making the base tree {tree} (once; about half a minute)")
    for old in CACHE_ROOT.glob("*.partial"):
        remove_tree(old)
    partial = tree.with_name(f"{tree.name}.partial")
    include = f"--include={','.join(INCLUDE)}"
    run("debootstrap", "--variant=minbase", include, suite, partial, pass_fds=(lock,))
    for name, content in settings.items():
        target = partial / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    run("chroot", partial, "update-ca-certificates")
    run("chroot", partial, "apt-get", "update", "-q")
    for name in ("etc/resolv.conf", "etc/machine-id", "etc/hostname"):
        (partial / name).unlink(missing_ok=True)
    (partial / "etc/resolv.conf").touch()
    for unit in ("systemd-networkd.service", "ssh.service"):
        run("chroot", partial, "systemctl", "enable", unit)
    # Hosts get keys of their own when they are made.
    for key in (partial / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    shutil.rmtree(partial / "var/cache/apt/archives")
    (partial / "var/cache/apt/archives/partial").mkdir(parents=True)
    partial.rename(tree)


def _machine_settings(suite: str) -> dict[str, str]:
    """How this machine reaches package registries, as files of the tree: path -> content."""
    files = {"etc/apt/sources.list": _apt_sources(suite)}
    proxies = [
        line
        for line in run("apt-config", "dump").splitlines()
        if line.startswith("Acquire::") and "proxy" in line.lower() and not line.endswith('"";')
    ]
    files["etc/apt/apt.conf.d/90machine"] = "\n".join([*proxies, ""])
    for certificate in sorted(MACHINE_CERTIFICATES.glob("*.crt")):
        files[str(certificate.relative_to("/"))] = certificate.read_text(encoding="utf-8")
    pip = ["[global]", "cert = /etc/ssl/certs/ca-certificates.crt", "cache-dir = /var/cache/pip"]
    pip += ["disable-pip-version-check = true"]
    for key in PIP_KEYS:
        value = run("python3", "-m", "pip", "config", "get", f"global.{key}", check=False).strip()
        if value:
            pip.append(f"{key} = {value}")
    files["etc/pip.conf"] = "\n".join([*pip, ""])
    return files


def _apt_sources(suite: str) -> str:
    """The machine's own Debian mirrors, for the suite of the hosts."""
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN) $(LABEL)")
    mirrors = {}
    for line in listed.splitlines():
        uri, _, origin, label = line.split(" ", 3)
        if origin == "Debian":
            mirrors[label] = uri
    if "Debian" not in mirrors:
        raise HostError("no Debian mirror is known to apt here: run apt-get update and try again")
    lines = [f"deb {mirrors['Debian']} {part} main" for part in (suite, f"{suite}-updates")]
    if "Debian-Security" in mirrors:
        lines.append(f"deb {mirrors['Debian-Security']} {suite}-security main")
    return "\n".join([*lines, ""])
