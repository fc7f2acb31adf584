"""Recorded series that dashboards show hold what their names say."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

_RULES = Path(__file__).parents[2] / "roles/prometheus/files/rules"
_HOST = 'job="node",instance="plotter1",groups="plotter"'
_SIZE = f"node_filesystem_size_bytes{{{_HOST}"
_HARVESTER = 'job="node",instance="harvester1",groups="harvester"'
_ALONE = f"node_filesystem_size_bytes{{{_HARVESTER}"
_FREE = f"node_filesystem_avail_bytes{{{_HARVESTER}"
_PLOT = f'{_HOST},index="7",farm="1",disk="disk1",temp_farm="2"'

# What is scraped each minute, what is asked and when, and the answer: labels and value.
_CASES: dict[str, tuple[dict[str, str], tuple[str, str], list[tuple[str, float]]]] = {
    "plots within a day, not those before": (
        {f"goplot_plots_finished_total{{{_HOST}}}": "40+0x60 41+1x1500"},
        ("instance:goplot_plots_finished:increase1d", "1560m"),
        [(_HOST, 1440)],
    ),
    "no plot is counted for being seen first": (
        {f"goplot_plots_finished_total{{{_HOST}}}": "40+0x60"},
        ("instance:goplot_plots_finished:increase1d", "5m"),
        [(_HOST, 0)],
    ),
    "a counter that began again": (
        {f"goplot_plots_finished_total{{{_HOST}}}": "40+0x60 0+1x10"},
        ("instance:goplot_plots_finished:increase1d", "71m"),
        [(_HOST, 10)],
    ),
    "the phase of a plot": (
        {
            f'goplot_plot_age_seconds{{{_PLOT},phase="2"}}': "60+60x10 _x20",
            f'goplot_plot_age_seconds{{{_PLOT},phase="verify"}}': "_x11 720+60x10",
        },
        ("instance_index:goplot_plot_phase:number", "15m"),
        [(f'{_HOST},index="7"', 5)],
    ),
    "the start of a plot": (
        {f'goplot_plot_age_seconds{{{_PLOT},phase="2"}}': "60+60x10"},
        ("instance_index:goplot_plot_start:timestamp_seconds", "10m"),
        [(f'{_HOST},index="7"', -60)],
    ),
    "what a log says": (
        {
            f'goplot_harvester_log_state{{{_HOST},state="ok"}}': "0x10",
            f'goplot_harvester_log_state{{{_HOST},state="unknown_format"}}': "1x10",
        },
        ("instance:goplot_harvester_log_state:number", "5m"),
        [(_HOST, 5)],
    ),
    "bytes a second by bus": (
        {
            f'{_SIZE},device="/dev/sda1",mountpoint="/farm/1/disk1"}}': "9x10",
            f'{_SIZE},device="/dev/sdb1",mountpoint="/farm/1/disk2"}}': "9x10",
            f'node_disk_written_bytes_total{{{_HOST},device="sda"}}': "0+60x10",
            f'node_disk_written_bytes_total{{{_HOST},device="sdb"}}': "0+120x10",
            f'node_disk_written_bytes_total{{{_HOST},device="sdc"}}': "0+240x10",
        },
        ("instance_farm:node_disk_written_bytes:rate5m", "10m"),
        [(f'{_HOST},farm="1"', 3)],
    ),
    "the size of all disks, also where nothing plots": (
        {
            f'goplot_disk_size_bytes{{{_HOST},farm="1",disk="disk1"}}': "100x10",
            f'{_SIZE},device="/dev/sda1",mountpoint="/farm/1/disk1"}}': "90x10",
            f'{_ALONE},device="/dev/sda1",mountpoint="/farm/2/disk7"}}': "40x10",
            f'{_ALONE},device="/dev/sda2",mountpoint="/"}}': "7x10",
        },
        ("instance:goplot_disk_size_bytes:sum", "10m"),
        [(_HOST, 100), (_HARVESTER, 40)],
    ),
    "the used space of all disks, also where nothing plots": (
        {
            f'goplot_disk_used_bytes{{{_HOST},farm="1",disk="disk1"}}': "60x10",
            f'{_ALONE},device="/dev/sda1",mountpoint="/farm/2/disk7"}}': "40x10",
            f'{_FREE},device="/dev/sda1",mountpoint="/farm/2/disk7"}}': "10x10",
        },
        ("instance:goplot_disk_used_bytes:sum", "10m"),
        [(_HOST, 60), (_HARVESTER, 30)],
    ),
    "the fill of each disk": (
        {
            f'goplot_disk_size_bytes{{{_HOST},farm="1",disk="disk1"}}': "100x10",
            f'goplot_disk_used_bytes{{{_HOST},farm="1",disk="disk1"}}': "60x10",
            f'{_ALONE},device="/dev/sda1",mountpoint="/farm/2/disk7"}}': "40x10",
            f'{_FREE},device="/dev/sda1",mountpoint="/farm/2/disk7"}}': "10x10",
        },
        ("instance_disk:goplot_disk_fill:ratio", "10m"),
        [(f'{_HOST},farm="1",disk="disk1"', 0.6), (f'{_HARVESTER},farm="2",disk="disk7"', 0.75)],
    ),
    "the share of time in which a drive had requests": (
        {
            f'node_disk_io_time_seconds_total{{{_HOST},device="sda"}}': "0+45x10",
            f'node_disk_io_time_seconds_total{{{_HOST},device="nvme0n1"}}': "0+6x10",
        },
        ("instance_drive:node_disk_io_time:ratio_rate5m", "10m"),
        [(f'{_HOST},drive="sda"', 0.75), (f'{_HOST},drive="nvme0n1"', 0.1)],
    ),
    "merged requests a second": (
        {
            f'node_disk_reads_merged_total{{{_HOST},device="sda"}}': "0+60x10",
            f'node_disk_writes_merged_total{{{_HOST},device="sda"}}': "0+120x10",
        },
        ("instance_drive:node_disk_merged:rate5m", "10m"),
        [(f'{_HOST},drive="sda"', 3)],
    ),
    "the share of each mode of the processors": (
        {
            f'node_cpu_seconds_total{{{_HOST},cpu="0",mode="iowait"}}': "0+15x10",
            f'node_cpu_seconds_total{{{_HOST},cpu="1",mode="iowait"}}': "0+45x10",
        },
        ("instance_mode:node_cpu:ratio_rate5m", "10m"),
        [(f'{_HOST},mode="iowait"', 0.5)],
    ),
    "the busy share of all processors": (
        {
            f'node_cpu_seconds_total{{{_HOST},cpu="0",mode="idle"}}': "0+60x10",
            f'node_cpu_seconds_total{{{_HOST},cpu="1",mode="idle"}}': "0+30x10",
        },
        ("instance:node_cpu_busy:ratio_rate5m", "10m"),
        [(_HOST, 0.25)],
    ),
}


def _rules() -> dict[str, dict[str, Any]]:
    """By recorded series, its rule, in a group of its own with the interval of the real one."""
    files = [yaml.safe_load(path.read_text()) for path in _RULES.glob("*.yml")]
    groups = [group for file in files for group in file["groups"]]
    return {
        rule["record"]: {**group, "rules": [rule]}
        for group in groups
        for rule in group["rules"]
        if "record" in rule
    }


def _needed(name: str, rules: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of rules that a recorded series needs, in the order in which they are read."""
    group = rules[name]
    (rule,) = group["rules"]
    others = [other for other in rules if other != name and other in rule["expr"]]
    return [*(found for other in others for found in _needed(other, rules)), group]


def test_a_record_holds_what_its_name_says(promtool: Path, tmp_path: Path) -> None:
    rules = _rules()
    files = []
    for number, (name, (scraped, (asked, moment), answer)) in enumerate(_CASES.items()):
        groups = [
            {**group, "name": str(place)} for place, group in enumerate(_needed(asked, rules))
        ]
        (tmp_path / f"rules{number}.yml").write_text(json.dumps({"groups": groups}))
        test = {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": key, "values": value} for key, value in scraped.items()],
            "promql_expr_test": [
                {
                    "expr": asked,
                    "eval_time": moment,
                    "exp_samples": [
                        {"labels": f"{asked}{{{labels}}}", "value": value}
                        for labels, value in answer
                    ],
                }
            ],
        }
        document = {
            "rule_files": [f"rules{number}.yml"],
            "evaluation_interval": "1m",
            "group_eval_order": [group["name"] for group in groups],
            "tests": [test],
        }
        files.append(tmp_path / f"test{number}.yml")
        files[-1].write_text(json.dumps(document))
    done = subprocess.run(
        [promtool, "test", "rules", *files], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") == len(_CASES)
