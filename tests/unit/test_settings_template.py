"""The settings file that role goplot writes, whatever an inventory says of plotters."""

from pathlib import Path
from typing import Any

import pytest

from goplot.host.settings import SettingsError, load
from tests.support.plays import ROLES, rendered

_TEMPLATE = ROLES / "goplot/templates/settings.toml.j2"
_PLOTTER: dict[str, Any] = {
    "program": "/x",
    "options": ["-r", '"8"'],
    "environment": {"A B": "c", "D": None},
    "command": None,
}
_WRONG = {"a key": 1, "program": None, "options": ["-r", 8], "environment": {"A": 1}}
#: By host, its plotters.
_PLOTTERS = {
    "good": {"mine": {}, "madmax": _PLOTTER},
    "bad": {"mine": _WRONG, "my own": _PLOTTER},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By host, the file that the role writes."""
    folder = tmp_path_factory.mktemp("settings")
    hosts = {
        name: {
            "goplot_plotter": "mine",
            "goplot_plotters": plotters,
            "goplot_farmer_public_key": "aa",
            "goplot_pool_public_key": "bb",
        }
        for name, plotters in _PLOTTERS.items()
    }
    inventory = {"harvester": {"hosts": hosts}}
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
