"""A hosts.toml that is wrong is refused in words that name the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.spec import SpecError, load

GOOD = """
set = "demo"
network = "10.77.1.0/24"
[[hosts]]
name = "plotter1"
number = 12
disks = [{name = "disk1", device = "/dev/vdb", size = "2G", fstype = "xfs", uuid = "6d"}]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "hosts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_spec_is_read(tmp_path: Path) -> None:
    hosts = load(written(tmp_path, GOOD))
    (host,) = hosts.hosts
    assert (hosts.bridge, str(hosts.gateway), str(host.address)) == (
        "gp-demo",
        "10.77.1.1",
        "10.77.1.12",
    )
    assert host.disks[0].size == 2 * 2**30


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('set = "demo"', "", "set is missing"),
        ("10.77.1.0/24", "10.77.1.0/99", "99"),
        ('size = "2G"', 'size = "2T"', "2T"),
        ('"plotter1"', '"Plotter_1"', "Plotter_1"),
        ("number = 12", "", "number is missing"),
    ],
)
def test_a_wrong_spec_is_refused_by_name(tmp_path: Path, old: str, new: str, word: str) -> None:
    with pytest.raises(SpecError, match=word) as caught:
        load(written(tmp_path, GOOD.replace(old, new)))
    assert "hosts.toml" in str(caught.value)


def test_a_host_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no host farmer1.*plotter1"):
        load(written(tmp_path, GOOD)).host("farmer1")
