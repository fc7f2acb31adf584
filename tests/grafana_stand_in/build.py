"""Builds the stand-in's package and a signed apt repository of it, as the vendor's is laid out.

`python3 build.py FOLDER` makes FOLDER/dists/stable/main, the package, and gpg-full.key, with a
signing key of its own that it throws away.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
from email.utils import formatdate
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTROL = """Package: grafana
Version: {version}
Architecture: all
Maintainer: goplot's tests <nobody@localhost>
Depends: python3, python3-yaml
Description: a stand-in for Grafana, for goplot's tests
"""
FILES = {
    "grafana.py": ("usr/share/grafana/bin/grafana", 0o755),
    "grafana_answers.py": ("usr/share/grafana/bin/grafana_answers.py", 0o644),
    "gpx_prometheus.py": ("var/lib/grafana/plugins-bundled/prometheus/gpx_prometheus", 0o755),
    "grafana-server.service": ("lib/systemd/system/grafana-server.service", 0o644),
    "grafana-server.default": ("etc/default/grafana-server", 0o644),
    "postinst": ("DEBIAN/postinst", 0o755),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = build(Path(folder))
        shutil.rmtree(options.folder, ignore_errors=True)
        publish(package, options.folder, Path(folder, "gnupg"))


def version(sources: Path) -> str:
    """Another for other content: from its cache, apt takes what has the same name and size."""
    content = b"".join((sources / name).read_bytes() for name in FILES)
    return f"13.2.1+stand-in.{hashlib.sha256(content).hexdigest()[:8]}"


def build(folder: Path) -> Path:
    """The package as a file in `folder`."""
    root = folder / "package"
    for name, (path, mode) in FILES.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / name, target)
        target.chmod(mode)
    samples = {
        "usr/share/grafana/conf/sample.ini": "# A stand-in's sample.\n[security]\n",
        "DEBIAN/control": CONTROL.format(version=version(HERE)),
        "DEBIAN/conffiles": "/etc/default/grafana-server\n",
    }
    for path, content in samples.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    (root / "etc/grafana").mkdir()
    package = folder / f"grafana_{version(HERE)}_all.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", str(root), str(package)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return package


def publish(package: Path, folder: Path, keyring: Path) -> None:
    """Lay a signed repository of one package out in `folder`."""
    machine = printed("dpkg", "--print-architecture")
    index = folder / f"dists/stable/main/binary-{machine}/Packages"
    index.parent.mkdir(parents=True)
    shutil.copyfile(package, folder / package.name)
    entry = printed("dpkg-deb", "--field", str(package))
    entry += f"\nFilename: {package.name}\nSize: {package.stat().st_size}\n"
    index.write_text(f"{entry}SHA256: {digest(package)}\n")
    relative = index.relative_to(folder / "dists/stable")
    release = "Origin: goplot's tests\nSuite: stable\nCodename: stable\nComponents: main\n"
    release += f"Architectures: {machine}\nDate: {formatdate(usegmt=True)}\nSHA256:\n"
    release += f" {digest(index)} {index.stat().st_size} {relative}\n"
    sign(release, folder, keyring)


def sign(release: str, folder: Path, keyring: Path) -> None:
    """InRelease, and the key that it was signed with."""
    keyring.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(keyring)}

    def gpg(*words: str, text: str = "") -> str:
        command = ["gpg", "--batch", "--quiet", "--passphrase", "", *words]
        done = subprocess.run(
            command, env=environment, input=text, check=True, capture_output=True, text=True
        )
        return done.stdout

    gpg("--quick-generate-key", "goplot's tests", "ed25519", "sign", "30d")
    (folder / "gpg-full.key").write_text(gpg("--armor", "--export"))
    (folder / "dists/stable/InRelease").write_text(gpg("--clearsign", text=release))
    subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)


def printed(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
