#!/usr/bin/python
"""Fetches Debian packages with all that they depend on, as a repository in one file."""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: offline_packages
short_description: Fetch Debian packages with all that they depend on
description:
  - Has apt, in a folder of its own, fetch the packages and everything that they depend on, verified
    by the keys of the sources. Packs them with their index into C(packages.tar), and writes
    C(digest) last. Needs apt and dpkg-deb, and no rights.
options:
  dest:
    description: The folder for packages.tar and digest.
    type: path
    required: true
  sources:
    description:
      - Lines of sources.list(5).
      - C(DEBIAN) and C(DEBIAN-SECURITY) stand for the mirrors that apt uses on this machine.
    type: list
    elements: str
    required: true
  packages:
    description: Names of the packages.
    type: list
    elements: str
    required: true
author: goplot
"""

EXAMPLES = """
- name: Fetch Prometheus
  offline_packages:
    dest: /srv/offline/bookworm
    sources: [deb DEBIAN bookworm main]
    packages: [prometheus]
"""

RETURN = """
count:
  description: How many packages there are.
  type: int
  returned: success
"""


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "dest": {"type": "path", "required": True},
        "sources": {"type": "list", "elements": "str", "required": True},
        "packages": {"type": "list", "elements": "str", "required": True},
    }
    module = AnsibleModule(argument_spec=spec)
    dest = Path(module.params["dest"])
    dest.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=dest) as folder:
        debs = _fetch(module, Path(folder))
        index = "\n".join(_entry(module, deb) for deb in debs)
        digest = hashlib.sha256(index.encode()).hexdigest()
        known = dest / "digest"
        before = known.read_text(encoding="ascii").strip() if known.exists() else ""
        if digest != before:
            _pack(debs, index, Path(folder, "packages.tar"))
            Path(folder, "packages.tar").replace(dest / "packages.tar")
            known.write_text(f"{digest}\n", encoding="ascii")
    module.exit_json(changed=digest != before, count=len(debs))


def _fetch(module: AnsibleModule, folder: Path) -> list[Path]:
    """The packages, fetched by an apt that knows of no installed one."""
    for name in ("lists/partial", "cache/archives/partial", "etc"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    sources = "\n".join(_with_mirrors(module, module.params["sources"]))
    (folder / "etc/sources.list").write_text(f"{sources}\n", encoding="utf-8")
    options = {
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::SourceList": folder / "etc/sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::Etc::Preferences": "-",
        "Dir::Etc::PreferencesParts": "-",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "0",
        "APT::Get::AllowUnauthenticated": "0",
    }
    words = [f"-o={name}={value}" for name, value in options.items()]
    module.run_command(["apt-get", *words, "-q", "update"], check_rc=True)
    wanted = module.params["packages"]
    install = ["apt-get", *words, "-qy", "--download-only", "install", *wanted]
    module.run_command(install, check_rc=True)
    return sorted((folder / "cache/archives").glob("*.deb"), key=lambda deb: deb.name)


def _with_mirrors(module: AnsibleModule, sources: list[str]) -> list[str]:
    """The sources, with this machine's own mirrors in place of DEBIAN and DEBIAN-SECURITY."""
    form = "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)"
    _, listed, _ = module.run_command(["apt-get", "indextargets", "--format", form], check_rc=True)
    known = (line.split("\t") for line in listed.splitlines())
    mirrors = {label.upper(): uri for origin, label, uri in known if origin == "Debian"}
    found = []
    for source in sources:
        words = source.split()
        missing = {"DEBIAN", "DEBIAN-SECURITY"} & set(words) - mirrors.keys()
        if missing:
            module.fail_json(
                msg=f"apt knows of no mirror here for {', '.join(missing)}: run apt-get update, "
                f"or write the mirror into offline_apt_sources, in place of the word in: {source}"
            )
        found.append(" ".join(mirrors.get(word, word) for word in words))
    return found


def _entry(module: AnsibleModule, deb: Path) -> str:
    """The entry of a package in the index, deb822(5)."""
    _, control, _ = module.run_command(["dpkg-deb", "--field", str(deb)], check_rc=True)
    with deb.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    more = f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
    return f"{control.rstrip()}\n{more}"


def _pack(debs: list[Path], index: str, target: Path) -> None:
    packages = target.with_name("Packages")
    packages.write_text(index, encoding="utf-8")
    with tarfile.open(target, "w") as tar:
        for file in [*debs, packages]:
            tar.add(file, f"debs/{file.name}")


if __name__ == "__main__":
    main()
