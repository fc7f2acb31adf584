"""Tunables: bad values never count, good ones do at once."""

from pathlib import Path

import pytest
from goplot_tunables import first_tunables
from hypothesis import given
from hypothesis import strategies as st

from goplot.host.tunables import (
    NUMBERS,
    one_line,
    read_last_good,
    read_tunables,
    set_tunable,
    write_last_good,
)
from tests.lint.made_docs import SETTINGS, settings_page
from tests.support.farm_root import FarmRoot

BAD = [
    b"",
    b"\n",
    b"abc\n",
    b"-3\n",
    b"3\n4\n",
    b"3",
    b"3\r\n",
    b"99999999999999999999\n",
    b"3.5\n",
    b"0x10\n",
    b"\xff\xfe3\n",
    b"\xd9\xa3\n",
]


@pytest.mark.parametrize("text", BAD)
def test_a_bad_value_leaves_the_last_good_one(root: FarmRoot, text: bytes) -> None:
    config = root.path / "config"
    (config / "max_plots.goplot").write_bytes(text)
    tunables = read_tunables(config, {"max_plots": 7})
    assert tunables.max_plots == 7
    assert "max_plots" in tunables.invalid


def test_a_bad_value_at_first_start_leaves_the_first_one(root: FarmRoot) -> None:
    config = root.path / "config"
    (config / "max_plots.goplot").write_text("many\n")
    assert read_tunables(config, {}).max_plots == NUMBERS["max_plots"].first


def test_a_missing_and_an_unreadable_value_leave_the_last_good_one(root: FarmRoot) -> None:
    config = root.path / "config"
    (config / "plot_gap.goplot").unlink()
    (config / "load_max.goplot").unlink()
    (config / "load_max.goplot").mkdir()
    tunables = read_tunables(config, {"plot_gap": 900, "load_max": 12.5})
    assert (tunables.plot_gap, tunables.load_max) == (900, 12.5)
    assert tunables.invalid["plot_gap"] == "is missing"
    assert tunables.invalid["load_max"].startswith("can't be read")


@pytest.mark.parametrize("text", [b"", b"run", b"run\r\n", b"run\nrun\n", b"stop\n", b"\xff\n"])
def test_nothing_but_run_is_run(root: FarmRoot, text: bytes) -> None:
    (root.path / "config" / "on_toggle.goplot").write_bytes(text)
    assert not read_tunables(root.path / "config", {}).run


def test_good_values_count_and_are_valid(root: FarmRoot) -> None:
    root.tune(max_plots=16, load_max=7.25, on_toggle="run")
    tunables = read_tunables(root.path / "config", {"max_plots": 3})
    assert (tunables.max_plots, tunables.load_max, tunables.run) == (16, 7.25, True)
    assert tunables.invalid == {}


def test_further_limits_may_be_absent(root: FarmRoot) -> None:
    tunables = read_tunables(root.path / "config", {"memory_min": 4096})
    assert tunables.memory_min == 0
    assert tunables.dest_plots_max == 0


@given(st.binary(max_size=40))
def test_no_text_at_all_breaks_reading(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    config = tmp_path_factory.getbasetemp()
    for name in ("on_toggle", *NUMBERS):
        (config / f"{name}.goplot").write_bytes(text)
    tunables = read_tunables(config, {"max_plots": 5})
    assert tunables.max_plots == 5 or text.strip() == str(int(tunables.max_plots)).encode()
    assert tunables.run == (
        text.strip(b" \t\n\x0b\x0c\x1c\x1d\x1e\x1f") == b"run"
        and b"\r" not in text
        and text.count(b"\n") == 1
        and text.endswith(b"\n")
    )


def test_set_writes_what_echo_would(root: FarmRoot) -> None:
    config = root.path / "config"
    set_tunable(config, "max_plots", "12")
    set_tunable(config, "on_toggle", "stop")
    assert (config / "max_plots.goplot").read_text() == "12\n"
    assert (config / "on_toggle.goplot").read_text() == "stop\n"


@pytest.mark.parametrize(
    ("name", "value"), [("max_plots", "many"), ("plot_poll", "0"), ("gap", "1"), ("on_toggle", "")]
)
def test_set_refuses_what_would_not_be_taken(root: FarmRoot, name: str, value: str) -> None:
    before = sorted((p.name, p.read_text()) for p in (root.path / "config").iterdir())
    with pytest.raises(ValueError, match=r"."):
        set_tunable(root.path / "config", name, value)
    assert sorted((p.name, p.read_text()) for p in (root.path / "config").iterdir()) == before


def test_last_good_values_survive_a_restart_and_a_broken_file(tmp_path: Path) -> None:
    write_last_good(tmp_path, {"max_plots": 9.0})
    assert read_last_good(tmp_path) == {"max_plots": 9.0}
    (tmp_path / "tunables.json").write_text("{")
    assert read_last_good(tmp_path) == {}


def test_one_line_says_what_is_wrong() -> None:
    assert one_line("a b\n") == "a b"
    with pytest.raises(ValueError, match="carriage return"):
        one_line("3\r\n")


def test_the_role_writes_the_first_values_of_the_declaration() -> None:
    first = first_tunables({"max_plots": 3, "memory_min": 512})
    assert first["on_toggle"] == "run"
    assert first["max_plots"] == 3
    assert first["memory_min"] == 512
    assert first["plot_gap"] == NUMBERS["plot_gap"].first
    assert "temp_plots_max" not in first
    for name, value in first.items():
        if name in NUMBERS:
            assert NUMBERS[name].parse(f"{value}\n") == value


def test_the_page_on_settings_lists_the_declaration() -> None:
    assert SETTINGS.read_text() == settings_page(), "make docs writes it"
