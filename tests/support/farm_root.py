"""A farm in a folder of its own: roots, a mountinfo that says what is mounted, settings."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from goplot.host.mounts import mount_id
from goplot.host.settings import Settings, load

PLOT_ID = "ab" * 32

# A plotter in shell: it reads its arguments as `chia plots create` does, and writes what chiapos
# writes. FATE, in its environment, says how it ends.
PLOTTER = r"""#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in -d) out=$2; shift ;; -k) k=$2; shift ;; esac
  shift
done
id=$(printf 'ab%.0s' $(seq 32))
name="$out/plot-k$k-2026-11-22-17-53-$id.plot"
echo "ID: $id"
echo "Starting phase 1/4: Forward Propagation into tmp files... Sun Nov 22 17:55:21 2026"
echo "Progress update: 0.120"
echo x > "$name.table1.tmp"
case "$FATE" in
  fail) echo "Could not do it"; exit 9 ;;
  stuck) echo "Only wrote 0 of 9 bytes. Error 1. Retrying in five minutes."; exec sleep 600 ;;
  full) echo "No space left on device"; exit 1 ;;
  wait) touch "$out/../waiting"; exec sleep 600 ;;
esac
echo "Time for phase 1 = 55.595 seconds. CPU (144.860%) Sun Nov 22 17:56:17 2026"
rm "$name.table1.tmp"
python3 - "$name.2.tmp" "$id" "$k" "${BYTES:-3889102}" <<'END'
import sys
name, plot_id, k, size = sys.argv[1:]
with open(name, "wb") as file:
    file.write(b"Proof of Space Plot" + bytes.fromhex(plot_id) + bytes([int(k)]))
    file.truncate(int(size))
END
mv "$name.2.tmp" "$name"
"""


@dataclass
class FarmRoot:
    """Where everything is, and what a test may change about it."""

    path: Path
    mounted: set[Path]
    bound: dict[Path, Path] = field(default_factory=dict)

    @property
    def settings_path(self) -> Path:
        """The settings file."""
        return self.path / "settings.toml"

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return load(self.settings_path)

    def disk(self, farm: int, name: str) -> Path:
        """A disk's folder."""
        return self.path / "farm" / str(farm) / name

    def temp(self, farm: int) -> Path:
        """A temp farm's folder."""
        return self.path / "plot_temp" / str(farm)

    def add_disk(self, farm: int, name: str, *, mounted: bool = True) -> Path:
        """Make a disk."""
        disk = self.disk(farm, name)
        disk.mkdir(parents=True)
        if mounted:
            (disk / "plots").mkdir()
            (disk / "logs").mkdir()
            self.mount(disk)
        return disk

    def add_temp(self, farm: int) -> Path:
        """Make a temp farm."""
        temp = self.temp(farm)
        temp.mkdir(parents=True)
        self.mount(temp)
        return temp

    def mount(self, path: Path) -> None:
        """Let a folder count as a mount point."""
        self.mounted.add(path)
        self.write_mountinfo()

    def bind(self, path: Path, other: Path) -> None:
        """Let a mounted folder count as one of another's file system."""
        self.bound[path] = other
        self.write_mountinfo()

    def unmount(self, path: Path) -> None:
        """Let a folder count as an empty mount point."""
        self.mounted.discard(path)
        self.write_mountinfo()

    def tune(self, **values: object) -> None:
        """Write tunables."""
        for name, value in values.items():
            (self.path / "config" / f"{name}.goplot").write_text(f"{value}\n")

    def configure(
        self,
        *,
        k: int = 18,
        fate: str = "",
        size: int = 3889102,
        temp_gib: float | None = None,
        more: str = "",
    ) -> None:
        """Write the settings file; `fate` and `size` go to the plotter."""
        temp = "" if temp_gib is None else f"temp_gib = {temp_gib:.6f}"
        roots = "\n".join(
            f'{name} = "{self.path / name}"'
            for name in ("farm", "plot_temp", "config", "disks", "logs", "state", "textfiles")
        )
        self.settings_path.write_text(
            f"""[roots]
{roots}
[plot]
k = {k}
farmer_public_key = "aa"
pool_public_key = "bb"
[plotters.chiapos]
program = "{self.path / "plotter"}"
environment = {{ FATE = "{fate}", BYTES = "{size}" }}
{temp}
[host]
mountinfo = "{self.path / "mountinfo"}"
proc = "{self.path / "proc"}"
units = "processes"
{more}
"""
        )

    def write_mountinfo(self) -> None:
        """Write what counts as mounted: each on a device of its own, unless it is bound."""
        descriptor = os.open(self.path, os.O_RDONLY)
        number = mount_id(descriptor)
        os.close(descriptor)
        devices = {path: minor for minor, path in enumerate(sorted(self.mounted), 1)}
        (self.path / "mountinfo").write_bytes(
            b"".join(
                b"%d 1 8:%d / %s rw,relatime shared:1 - xfs /dev/sda1 rw\n"
                % (number, devices[self.bound.get(path, path)], _as_in_mountinfo(path))
                for path in devices
            )
        )


def _as_in_mountinfo(path: Path) -> bytes:
    """A path as the kernel writes it there: four characters in octal, other bytes as they are."""
    return re.sub(rb"[ \t\n\\]", lambda found: b"\\%03o" % ord(found[0]), os.fsencode(path))


def make_farm_root(path: Path) -> FarmRoot:
    """Two destination farms with three disks, one disk that is not mounted, two temp farms."""
    root = FarmRoot(path, set())
    for name in ("config", "disks", "logs", "state", "textfiles", "proc"):
        (path / name).mkdir()
    (path / "state" / "jobs").mkdir()
    root.add_disk(1, "disk1")
    root.add_disk(1, "disk3")
    root.add_disk(2, "disk2")
    root.add_disk(2, "disk4", mounted=False)
    root.add_temp(1)
    root.add_temp(2)
    plotter = path / "plotter"
    plotter.write_text(PLOTTER)
    plotter.chmod(0o755)
    root.configure()
    root.tune(on_toggle="run", plot_gap=0, plot_poll=60, max_plots=8, load_max=100000)
    return root
