"""Plotters: command lines, log grammars, what is recognised when started by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters.base import PlotterSettings, Progress, Request, option
from goplot.plotters.registry import PLOTTERS, command_of, temp2_need, temp_need
from tests.support.farm_root import PLOT_ID

FOLDER = Path("/plot_temp/1/goplot-7")


def request(*options: str, k: int = 32, compression: int = 0, contract: str = "xch1") -> Request:
    """A plot that is asked for."""
    plot_format = PlotFormat(k, compression)
    return Request("/x/prog", options, plot_format, FOLDER, FOLDER, "FK", contract, "PK")


def follow(plotter: str, log: str) -> Progress:
    """Progress after a whole log; it never goes backwards."""
    progress = Progress()
    for line in log.splitlines():
        after = PLOTTERS[plotter].read_line(progress, line)
        assert after.fraction >= progress.fraction
        progress = after
    return progress


def test_chiapos_command() -> None:
    command = PLOTTERS["chiapos"].command(request("-r", "4", "--override-k", k=25))
    assert command[:3] == ["/x/prog", "plots", "create"]
    assert option(command, "-k") == "25"
    assert option(command, "-c") == "xch1"
    assert option(command, "-f") == "FK"
    assert "-p" not in command
    assert [option(command, name) for name in ("-t", "-2", "-d")] == [str(FOLDER)] * 3
    assert "-x" in command
    assert command[-3:] == ["-r", "4", "--override-k"]


def test_a_pool_key_stands_in_for_the_contract() -> None:
    for plotter in ("chiapos", "madmax", "bladebit-ramplot"):
        command = PLOTTERS[plotter].command(request(contract=""))
        assert option(command, "-p") == "PK"
        assert "-c" not in command


def test_madmax_folders_end_in_a_slash() -> None:
    command = PLOTTERS["madmax"].command(request("-r", "8"))
    assert [option(command, name) for name in ("-t", "-2", "-d")] == [f"{FOLDER}/"] * 3
    assert "-k" not in command
    second = replace(request(), temp2=Path("/plot_temp/9/goplot-7"))
    command = PLOTTERS["madmax"].command(second)
    folders = [option(command, name) for name in ("-t", "-2", "-d")]
    assert folders == [f"{FOLDER}/", "/plot_temp/9/goplot-7/", f"{FOLDER}/"]
    assert option(PLOTTERS["madmax"].command(request(k=33)), "-k") == "33"


def test_bladebit_commands() -> None:
    ram = PLOTTERS["bladebit-ramplot"].command(request("-t", "16", compression=5))
    assert ram[-4:] == ["-t", "16", "ramplot", str(FOLDER)]
    assert option(ram, "-z") == "5"
    disk = PLOTTERS["bladebit-diskplot"].command(request("--", "--cache", "100G"))
    assert disk[-6:] == ["diskplot", "--cache", "100G", "-t1", str(FOLDER), str(FOLDER)]
    cuda = PLOTTERS["bladebit-cudaplot"].command(request("--", "--disk-128"))
    assert cuda[-5:] == ["cudaplot", "--disk-128", "-t1", str(FOLDER), str(FOLDER)]
    assert "-t1" not in PLOTTERS["bladebit-cudaplot"].command(request())


@pytest.mark.parametrize(
    ("plotter", "asked"),
    [
        ("chiapos", request(compression=5)),
        ("madmax", request(compression=5)),
        ("bladebit-diskplot", request(compression=5)),
        ("bladebit-ramplot", request(k=33)),
    ],
)
def test_a_plot_that_a_plotter_can_not_make_is_refused(plotter: str, asked: Request) -> None:
    with pytest.raises(ValueError, match="set plot"):
        PLOTTERS[plotter].command(asked)


def test_a_template_of_ones_own() -> None:
    settings = PlotterSettings(
        "mine",
        command=("/x/plot", "--k={k}", "{folder}/", "{farmer_public_key}", "{{as it is}}"),
        grammar="madmax",
        temp_gib=1.5,
    )
    expected = ["/x/plot", "--k=32", f"{FOLDER}/", "FK", "{as it is}"]
    assert command_of(settings, request()) == expected
    assert temp_need(settings, PlotFormat(32)) == int(1.5 * GIB)
    with pytest.raises(ValueError, match="known: k"):
        command_of(PlotterSettings("mine", command=("{nothing}",)), request())


def test_the_space_of_two_temporary_folders_is_by_folder() -> None:
    k32 = PlotFormat(32)
    one = PlotterSettings("madmax", "/x/prog")
    assert (temp_need(one, k32), temp2_need(one, k32)) == (256 * GIB, 0)
    two = replace(one, temp2=9)
    assert (temp_need(two, k32), temp2_need(two, k32)) == (220 * GIB, 110 * GIB)
    own = replace(two, temp_gib=1.0, temp2_gib=0.5)
    assert (temp_need(own, k32), temp2_need(own, k32)) == (GIB, GIB // 2)


def test_temp_needs() -> None:
    k32 = PlotFormat(32)
    assert PLOTTERS["chiapos"].temp_bytes(k32, ()) == 240 * GIB
    assert PLOTTERS["madmax"].temp_bytes(k32, ()) == 256 * GIB
    assert PLOTTERS["bladebit-ramplot"].temp_bytes(k32, ()) == k32.plot_bytes
    assert PLOTTERS["bladebit-diskplot"].temp_bytes(k32, ()) > 480 * GIB
    hybrid = PLOTTERS["bladebit-cudaplot"].temp_bytes(k32, ("--", "--disk-128"))
    assert hybrid == k32.plot_bytes + 128 * GIB


CHIAPOS_LOG = f"""
Starting plotting progress into temporary dirs: /t and /t
ID: {PLOT_ID}
Process ID is: 15415

Starting phase 1/4: Forward Propagation into tmp files... Sun Nov 22 17:55:21 2026
Computing table 1
Progress update: 0.01
F1 complete, time: 1.304 seconds. CPU (112.92%) Sun Nov 22 17:55:22 2026
Progress update: 0.06
\tBucket 0 uniform sort. Ram: 3.251GiB, u_sort min: 0.007GiB, qs min: 0.002GiB.
Time for phase 1 = 55.595 seconds. CPU (144.860%) Sun Nov 22 17:56:17 2026
Starting phase 2/4: Backpropagation into tmp files... Sun Nov 22 17:56:17 2026
Time for phase 2 = 11.560 seconds. CPU (99.160%) Sun Nov 22 17:57:07 2026
Starting phase 3/4: Compression from tmp files into "/t/x.plot.2.tmp" ... Sun Nov 22 17:57:07 2026
Progress update: 0.660
Time for phase 3 = 50.093 seconds. CPU (98.650%) Sun Nov 22 17:57:57 2026
Starting phase 4/4: Write Checkpoint tables into "/t/x.plot.2.tmp" ... Sun Nov 22 17:57:57 2026
Time for phase 4 = 2.780 seconds. CPU (99.690%) Sun Nov 22 17:58:00 2026
Total time = 159.449 seconds. CPU (119.630%) Sun Nov 22 17:58:00 2026
"""


def test_chiapos_log() -> None:
    progress = follow("chiapos", CHIAPOS_LOG)
    assert progress.plot_id == PLOT_ID
    assert progress.phase == "4"
    assert progress.fraction == 0.99
    done = 'Renamed final file from "/t/x.plot.2.tmp" to "/t/x.plot"'
    assert follow("chiapos", CHIAPOS_LOG + done).fraction == 1.0
    assert progress.phase_seconds == {"1": 55.595, "2": 11.56, "3": 50.093, "4": 2.78}
    assert progress.error is None


MADMAX_LOG = f"""
Multi-threaded pipelined Chia k32 plotter - 974d6e5
Process ID: 1374
Plot Name: plot-k32-2021-10-06-00-53-{PLOT_ID}
[P1] Table 1 took 10.3 sec
[P1] Table 2 took 145.011 sec, found 4294900000 matches
[P1] Table 7 took 120 sec, found 4294900000 matches
Phase 1 took 1092.2 sec
[P2] Table 7 rewrite took 30.1 sec, dropped 0 entries (0 %)
Phase 2 took 500.5 sec
[P3-1] Table 2 took 60.1 sec
Phase 3 took 900 sec, wrote 21877315926 entries to final plot
[P4] Starting to write C1 and C3 tables
Phase 4 took 37.1 sec, final plot size is 108836186159 bytes
Total plot creation time was 2530.76 sec (42.1793 min)
"""


def test_madmax_log() -> None:
    progress = follow("madmax", MADMAX_LOG)
    assert progress.plot_id == PLOT_ID
    assert progress.phase_seconds == {"1": 1092.2, "2": 500.5, "3": 900.0, "4": 37.1}
    assert (progress.phase, progress.fraction) == ("4", 1.0)
    half = follow("madmax", MADMAX_LOG.split("Phase 2", maxsplit=1)[0])
    assert half.phase == "2"
    assert 0.4 < half.fraction < 0.6


BLADEBIT_LOG = f"""
Generating plot 1 / 1: {PLOT_ID}
Plot temporary file: /t/plot-k32-c05-2023-10-06-00-53-{PLOT_ID}.plot.tmp

Running Phase 1
Finished Phase 1 in 12.34 seconds ( 0.2 minutes ).
Running Phase 2
Finished Phase 2 in 5.50 seconds ( 0.1 minutes ).
Running Phase 3
Finished Phase 3 in 9.00 seconds ( 0.1 minutes ).
Finished plotting in 30.00 seconds ( 0.5 minutes ).
Renaming plot to '/t/plot-k32-c05-2023-10-06-00-53-{PLOT_ID}.plot'
"""


def test_bladebit_log() -> None:
    progress = follow("bladebit-ramplot", BLADEBIT_LOG)
    assert progress.plot_id == PLOT_ID
    assert progress.phase_seconds == {"1": 12.34, "2": 5.5, "3": 9.0}
    assert (progress.phase, progress.fraction) == ("3", 1.0)


@pytest.mark.parametrize(
    ("plotter", "line"),
    [
        ("chiapos", "Could not copy /t/x.plot.2.tmp to /d/x.plot.2.tmp. Retrying in five minutes."),
        ("chiapos", "RuntimeError: bad allocation"),
        ("chiapos", "Only wrote 10 of 20 bytes at offset 0 to /t/x length 5. Error 28."),
        ("madmax", "Invalid tmpdir: /t (needs trailing '/' or '\\')"),
        ("bladebit-ramplot", "Fatal: Failed to open plot file with error: 13"),
    ],
)
def test_trouble_is_kept_for_the_result(plotter: str, line: str) -> None:
    assert follow(plotter, line).error == line


@pytest.mark.parametrize(
    ("plotter", "line", "k", "temp", "dest"),
    [
        (
            "chiapos",
            "/v/bin/python3 /v/bin/chia plots create -k 33 -t /plot_temp/1 -d /farm/1/a/plots",
            33,
            "/plot_temp/1",
            "/farm/1/a/plots",
        ),
        (
            "chiapos",
            "/v/bin/chia plotters chiapos --size=32 -t/plot_temp/2 --final_dir /farm/2/b/plots",
            32,
            "/plot_temp/2",
            "/farm/2/b/plots",
        ),
        (
            "madmax",
            "./chia_plot -t /plot_temp/1/ -d /farm/1/a/ -n 3",
            32,
            "/plot_temp/1",
            "/farm/1/a",
        ),
        (
            "bladebit-diskplot",
            "bladebit -f F -c C diskplot -t1 /plot_temp/1 /farm/1/a/plots",
            32,
            "/plot_temp/1",
            "/farm/1/a/plots",
        ),
    ],
)
def test_plotters_started_by_hand_are_recognised(
    plotter: str, line: str, k: int, temp: str, dest: str
) -> None:
    found = [name for name, known in PLOTTERS.items() if known.foreign(line.split(), None)]
    assert found == [plotter]
    plot = PLOTTERS[plotter].foreign(line.split(), None)
    assert plot is not None
    assert plot.format.k == k
    assert plot.temp_paths[0] == Path(temp)
    assert plot.dest_path == Path(dest)


@pytest.mark.parametrize(
    "line",
    [
        "sudo /v/bin/chia plots create -k 32 -t /plot_temp/1",
        "grep chia plots create",
        "/v/bin/chia plots check",
        "/v/bin/chia_harvester",
        "vim chia_plot.log",
        "bladebit --version",
        "chia plots create -k x",
    ],
)
def test_other_programs_are_no_plotters(line: str) -> None:
    assert [name for name, known in PLOTTERS.items() if known.foreign(line.split(), None)] == []
