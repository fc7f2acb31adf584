"""How roles/farm_layout recognises a blank device, on files in place of devices."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import ansible.module_utils
import pytest

MODULE_UTILS = Path(__file__).parents[2] / "roles" / "farm_layout" / "module_utils"
MIB = 1 << 20


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, found where Ansible would put it."""
    folders = [*ansible.module_utils.__path__, str(MODULE_UTILS)]
    monkeypatch.setattr(ansible.module_utils, "__path__", folders)
    return importlib.import_module("ansible.module_utils.farm_layout_devices")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """64 MiB of zeros."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    return path


def test_zeros_are_blank(devices: ModuleType, disk: Path) -> None:
    assert devices.contents(str(disk)) == ()


@pytest.mark.parametrize("offset", [0, 511, MIB, 2 * MIB - 1, 32 * MIB, 63 * MIB, 64 * MIB - 1])
def test_one_byte_at_the_ends_or_in_a_sample_is_data(
    devices: ModuleType, disk: Path, offset: int
) -> None:
    with disk.open("r+b") as file:
        file.seek(offset)
        file.write(b"\x01")
    assert "there is data on it" in devices.contents(str(disk))[0]


def test_a_device_smaller_than_a_sample_is_read_whole(devices: ModuleType, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(bytes(4096))
    assert devices.contents(str(small)) == ()
    small.write_bytes(bytes(4095) + b"\x01")
    assert devices.contents(str(small)) != ()


def test_what_cannot_be_opened_is_not_blank(devices: ModuleType, tmp_path: Path) -> None:
    assert "not readable" in devices.contents(str(tmp_path / "none"))[0]


def test_records_are_what_was_written(devices: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "goplot" / "farm_layout.json"
    plan = importlib.import_module("ansible.module_utils.farm_layout_plan")
    records = {"/plot_temp/1": plan.Record("/dev/sdb", "aa", made=False)}
    assert devices.read_records(file) == {}
    devices.write_records(records, file)
    assert devices.read_records(file) == records
    assert [path.name for path in file.parent.iterdir()] == ["farm_layout.json"]


def entry(**given: Any) -> dict[str, Any]:
    """A mount as Ansible hands it to a module."""
    mount = {"path": "/farm/1/d", "src": "/dev/sdb", "fstype": "xfs", "opts": "noatime"}
    return {**mount, "format": None, **given}


@pytest.mark.parametrize(
    ("mount", "default", "formats"),
    [
        (entry(), False, False),
        (entry(), True, True),
        (entry(format=False), True, False),
        (entry(format=True), False, True),
        (entry(src="UUID=AA"), True, False),
    ],
)
def test_an_entry_decides_before_the_default(
    devices: ModuleType, mount: dict[str, Any], default: bool, formats: bool
) -> None:
    (wanted,) = devices.wanted_of({"mounts": [mount], "format": default})
    assert wanted.format is formats
    assert wanted.src == mount["src"].replace("AA", "aa")


def test_a_device_is_found_by_its_tag_without_udev(devices: ModuleType) -> None:
    output = "DEVNAME=/dev/null\nLABEL=my\\ disk\nUUID=none-such-1\n\nDEVNAME=/dev/zero\nUUID=x\n"
    host = devices.Host(lambda command: (0, output))
    # Neither is a block device, so the answer is that there is none; the tag is found all the same.
    assert host.resolve("UUID=none-such-1") == ""
    assert host._by_tag("UUID=none-such-1") == "/dev/null"
    assert host._by_tag("LABEL=my disk") == "/dev/null"
    assert host._by_tag("UUID=absent") == ""


def test_signatures_are_findings_before_any_byte_is_read(devices: ModuleType, disk: Path) -> None:
    host = devices.Host(lambda command: (0, "loop0 0x438 ext4\n" if "wipefs" in command else ""))
    assert host.findings(str(disk), {"TYPE": "ext4"}) == ("it holds ext4",)
    assert "wipefs finds" in host.findings(str(disk), {})[0]
    assert devices.Host(lambda command: (8, "")).probe("/dev/x") == {"AMBIVALENT": "yes"}
