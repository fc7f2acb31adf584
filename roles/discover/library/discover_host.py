#!/usr/bin/python
"""Looks at the disks, plots and programs of a host, and changes nothing."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: discover_host
short_description: Look at the disks, plots and programs of a host
description:
  - Reads what lsblk, blkid and the mounted file systems say. It writes nothing.
options: {}
author: goplot
"""

EXAMPLES = """
- name: Look at the host
  discover_host:
"""

RETURN = """
name:
  description: The host's own name, without its domain.
  type: str
  returned: success
devices:
  description: Its block devices, as lsblk lists them, with their place in sysfs and their plots.
  type: list
  elements: dict
  returned: success
programs:
  description: What runs or is installed of Chia, goplot, Prometheus and Grafana.
  type: list
  elements: str
  returned: success
"""

_COLUMNS = "NAME,KNAME,PKNAME,MAJ:MIN,TYPE,SIZE,SERIAL,MODEL,LABEL,UUID,FSTYPE,MOUNTPOINTS,ROTA,RO"
#: Where plots are: in the root of a disk, or in one of its folders.
_PLOTS = (".plot", ".plot2", ".gplot")


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.exit_json(
        changed=False,
        name=socket.gethostname().split(".")[0],
        devices=_devices(module),
        programs=list(_programs()),
    )


def _devices(module: AnsibleModule) -> list[dict[str, Any]]:
    command = ["lsblk", "--json", "--bytes", "--list", "--output", _COLUMNS]
    _, output, _ = module.run_command(command, check_rc=True)
    nodes = _nodes(Path("/dev"))
    found = []
    for row in json.loads(output)["blockdevices"]:
        numbers = str(row["maj:min"]).strip()
        # What has no node is not this host's: in a container, lsblk lists the whole machine.
        if numbers not in nodes:
            continue
        path = nodes[numbers]
        mounts = [point for point in row.get("mountpoints") or [] if point]
        found.append(
            {
                **{name: row.get(name) for name in ("name", "pkname", "type", "serial", "model")},
                "size": int(row["size"] or 0),
                "rotates": row["rota"] in (True, "1", 1),
                "read_only": row["ro"] in (True, "1", 1),
                "path": path,
                "sysfs": str(Path("/sys/dev/block", numbers).resolve()),
                "mounts": mounts or _mounted(numbers),
                **_signature(module, row, path),
            }
        )
    for device in found:
        device["plots"] = sum(_plots(Path(point)) for point in device["mounts"])
    return found


def _nodes(folder: Path) -> dict[str, str]:
    """The path of each block device by its numbers, the shortest of several."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*"), key=lambda one: (len(str(one)), str(one))):
        try:
            status = path.lstat()
        except OSError:
            continue
        if stat.S_ISBLK(status.st_mode):
            numbers = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
            found.setdefault(numbers, str(path))
    return found


def _signature(module: AnsibleModule, row: dict[str, Any], path: str) -> dict[str, Any]:
    """What the device holds: from udev as lsblk has it, or, without udev, from blkid."""
    if row.get("fstype"):
        return {name: row.get(name) for name in ("fstype", "uuid", "label")}
    # The disk is not opened for writing, and blkid's cache is not used.
    _, output, _ = module.run_command(["blkid", "-p", "-o", "export", path])
    tags = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    found = {name: tags.get(name.upper()) for name in ("uuid", "label")}
    return {"fstype": tags.get("TYPE"), "table": tags.get("PTTYPE"), **found}


def _mounted(numbers: str) -> list[str]:
    """Where a device is mounted, according to the kernel; lsblk leaves out those of containers."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        fields = line.split()
        if fields[2] == numbers:
            points.append(fields[4].encode().decode("unicode_escape"))
    return points


def _plots(folder: Path) -> int:
    count = 0
    try:
        for entry in os.scandir(folder):
            if entry.name.endswith(_PLOTS):
                count += 1
            elif entry.is_dir(follow_symlinks=False):
                count += _plots_in(Path(entry.path))
    except OSError:
        return count
    return count


def _plots_in(folder: Path) -> int:
    try:
        return sum(path.name.endswith(_PLOTS) for path in folder.iterdir())
    except OSError:
        return 0


def _programs() -> Iterator[str]:
    homes = {Path(user.pw_dir) for user in pwd.getpwall() if user.pw_dir not in ("/", "")}
    for home in sorted(homes):
        yield from (f"Chia in {path}" for path in _glob(home, ".chia/*/config/config.yaml"))
    for path in _glob(Path("/var/lib/chia"), "*/config/config.yaml"):
        yield f"Chia in {path}"
    for path, what in (
        ("/opt/goplot/current", "goplot"),
        ("/etc/chia/goplot/goplot.sh", "goplot, the bash one"),
        ("/usr/bin/chia", "Chia's Debian package"),
        ("/etc/prometheus/prometheus.yml", "Prometheus"),
        ("/etc/grafana/grafana.ini", "Grafana"),
    ):
        if Path(path).exists():
            yield f"{what}: {path}"
    names = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.add(path.read_text(errors="replace").strip())
        except OSError:
            continue
    for name in sorted(names):
        if name.startswith(("chia_", "prometheus", "grafana")):
            yield f"{name} runs"


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path.parents[1] for path in folder.glob(pattern))
    except OSError:
        return []


if __name__ == "__main__":
    main()
