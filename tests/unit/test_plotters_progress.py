"""Progress by plotters' logs: it moves with every table and phase, and is whole only at the end."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.plotters.base import UNFINISHED, Progress
from goplot.plotters.registry import PLOTTERS
from tests.support.farm_root import PLOT_ID


def _joined(*parts: list[str] | str) -> list[str]:
    return [line for part in parts for line in ([part] if isinstance(part, str) else part)]


#: Whole logs, as the sources print them; lines that begin with two blanks report no step.
CUDAPLOT = _joined(
    f"Generating plot 1 / 1: {PLOT_ID}",
    "  Plot temporary file: /t/x.plot.tmp",
    "  Generating F1",
    "Finished F1 in 2.75 seconds.",
    [f"Table {n} completed in 6.19 seconds with 4294967296 entries." for n in range(2, 8)],
    "Finalizing Table 7",
    "Finalized Table 7 in 3.98 seconds.",
    "Completed Phase 1 in 68.00 seconds",
    [f"Marked Table {n} in 2.16 seconds." for n in range(6, 1, -1)],
    "Completed Phase 2 in 8.66 seconds",
    [f"Compressing Table {n} and {n + 1}..." for n in range(2, 7)],
    "  Step 1 completed step in 4.72 seconds.",
    "Completed Phase 3 in 80.12 seconds",
    "Completed Plot 1 in 160.71 seconds ( 2.68 minutes )",
    "Completed writing plot in 50.10 seconds",
)
RAMPLOT = _joined(
    f"Generating plot 1 / 1: {PLOT_ID}",
    "Running Phase 1",
    "  Generating F1...",
    "Finished F1 generation in 4.80 seconds.",
    [f"Finished forward propagating table {n} in 9.76 seconds." for n in range(2, 8)],
    "Finished Phase 1 in 68.00 seconds.",
    "Running Phase 2",
    [f"Finished prunning table {n} in 0.48 seconds." for n in range(6, 1, -1)],
    "Finished Phase 2 in 8.66 seconds.",
    "Running Phase 3",
    [f"Compressing tables {n} and {n + 1}..." for n in range(1, 7)],
    "Finished Phase 3 in 80.12 seconds.",
    "Running Phase 4",
    "Finished Phase 4 in 2.50 seconds.",
    "Finished plotting in 160.71 seconds ( 2.68 minutes ).",
)
DISKPLOT = _joined(
    f"Generating plot 1 / 1: {PLOT_ID}",
    "Running Phase 1",
    "Finished f1 generation in 6.57 seconds. ",
    [f"Completed table {n} in 100.01 seconds with 4294830225 entries." for n in range(2, 8)],
    "  Table 7 I/O wait time: 0.00 seconds.",
    "Finished Phase 1 in 1500.00 seconds ( 25.0 minutes ).",
    "Running Phase 2",
    [f"Finished marking table {n} in 20.30 seconds." for n in range(6, 1, -1)],
    "Finished Phase 2 in 90.00 seconds ( 1.5 minutes ).",
    "Running Phase 3",
    [f"Compressing tables {n} and {n + 1}." for n in range(1, 7)],
    "Finished Phase 3 in 900.00 seconds ( 15.0 minutes ).",
    "Finished plotting in 2600.00 seconds ( 43.3 minutes ).",
)
MADMAX = _joined(
    "  Process ID: 1374",
    f"  Plot Name: plot-k32-2021-07-14-20-38-{PLOT_ID}",
    "[P1] Table 1 took 13.8 sec",
    [f"[P1] Table {n} took 128.5 sec, found 4291306239 matches" for n in range(2, 8)],
    "Phase 1 took 883.6 sec",
    "  [P2] max_table_size = 4294967296",
    [
        f"[P2] Table {n} {step}"
        for n in range(7, 1, -1)
        for step in ("scan took 9.9 sec", "rewrite took 33.2 sec, dropped 0 entries (0 %)")
    ],
    "Phase 2 took 512.7 sec",
    [
        f"[P3-{step}] Table {n} took 72.8 sec, wrote 3429415508 entries"
        for n in range(2, 8)
        for step in (1, 2)
    ],
    "Phase 3 took 1860.6 sec, wrote 21873540808 entries to final plot",
    "[P4] Starting to write C1 and C3 tables",
    "[P4] Finished writing C1 and C3 tables",
    "[P4] Writing C2 table",
    "[P4] Finished writing C2 table",
    "Phase 4 took 401.2 sec, final plot size is 108836070683 bytes",
    "Total plot creation time was 3658.2 sec (60.97 min)",
)
CHIAPOS = _joined(
    f"  ID: {PLOT_ID}",
    "  Starting phase 1/4: Forward Propagation into tmp files... Sun Nov 22 17:55:21 2026",
    [f"Progress update: {update}" for update in ("0.01", "0.06", "0.12", "0.2", "0.28", "0.36")],
    "Time for phase 1 = 55.595 seconds. CPU (144.860%) Sun Nov 22 17:56:17 2026",
    "  Starting phase 2/4: Backpropagation into tmp files... Sun Nov 22 17:56:17 2026",
    [f"Progress update: {update}" for update in ("0.43", "0.48", "0.51", "0.55", "0.58")],
    "Time for phase 2 = 11.560 seconds. CPU (99.160%) Sun Nov 22 17:57:07 2026",
    "  Starting phase 3/4: Compression from tmp files into x ... Sun Nov 22 17:57:07 2026",
    [f"Progress update: {update}" for update in ("0.66", "0.73", "0.79", "0.85", "0.92")],
    "Time for phase 3 = 50.093 seconds. CPU (98.650%) Sun Nov 22 17:57:57 2026",
    "  Starting phase 4/4: Write Checkpoint tables into x ... Sun Nov 22 17:57:57 2026",
    "Time for phase 4 = 2.780 seconds. CPU (99.690%) Sun Nov 22 17:58:00 2026",
    "  Total time = 159.449 seconds. CPU (119.630%) Sun Nov 22 17:58:00 2026",
    'Renamed final file from "/t/x.plot.2.tmp" to "/t/x.plot"',
)
LOGS = {
    "bladebit-cudaplot": CUDAPLOT,
    "bladebit-ramplot": RAMPLOT,
    "bladebit-diskplot": DISKPLOT,
    "madmax": MADMAX,
    "chiapos": CHIAPOS,
}
_ENDS = re.compile(r"Completed writing|Finished plotting|Total plot creation|Renamed final")


@pytest.mark.parametrize("plotter", LOGS)
def test_progress_moves_with_every_table_and_phase(plotter: str) -> None:
    progress = Progress()
    for line in LOGS[plotter]:
        before, progress = progress, PLOTTERS[plotter].read_line(progress, line.strip())
        if line.startswith(("  ", "Generating")):
            assert progress.fraction == before.fraction, line
        else:
            assert progress.fraction > before.fraction, line
        assert progress.phase >= before.phase or before.phase == "start"
        assert (progress.fraction == 1.0) == (line == LOGS[plotter][-1])
    assert progress.plot_id == PLOT_ID
    assert progress.error is None
    expected = {"1", "2", "3"} if plotter in ("bladebit-cudaplot", "bladebit-diskplot") else None
    assert set(progress.phase_seconds) == (expected or {"1", "2", "3", "4"})


@given(st.sampled_from(sorted(LOGS)), st.integers(0, 10**9), st.integers(0, 60))
def test_progress_of_lines_in_any_order_never_goes_back(
    plotter: str, seed: int, dropped: int
) -> None:
    lines = list(LOGS[plotter])
    pick = random.Random(seed)
    pick.shuffle(lines)
    progress, ended = Progress(), False
    for line in lines[dropped:]:
        before, progress = progress, PLOTTERS[plotter].read_line(progress, line)
        ended = ended or bool(_ENDS.match(line))
        assert progress.fraction >= before.fraction
        assert (progress.fraction == 1.0) == ended
        assert ended or progress.fraction <= UNFINISHED


def test_short_logs_of_cudaplot_and_madmax() -> None:
    cuda = Progress()
    for line in CUDAPLOT:
        cuda = PLOTTERS["bladebit-cudaplot"].read_line(cuda, line)
        if line.startswith("Completed Plot 1"):
            assert 0.8 < cuda.fraction < 0.99
    assert cuda.phase_seconds == {"1": 68.0, "2": 8.66, "3": 80.12}
    half = Progress()
    for line in MADMAX[: MADMAX.index("Phase 2 took 512.7 sec") + 7]:
        half = PLOTTERS["madmax"].read_line(half, line)
    assert (half.phase, round(half.fraction, 2)) == ("3", 0.77)
