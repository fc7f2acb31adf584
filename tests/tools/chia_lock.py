"""Lock what pip installs for a release of Chia: chia_lock VERSION [--override PACKAGE==VERSION].

Writes roles/chia/files/locks/VERSION: `chia.txt`, Chia and all that it depends on; `build.txt`,
what pip needs to build those that have no wheel, and what that needs in turn; `pip.txt`, a pip that
checks the hashes of both. Each package is of one version, with the hashes of all its files, so
that a lock fits every Python and processor in PYTHONS and MACHINES.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

LOCKS = Path(__file__).parents[2] / "roles/chia/files/locks"
#: Debian 12, Ubuntu 24.04, Debian 13.
PYTHONS = ((3, 11), (3, 12), (3, 13))
MACHINES = ("x86_64", "aarch64")
#: 2.36 is Debian 12's, the oldest.
_GLIBC_MINOR = 36
#: The first pip that checks the hashes of what it builds with.
_PIP = "pip>=26.1"
#: What PEP 518 has pip build with where a package says nothing.
_BUILD_DEFAULT = ("setuptools", "wheel")

#: A package of a lock, as the standard for pylock.toml (PEP 751) has it.
Package = Mapping[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description="Lock what pip installs for a release of Chia.")
    parser.add_argument("version", help="a release of chia-blockchain on PyPI")
    parser.add_argument(
        "--override",
        action="append",
        default=[],
        help="PACKAGE==VERSION, where Chia asks for one that was withdrawn",
    )
    arguments = parser.parse_args()
    folder = LOCKS / arguments.version
    try:
        chia = resolve([f"chia-blockchain=={arguments.version}"], arguments.override)
        tools = build_requirements(chia)
        build = resolve(sorted(tools))
        # Some tools are themselves built.
        while more := build_requirements(build) - tools:
            tools |= more
            build = resolve(sorted(tools))
        texts = {"chia": chia, "build": build, "pip": resolve([_PIP])}
    except subprocess.CalledProcessError as error:
        print(f"chia-lock: {error.stderr.strip()}", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, packages in texts.items():
        (folder / f"{name}.txt").write_text(requirements(packages), encoding="utf-8")
    print(f"chia-lock: wrote {folder}")
    return 0


def resolve(wanted: Iterable[str], overrides: Iterable[str] = ()) -> list[Package]:
    """All packages that these need on any Python from the first of PYTHONS on."""
    with tempfile.TemporaryDirectory() as folder:
        asked, forced = Path(folder, "requirements.in"), Path(folder, "overrides.in")
        asked.write_text("\n".join(wanted), encoding="utf-8")
        forced.write_text("\n".join(overrides), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"]
        command += ["--universal", "--python-version", ".".join(map(str, PYTHONS[0]))]
        command += ["--format", "pylock.toml", "--overrides", str(forced), str(asked)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    packages: list[Package] = tomllib.loads(done.stdout).get("packages", [])
    return packages


def requirements(packages: Iterable[Package]) -> str:
    """A lock as pip reads it."""
    blocks = []
    for package in packages:
        marker = f" ; {package['marker']}" if "marker" in package else ""
        hashes = sorted({file["hashes"]["sha256"] for file in _files(package)})
        lines = [f"{package['name']}=={package['version']}{marker}"]
        blocks.append(" \\\n    ".join(lines + [f"--hash=sha256:{one}" for one in hashes]) + "\n")
    return "".join(blocks)


def _files(package: Package) -> Iterator[Mapping[str, Any]]:
    yield from package.get("wheels", ())
    if "sdist" in package:
        yield package["sdist"]


def build_requirements(packages: Iterable[Package]) -> set[str]:
    """What the packages are built with that have no wheel for one of PYTHONS on one of MACHINES."""
    targets = [_tags(*target) for target in product(PYTHONS, MACHINES)]
    found: set[str] = set()
    for package in packages:
        wheels = [wheel["url"].rpartition("/")[2] for wheel in package.get("wheels", ())]
        fits = [parse_wheel_filename(name)[3] for name in wheels]
        if not all(any(tags & target for tags in fits) for target in targets):
            found |= set(_build_system(package["sdist"]))
    return found


def _tags(python: tuple[int, int], machine: str) -> frozenset[Tag]:
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 4, -1)]
    platforms += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"manylinux1_{machine}"]
    interpreter = f"cp{python[0]}{python[1]}"
    return frozenset(
        [
            *cpython_tags(python, platforms=platforms),
            *compatible_tags(python, interpreter, platforms),
        ]
    )


def _build_system(sdist: Mapping[str, Any]) -> Iterable[str]:
    with urllib.request.urlopen(sdist["url"], timeout=60) as answer:  # noqa: S310
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != sdist["hashes"]["sha256"]:
        raise ValueError(f"{sdist['url']} has another hash than the index says")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            if re.fullmatch(r"[^/]+/pyproject\.toml", member.name):
                file = archive.extractfile(member)
                assert file is not None
                project = tomllib.loads(file.read().decode())
                requires: list[str] = project.get("build-system", {}).get(
                    "requires", _BUILD_DEFAULT
                )
                return requires
    return _BUILD_DEFAULT


if __name__ == "__main__":
    sys.exit(main())
