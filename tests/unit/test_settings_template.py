"""The settings file that role goplot writes, whatever an inventory says of plotters."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goplot.host.settings import SettingsError, load

_TEMPLATE = Path(__file__).parents[2] / "roles/goplot/templates/settings.toml.j2"
VALUES: dict[str, Any] = {
    "_common_textfiles": "/var/lib/prometheus/node-exporter",
    "goplot_plotter": "mine",
    "goplot_k": 32,
    "goplot_compression": 0,
    "_goplot_farmer_public_key": "aa",
    "goplot_pool_contract_address": "",
    "goplot_pool_public_key": "bb",
    "_goplot_grafana_url": "",
    "_common_chia_root": "/var/lib/chia/mainnet",
    "_common_chia_keys_root": "/var/lib/chia/keys",
    "_common_chia": "/opt/chia/current/bin/chia",
    "_common_chia_journal": False,
    "_common_farms": False,
    "_common_harvests": True,
    "_common_quiet_seconds": 300,
    "_common_timeout_seconds": 10,
}
GOOD = {
    "program": "/x",
    "options": ["-r", '"8"'],
    "environment": {"A B": "c", "D": None},
    "command": None,
}


def render(folder: Path, plotters: object) -> Path:
    """Write the file as the role does."""
    given = folder / "values.json"
    given.write_text(json.dumps({**VALUES, "_goplot_plotters": plotters}))
    target = folder / "settings.toml"
    command = [str(Path(sys.executable).parent / "ansible"), "localhost", "-c", "local"]
    command += ["-m", "ansible.builtin.template", "-e", f"@{given}"]
    done = subprocess.run(
        [*command, "-a", f"src={_TEMPLATE} dest={target}"],
        env={**os.environ, "HOME": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return target


def test_a_plotter_is_written_as_it_is_meant(tmp_path: Path) -> None:
    settings = load(render(tmp_path, {"mine": {}, "madmax": GOOD}), ("plot", "roots"))
    plotter = settings.plotters["madmax"]
    assert plotter.options == ("-r", '"8"')
    assert plotter.environment == {"A B": "c"}
    assert plotter.command == ()
    assert settings.harvester_collector is not None


def test_a_plotter_that_is_wrong_spoils_no_other_table(tmp_path: Path) -> None:
    wrong = {"a key": 1, "program": None, "options": ["-r", 8], "environment": {"A": 1}}
    file = render(tmp_path, {"mine": wrong, "my own": GOOD})
    assert load(file, ("roots", "chia", "harvester_collector")).mistakes
    with pytest.raises(SettingsError, match=r"plotters\.mine\.a key: is not known"):
        load(file)
