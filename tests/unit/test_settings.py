"""Settings: good ones load, and all mistakes are reported at once."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.farm.keys import keys_of
from goplot.host.settings import TABLES, Address, SettingsError, load
from tests.support.farm_root import FarmRoot

DEPLOYED = """
[plot]
plotter = "chiapos"
farmer_public_key = "aa"
pool_contract_address = "xch1"
[plotters.chiapos]
program = "/opt/chia/plotting/bin/chia"
options = ["-r", "2"]
environment = { CHIA_ROOT = "/var/lib/goplot/chia" }
[annotations]
url = "http://farmer1:3000"
"""


def test_defaults_are_the_deployed_paths(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(DEPLOYED)
    settings = load(file)
    assert settings.roots.farm == Path("/farm")
    assert settings.roots.main_log == Path("/etc/chia/goplot/logs/goplot.log")
    assert settings.plot.format.name == "k32"
    assert settings.plotters["chiapos"].options == ("-r", "2")
    assert settings.annotations.url == "http://farmer1:3000"
    assert settings.host.units == "systemd"


def test_every_root_can_be_a_folder_of_ones_own(root: FarmRoot) -> None:
    assert root.settings.roots.state == root.path / "state"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[root]\nfarm = "/farm"\n', "root: is not known"),
        ('[roots]\nfarms = "/farm"\n', "roots.farms: is not known"),
        ('[roots]\nfarm = "farm"\n', "absolute path"),
        ("[roots]\nfarm = 3\n", "is 3; it must be an absolute path"),
        ("[plot]\nk = 12\n", "plot.k: is 12; it must be a whole number from 18 to 50"),
        ('[plot]\nk = "32"\n', "must be a whole number"),
        ("[plot]\nk = true\n", "must be a whole number"),
        ("[plot]\ncompression = 8\n", "compression 8"),
        ('[plot]\nplotter = "other"\n', r"\[plotters.other\]"),
        ('[plotters.mine]\nprogram = "/x"\n', "not a known plotter"),
        ("[plotters.chiapos]\noptions = [2]\n", "list of texts"),
        ('[plotters.mine]\ncommand = ["x"]\n', "grammar"),
        ('[annotations]\nurl = "farmer1"\n', "http://"),
        ('[host]\nunits = "cron"\n', "systemd or processes"),
        ("[plot\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load(file)
    assert str(file) in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[plot]\nk = 12\nplotter = "other"\n[roots]\nfarm = 3\n[x]\n')
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert len(str(caught.value).splitlines()) == 4


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        load(tmp_path / "none.toml")


CHIA = """
[chia]
root = "/srv/chia"
quiet_seconds = 60
[farmer_collector]
full_node = "node1:8555"
wallet = ""
harvesters = { "10.77.1.13" = "harvester1" }
[harvester_collector]
harvester = "[::1]:8560"
"""


def test_chia_and_its_collectors(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(DEPLOYED)
    settings = load(file)
    assert settings.chia.log == Path("/var/lib/chia/mainnet/log/debug.log")
    assert settings.farmer_collector is None
    assert settings.harvester_collector is None
    file.write_text(DEPLOYED + CHIA)
    settings = load(file)
    assert settings.chia.log == Path("/srv/chia/log/debug.log")
    assert settings.farmer_collector is not None
    assert settings.farmer_collector.full_node == Address("node1", 8555)
    assert settings.farmer_collector.farmer == Address("localhost", 8559)
    assert settings.farmer_collector.wallet is None
    assert settings.harvester_collector is not None
    assert settings.harvester_collector.harvester == Address("::1", 8560)
    assert str(settings.harvester_collector.harvester) == "[::1]:8560"
    file.write_text(DEPLOYED + '[chia]\nlog = "journal"\n')
    assert load(file).chia.log is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[chia]\nlog = "debug.log"', "chia.log"),
        ("[chia]\nquiet_seconds = 0", "chia.quiet_seconds"),
        ('[farmer_collector]\nfarmer = "localhost"', "must be host:port, such as localhost:8559"),
        ('[farmer_collector]\nharvesters = { "::1" = 3 }', "farmer_collector.harvesters"),
        ('[harvester_collector]\nharvester = ""', "remove the table"),
        ('[harvester_collector]\nport = "8560"', "harvester_collector.port"),
    ],
)
def test_a_mistake_about_chia_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"{DEPLOYED}\n{text}\n")
    with pytest.raises(SettingsError, match=words):
        load(file)


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        entries = (f"{json.dumps(name)} = {toml(entry)}" for name, entry in value.items())
        return "{ " + ", ".join(entries) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


_KEYS = [(table, key) for table, declared in TABLES.items() for key in keys_of(declared)]


@pytest.mark.parametrize(("table", "key"), _KEYS, ids=lambda value: getattr(value, "name", value))
def test_every_key_refuses_what_it_does_not_accept(tmp_path: Path, table: str, key: Any) -> None:
    table = "plotters.chiapos" if table == "plotters" else table
    for value in (False, -1.5, [[1]], {"a": 0}):
        file = tmp_path / "settings.toml"
        file.write_text(f"[{table}]\n{key.name} = {toml(value)}\n")
        with pytest.raises(SettingsError) as caught:
            load(file)
        line = f"{file}: {table}.{key.name}: is {value!r}; it must be {key.accepts}"
        assert line in str(caught.value)


def test_a_number_in_a_list_of_texts_gets_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[plotters.chiapos]\nprogram = "/x"\noptions = ["-r", 8]\n')
    with pytest.raises(SettingsError, match='put it in quotes: "8"'):
        load(file)


_PLAIN = st.text("abc/:é \"'\\", max_size=6) | st.integers(-9, 99) | st.booleans() | st.floats()
_VALUES = st.recursive(
    _PLAIN,
    lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text("ab"), more, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from([*(key.name for _, key in _KEYS), "chiapos", "mine", "nothing"])
_ENTRIES = st.dictionaries(_NAMES, _VALUES | st.dictionaries(_NAMES, _VALUES), max_size=4)
_DOCUMENTS = st.dictionaries(st.sampled_from([*TABLES, "root"]), _VALUES | _ENTRIES)


@given(document=_DOCUMENTS)
def test_any_document_is_used_or_its_mistakes_are_named(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text("".join(f"{name} = {toml(value)}\n" for name, value in document.items()))
    try:
        load(file)
    except SettingsError as error:
        for line in str(error).splitlines():
            named = line.removeprefix(f"{file}: ").partition(":")[0].partition(".")[0]
            assert named in {*document, "plot"}, line
