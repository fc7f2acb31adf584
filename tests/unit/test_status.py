"""goplot status and the plotter collector, over one farm."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from goplot.cli import main
from goplot.collectors.plotter import collect
from goplot.host import clock
from goplot.host.jobstore import write_job
from goplot.host.report import Report, write_report
from goplot.host.tunables import read_tunables
from goplot.pacer.start import start_plot
from tests.support.farm_root import FarmRoot
from tests.support.jobs import NoUnits, reserve, run


def status(root: FarmRoot, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """Run goplot status."""
    code = main(["status", "--settings", str(root.settings_path), *more])
    return code, capsys.readouterr().out


def samples(root: FarmRoot) -> dict[str, float]:
    """Every sample that the collector writes."""
    text = collect(root.settings).render()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def test_status_shows_disks_plots_and_what_it_waits_for(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    root.tune(plot_gap=4500)
    reserve(root)
    code, text = status(root, capsys)
    assert code == 3
    assert text.startswith("PROBLEMS")
    assert "disk4 is not mounted" in text
    assert "waits for plot_gap" in text
    assert "plots 1/8" in text


def test_status_as_json(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> None:
    reserve(root)
    _, text = status(root, capsys, "--json")
    document = json.loads(text)
    disks = {disk["disk"]: disk for disk in document["disks"]}
    assert disks["disk4"]["state"] == "not mounted"
    assert disks["disk4"]["mounted"] is False
    assert disks["disk1"]["committed"] > 3_889_102
    assert document["plots"][0]["phase"] == "start"
    assert document["tunables"]["max_plots"] == 8
    assert document["next"]["reason"] == "start"


def test_disks_on_one_file_system_are_named(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "one file system" not in status(root, capsys)[1]
    root.bind(root.temp(1), root.disk(1, "disk3"))
    together = f"{root.disk(1, 'disk3')}, {root.temp(1)} are on one file system"
    assert together in status(root, capsys)[1]
    document = json.loads(status(root, capsys, "--json")[1])
    volumes = {entry["path"]: entry["volume"] for entry in (*document["disks"], *document["temps"])}
    shared = [path for path, volume in volumes.items() if list(volumes.values()).count(volume) > 1]
    assert shared == [str(root.disk(1, "disk3")), str(root.temp(1))]


def test_set_changes_a_tunable(root: FarmRoot, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(root.settings_path)
    assert main(["set", "--settings", file, "max_plots", "3"]) == 0
    assert main(["set", "--settings", file, "max_plots", "many"]) == 1
    assert "whole number" in capsys.readouterr().err
    assert (root.path / "config" / "max_plots.goplot").read_text() == "3\n"


def test_settings_that_fail_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--settings", str(tmp_path / "none")]) == 78
    assert "none" in capsys.readouterr().err


def test_metrics_of_a_running_plot(root: FarmRoot) -> None:
    reserve(root)
    found = samples(root)
    assert found['goplot_plots{farm="1",phase="start",temp_farm="1"}'] == 1
    assert found["goplot_plots_running"] == 1
    assert found["goplot_plots_started_total"] == 1
    assert found["goplot_max_plots"] == 8
    assert found['goplot_disk_mounted{disk="disk4",farm="2"}'] == 0
    assert found['goplot_disk_mounted{disk="disk1",farm="1"}'] == 1
    assert found['goplot_disk_committed_bytes{disk="disk1",farm="1"}'] > 3_889_102
    assert 'goplot_disk_size_bytes{disk="disk4",farm="2"}' not in found
    assert found["goplot_pacer_up"] == 0


def test_counters_survive_and_agree(root: FarmRoot) -> None:
    run(root, reserve(root))
    root.configure(fate="fail")
    samples(root)
    run(root, reserve(root))
    samples(root)
    found = samples(root)
    assert found["goplot_plots_started_total"] == 2
    assert found["goplot_plots_finished_total"] == 1
    assert found['goplot_plots_failed_total{reason="plotter"}'] == 1
    phase = '{format="k18",phase="1",plotter="chiapos"}'
    assert found[f"goplot_plot_phase_seconds_sum{phase}"] == 55.595
    assert found[f"goplot_plot_phase_seconds_count{phase}"] == 1


def test_a_job_that_has_its_result_already_is_not_counted_twice(root: FarmRoot) -> None:
    # It ended after the jobs were read and before the results were, or a crash kept its record.
    job = reserve(root)
    run(root, job)
    write_job(root.settings.roots.jobs, job)
    assert samples(root)["goplot_plots_started_total"] == 1
    reserve(root)
    assert samples(root)["goplot_plots_started_total"] == 2


def test_a_bad_tunable_shows(root: FarmRoot) -> None:
    root.tune(max_plots="many")
    assert samples(root)['goplot_tunable_valid{tunable="max_plots"}'] == 0


def test_a_plotter_on_which_all_is_in_order_says_so(
    root: FarmRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    root.unmount(root.disk(2, "disk4"))
    root.disk(2, "disk4").rmdir()
    write_report(root.path / "state", Report("start", ""), clock.now())
    code, text = status(root, capsys)
    assert code == 0, text
    assert "in order: keys, disks, temp farms and pacing" in text
    main(["set", "on_toggle", "off", "--settings", str(root.settings_path)])
    code, text = status(root, capsys)
    assert "in order" not in text
    assert "goplot set on_toggle run starts new ones" in text


def test_a_toggle_that_is_off_starts_nothing(root: FarmRoot) -> None:
    root.tune(on_toggle="stop")
    tunables = read_tunables(root.path / "config", {})
    turn = start_plot(root.settings, tunables, NoUnits())
    assert turn.job is None
    assert turn.decision.reason == "toggle"


def test_the_pacers_reason_is_a_metric_while_the_pacer_lives(root: FarmRoot) -> None:
    root.tune(plot_poll=60)
    now = clock.now()
    write_report(root.path / "state", Report("max_plots", "8 plots run"), now)
    found = samples(root)
    assert found["goplot_pacer_up"] == 1
    blocked = {name: value for name, value in found.items() if "start_blocked" in name}
    assert blocked.pop('goplot_start_blocked{reason="max_plots"}') == 1
    assert set(blocked.values()) == {0}
    long_ago = replace(now, boot_time=now.boot_time - 211)
    write_report(root.path / "state", Report("max_plots", "8 plots run"), long_ago)
    found = samples(root)
    assert found["goplot_pacer_up"] == 0
    assert not any("start_blocked" in name for name in found)


@pytest.mark.parametrize(("age", "up"), [(0, 1), (209, 1), (211, 0), (-86400, 0)])
def test_a_report_of_the_first_release_is_as_old_as_its_file(
    root: FarmRoot, age: float, up: int
) -> None:
    report = root.path / "state" / "pacer.json"
    report.write_text('{"reason": "max_plots", "detail": "8 plots run"}\n')
    written = time.time() - age
    os.utime(report, (written, written))
    assert samples(root)["goplot_pacer_up"] == up


def test_a_person_sees_the_ages_that_a_sandbox_wrote(
    root: FarmRoot, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a container a sandbox shows the kernel's boot id, a person sees the container's; the
    # clock is set meanwhile.
    made_at_boot = root.path / "made_at_boot"
    made_at_boot.touch()
    ids = [root.path / "kernel", root.path / "container"]
    for path in ids:
        path.write_text(f"{path.name}\n")
    monkeypatch.setattr("goplot.host.clock._MADE_AT_BOOT", made_at_boot)
    monkeypatch.setattr("goplot.host.clock._BOOT_ID", ids[0])
    root.tune(plot_gap=4500)
    reserve(root)
    monkeypatch.setattr("goplot.host.clock._BOOT_ID", ids[1])
    ahead = time.time() + 1000
    monkeypatch.setattr("time.time", lambda: ahead)
    document = json.loads(status(root, capsys, "--json")[1])
    assert 0 <= document["plots"][0]["age_seconds"] < 100
    assert 4400 < document["next"]["wait_seconds"] <= 4500
