"""The settings file that role goplot writes, whatever an inventory says of plotters."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from goplot_preflight.services import KEYS

from goplot.host.settings import SettingsError, load
from tests.support.history import services_before
from tests.support.plays import ROLES, rendered

_TEMPLATE = ROLES / "goplot/templates/settings.toml.j2"
_PLOTTER: dict[str, Any] = {
    "program": "/x",
    "options": ["-r", '"8"'],
    "environment": {"A B": "c", "D": None},
    "command": None,
}
_WRONG = {"a key": 1, "program": None, "options": ["-r", 8], "environment": {"A": 1}}
_MINE = {
    "goplot_plotter": "mine",
    "goplot_farmer_public_key": "aa",
    "goplot_pool_public_key": "bb",
}
#: Another value for every variable whose key preflight knows.
_VALUES: dict[str, Any] = {
    "goplot_plotter": "madmax",
    "goplot_k": 33,
    "goplot_compression": 3,
    "goplot_pool_contract_address": "xch1",
    "goplot_pool_public_key": "cc",
    "goplot_grafana_url": "http://192.0.2.7:3000",
    "chia_root": "/srv/chia",
    "watch_quiet_seconds": 77,
    "watch_full_node_rpc": "192.0.2.8:8555",
    "watch_timeout_seconds": 7,
}
_HOSTS: dict[str, dict[str, Any]] = {
    "good": {**_MINE, "goplot_plotters": {"mine": {}, "madmax": _PLOTTER}},
    "bad": {**_MINE, "goplot_plotters": {"mine": _WRONG, "my own": _PLOTTER}},
    "other": {**_VALUES, "goplot_annotation_tags": ["x"]},
    "moved": {
        "goplot_farmer_public_key": "aa",
        "goplot_pool_public_key": "bb",
        "chia_keys_root": "/srv/keys",
        "chia_install_dir": "/srv/chia-programs",
    },
    "plain": {"goplot_farmer_public_key": "aa", "goplot_pool_public_key": "bb"},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By host, the file that the role writes."""
    folder = tmp_path_factory.mktemp("settings")
    inventory = {"harvester": {"hosts": _HOSTS}, "farmer": {"hosts": {"other": {}}}}
    lookup = f"{{{{ lookup('ansible.builtin.template', '{_TEMPLATE}') }}}}"
    made = {}
    for name, found in rendered(folder, inventory, ["goplot"], {"text": lookup}).items():
        made[name] = folder / f"{name}.toml"
        made[name].write_text(found["text"])
    return made


def test_a_plotter_is_written_as_it_is_meant(files: dict[str, Path]) -> None:
    settings = load(files["good"], ("plot", "roots"))
    plotter = settings.plotters["madmax"]
    assert plotter.options == ("-r", '"8"')
    assert plotter.environment == {"A B": "c"}
    assert plotter.command == ()
    assert settings.harvester_collector is not None


def test_a_plotter_that_is_wrong_spoils_no_other_table(files: dict[str, Path]) -> None:
    assert load(files["bad"], ("roots", "chia", "harvester_collector")).mistakes
    with pytest.raises(SettingsError, match=r"plotters\.mine\.a key: is not known"):
        load(files["bad"])


def test_preflight_knows_which_variable_feeds_which_key(files: dict[str, Path]) -> None:
    document = tomllib.loads(files["other"].read_text())
    assert _VALUES.keys() == KEYS.keys()
    for variable, key in KEYS.items():
        table, name = key.split(".")
        assert document[table].pop(name) == _VALUES[variable], variable
    # What is left is not the inventory's to say, or is checked by rules of its own.
    del document["roots"], document["plotters"]
    assert {table: set(left) for table, left in document.items() if left} == {
        "plot": {"farmer_public_key"},
        "annotations": {"tags"},
        "farmer_collector": {"harvesters"},
        "harvester_collector": {"timeout_seconds"},
    }


def test_the_first_release_reads_the_file_of_a_farm_of_its_time(
    files: dict[str, Path], tmp_path: Path
) -> None:
    """goplot_rollback goes to the build before, which reads what is written now."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from goplot.host.settings import load;"
            "load(Path(sys.argv[1]))",
            str(files["plain"]),
        ],
        env={**os.environ, "PYTHONPATH": str(services_before(tmp_path))},
        check=True,
    )


def test_the_program_and_keys_of_chia_are_written_where_they_are_elsewhere(
    files: dict[str, Path],
) -> None:
    chia = load(files["moved"]).chia
    assert (chia.keys_root, chia.program) == (
        Path("/srv/keys"),
        Path("/srv/chia-programs/current/bin/chia"),
    )
