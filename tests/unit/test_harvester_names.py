"""A harvester's name is its own: when one of two behind one address is lost, neither swaps."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.chia.rpc import Certificates
from goplot.cli import main as goplot
from goplot.collectors.farmer import main as farmer_collector
from goplot.collectors.harvester_names import (
    FORGET_SECONDS,
    Known,
    assign,
    names_path,
    read_names,
)
from goplot.host.textfile import Samples, read_samples
from tests.support.farm_root import FarmRoot
from tests.support.farmer import Farm, give_certificates
from tests.support.rpc_server import harvester

_AB, _CD, _EF = "ab" * 32, "cd" * 32, "ef" * 32
_ADDRESSES = st.sampled_from(["harvester1", "harvester2", "10.9.9.9"])
_NODES = {f"0x{number:064x}" for number in range(1, 7)}
_NOW = 1_795_500_000.0


class Program:
    """goplot-farmer-collector, as its unit runs it again and again."""

    def __init__(self, root: FarmRoot, farm: Farm) -> None:
        self.root, self.farm = root, farm
        addresses = "\n".join(
            f'{name} = "{service.address.host}:{service.address.port}"'
            for name, service in farm.services.items()
        )
        root.configure(
            more=f'[chia]\nroot = "{root.path / "chia"}"\n[farmer_collector]\n{addresses}\n'
            "timeout_seconds = 10\n"
            'harvesters = {"10.0.0.5" = "harvester1", "10.0.0.6" = "harvester2"}\n'
        )

    def run(self, *nodes: str, host: str = "10.0.0.5") -> Samples:
        """One run while these harvesters are connected, all behind one address."""
        self.farm.services["farmer"].answers["get_harvesters_summary"] = {
            "harvesters": [harvester(host, node, plots=int(node[0], 16)) for node in nodes]
        }
        assert farmer_collector() == 0
        return read_samples((self.root.path / "textfiles/goplot_farmer.prom").read_text())

    @property
    def file(self) -> Path:
        """Where it remembers the names."""
        return names_path(self.root.settings.roots.state)


@pytest.fixture
def program(root: FarmRoot, ca: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    credentials = root.path / "credentials"
    credentials.mkdir()
    for path, name in ((ca.certificate, "chia.crt"), (ca.key, "chia.key"), (ca.ca, "chia_ca.crt")):
        shutil.copy(path, credentials / name)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    monkeypatch.setattr("sys.argv", ["x", "--settings", str(root.settings_path)])
    with ExitStack() as stack:
        yield Program(root, Farm(ca, stack))


def connected(samples: Samples) -> dict[str, float]:
    return {had["harvester"]: state for had, state in samples["chia_farmer_harvester_connected"]}


@pytest.mark.parametrize("host", ["10.0.0.5", "10.9.9.9"])
@pytest.mark.parametrize("lost", [_AB, _CD])
def test_the_lost_one_of_two_behind_one_address_is_not_connected(
    program: Program, lost: str, host: str
) -> None:
    first = "harvester1" if host == "10.0.0.5" else host
    names = {_AB: first, _CD: f"{first}/cdcdcdcd"}
    before = connected(program.run(_AB, _CD, host=host))
    assert [before[name] for name in names.values()] == [1, 1]
    (left,) = {_AB, _CD} - {lost}
    samples = program.run(left, host=host)
    assert connected(samples)[names[lost]] == 0
    assert connected(samples)[names[left]] == 1
    plots = {had["harvester"]: count for had, count in samples["chia_farmer_harvester_plots"]}
    assert plots == {names[left]: int(left[0], 16)}
    assert connected(program.run(_CD, _AB, host=host)) == before


def test_all_keep_their_names_when_the_farmer_restarts(program: Program) -> None:
    program.run(_AB)
    before = connected(program.run(_CD, _AB))
    assert set(connected(program.run()).values()) == {0}
    assert connected(program.run(_CD))["harvester1"] == 0
    assert connected(program.run(_CD, _AB)) == before
    del program.farm.services["farmer"].answers["get_harvesters_summary"]
    assert farmer_collector() == 0
    assert {entry.name for entry in read_names(program.file).values()} == {
        "harvester1",
        "harvester1/cdcdcdcd",
    }


def test_a_harvester_with_a_new_certificate_keeps_its_name(program: Program) -> None:
    program.run(_CD)
    assert connected(program.run(_AB)) == {"harvester1": 1, "harvester2": 0}
    assert read_names(program.file).keys() == {f"0x{_AB}"}


def test_a_harvester_at_another_address_gets_the_name_of_that_one(program: Program) -> None:
    program.run(_AB)
    found = connected(program.run(_AB, host="10.0.0.6"))
    assert found == {"harvester1": 0, "harvester2": 1}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"0xab": {"name": 7}}', '{"0xab": null}'])
def test_a_damaged_file_is_written_anew(program: Program, text: str) -> None:
    program.file.parent.mkdir()
    program.file.write_text(text)
    assert connected(program.run(_AB))["harvester1"] == 1
    assert list(json.loads(program.file.read_text())) == [f"0x{_AB}"]


def test_metrics_are_written_where_names_can_not_be_remembered(program: Program) -> None:
    program.file.parent.write_text("a file where the folder has to be")
    assert connected(program.run(_AB))["harvester1"] == 1


def test_goplot_farm_shows_the_names_of_the_service(
    program: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program.run(_AB, _CD)
    program.run(_CD)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    give_certificates(program.root, program.farm.ca, "farmer")
    (program.root.path / "textfiles/goplot_farmer.prom").unlink()
    assert goplot(["farm", "--json", "--settings", str(program.root.settings_path)]) == 3
    shown = json.loads(capsys.readouterr().out)
    states = {entry["harvester"]: entry["state"] for entry in shown["harvesters"]}
    assert states["harvester1"] == "not connected"
    assert states["harvester1/cdcdcdcd"] == "connected"
    assert "harvester harvester1 is not connected to the farmer" in shown["problems"]


@given(steps=st.lists(st.dictionaries(st.sampled_from(sorted(_NODES)), _ADDRESSES), max_size=20))
def test_names_are_unique_and_never_swap(steps: list[dict[str, str]]) -> None:
    known: dict[str, Known] = {}
    for number, present in enumerate(steps):
        before, known = known, assign(known, present, _NOW + 60 * number)
        names = [entry.name for entry in known.values()]
        assert len(set(names)) == len(names)
        assert present.keys() <= known.keys()
        for node, entry in known.items():
            assert entry.name.split("/")[0] == entry.address
            if node in before and before[node].address == entry.address:
                assert entry.name == before[node].name
        for node, entry in before.items():
            # A name passes on only from the one harvester of an address to its only successor.
            heirs = [one for one, now in known.items() if now.name == entry.name and one != node]
            alone = [one for one in before.values() if one.address == entry.address] == [entry]
            moved = present.get(node, entry.address) != entry.address
            assert not heirs or moved or (alone and node not in present)


@given(
    joins=st.lists(st.sampled_from(sorted(_NODES)), min_size=2, unique=True),
    steps=st.lists(st.sets(st.sampled_from(sorted(_NODES)))),
)
def test_any_sequence_of_joins_and_leaves_behind_one_address(
    joins: list[str], steps: list[set[str]]
) -> None:
    known = assign({}, dict.fromkeys(joins, "harvester1"), _NOW)
    names = {node: known[node].name for node in joins}
    for number, present in enumerate(steps):
        known = assign(known, dict.fromkeys(present, "harvester1"), _NOW + 60 * number)
        for node in present:
            assert names.setdefault(node, known[node].name) == known[node].name
        assert {node: known[node].name for node in names} == names


def test_who_was_away_for_long_is_forgotten_and_its_name_is_free() -> None:
    known = assign({}, {"0xaa": "h", "0xbb": "h"}, _NOW)
    late = _NOW + FORGET_SECONDS + 1
    known = assign(known, {"0xbb": "h"}, late)
    assert {entry.name for entry in known.values()} == {"h/bb"}
    assert assign(known, {"0xcc": "h", "0xbb": "h"}, late)["0xcc"].name == "h"


def test_a_date_in_the_future_does_not_keep_a_name_for_longer() -> None:
    known = {"0xaa": Known("h", "h", _NOW + 400 * 86400)}
    known = assign(known, {}, _NOW)
    assert assign(known, {}, _NOW + FORGET_SECONDS + 1) == {}


def test_the_file_is_not_written_at_every_run(program: Program) -> None:
    program.run(_AB, _CD)
    first = program.file.stat()
    program.run(_CD, _AB)
    assert program.file.stat().st_mtime_ns == first.st_mtime_ns
    seen = {node: entry.seen for node, entry in read_names(program.file).items()}
    assert all(abs(time.time() - moment) < 60 for moment in seen.values())
