"""Measures what goplot costs, against its targets and against the original's work.

Run as `python -m tests.bench` from the repository. Exit code 1 when a target is missed. The
original's figures were measured on 2 cores: a diskhand run over 60 disks 1.6 s.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from goplot.farm.disks import Disk, Space, TempFarm
from goplot.farm.jobs import Claim, Start, ledger
from goplot.farm.placement import Need
from goplot.host.observe import Observation
from goplot.host.tunables import Tunables
from goplot.pacer.decision import Reason, Snapshot, decide
from tests.bench import chia_log, dashboards
from tests.bench.big_farm import FARMS, make_big_farm
from tests.bench.measure import Measure
from tests.support import rpc_server
from tests.support.farm_root import make_farm_root
from tests.support.history import services_before
from tests.support.rpc_server import Answer

ROOT = Path(__file__).resolve().parents[2]
#: With bytecode, as pip installs the package: else every run would compile the sources.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT / 'services'}:{ROOT}",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(ROOT / ".cache/bench"),
}
ORIGINAL_DISKHAND_SECONDS = 1.6
#: CPU of `chia show -s` of 2.7.5 on the same 2 cores; the original made two such calls a run.
CHIA_SHOW_SECONDS = 1.1
#: Most CPU of a run of a collector, and most resident memory of a service.
COLLECTOR_SECONDS = 0.25
SERVICE_MB = 40
_LOOKS = 20


def main() -> int:
    """Measure everything and print it."""
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory(prefix="goplot-bench-") as folder:
        for part in _PARTS:
            for measure in part(Path(folder)):
                print(measure, flush=True)
                measures.append(measure)
    return 0 if all(m.most is None or m.value <= m.most for m in measures) else 1


def diskhand(folder: Path) -> list[Measure]:
    """A diskhand run over 60 and over 2,000 disks, and the original's work for 60 of them."""
    small = make_big_farm(folder / "d60", disks=60, plots=3000, jobs=8)
    big = make_big_farm(folder / "d2000", disks=2000, plots=100_000, jobs=8)
    module = ["-m", "goplot.diskhand.service", "--settings"]
    first = cpu([sys.executable, *module, str(small.settings_path)])
    second = cpu([sys.executable, *module, str(big.settings_path)])
    empty = cpu([sys.executable, "-c", "pass"])
    original = cpu(
        [
            "bash",
            str(Path(__file__).with_name("original.sh")),
            str(small.path / "farm"),
            str(small.path / "disks"),
            str(folder / "original.log"),
        ],
        times=1,
    )
    # Linear: 2,000 disks may cost as much a disk as 60 do, on top of what starting costs.
    linear = (first - empty) / 60 * 2000 + empty
    return [
        Measure("diskhand, 60 disks, 3,000 plots: CPU", first, "s", 0.25),
        Measure("diskhand, 2,000 disks, 100,000 plots: CPU", second, "s", linear),
        Measure("the original's work, 60 disks, rebuilt here: CPU", original, "s"),
        Measure("ratio: the original's work to diskhand, 60 disks", original / first, "times"),
        Measure(
            "ratio: the original's own figure to diskhand, 60 disks",
            ORIGINAL_DISKHAND_SECONDS / first,
            "times",
        ),
    ]


def decision(_: Path) -> list[Measure]:
    """One pacing decision with 2,000 disks and 200 jobs, the ledger of their claims included."""
    paths = [Path(f"/farm/{n % FARMS + 1}/disk{n}") for n in range(2000)]
    temp = Path("/plot_temp/1")
    tunables = Tunables(on_toggle="run", plot_gap=0, max_plots=1000)
    claims = [Claim(temp, 10**9, paths[n * 7 % 2000], 10**11, "1") for n in range(200)]

    volumes = {path: f"8:{number}" for number, path in enumerate(paths)}

    def once() -> Reason:
        book = ledger(claims, volumes)
        disks = []
        for number, path in enumerate(paths):
            committed = book.of_disk(path, volumes[path]).bytes
            space = Space(used=number * 10**9, free=2 * 10**11)
            disks.append(Disk(number % FARMS + 1, path.name, path, space, committed=committed))
        entry = book.of_temp(temp, None)
        temps = [TempFarm(1, temp, Space(0, 10**13), None, entry.bytes, entry.phases)]
        snapshot = Snapshot(
            observation=Observation(tuple(disks), tuple(temps), (), {}, 200, Start(0, 0, "")),
            settings_fault=None,
            since_start=None,
            backoff=0,
            backoff_cause="",
            new_failure=None,
            load=1.0,
            free_memory=1 << 34,
            need=Need(109 * 10**9, 250 * 10**9),
            last_dest=3,
            last_temp=1,
            next_index=201,
        )
        begin = time.process_time()
        reason = decide(snapshot, tunables).reason
        spent.append(time.process_time() - begin)
        return reason

    spent: list[float] = []
    begin = time.process_time()
    if any(once() is not Reason.START for _ in range(50)):
        raise RuntimeError("the decision that is measured should be to start")
    whole = (time.process_time() - begin) / 50 * 1000
    alone = min(spent) * 1000
    return [
        Measure("decision, 2,000 disks, 200 jobs: CPU", alone, "ms", 5),
        Measure("  with the ledger and the making of all facts: CPU", whole, "ms"),
    ]


def pacer_memory(folder: Path) -> list[Measure]:
    """Resident memory of the pacer after the polls of a day."""
    root = make_big_farm(folder / "memory", disks=60, plots=0, jobs=8)
    root.tune(max_plots=8, on_toggle="run")
    program = Path(__file__).with_name("day_of_polls.py")
    done = subprocess.run(
        [sys.executable, str(program), str(root.settings_path), "1440"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    figures = json.loads(done.stdout)
    before = json.loads(
        subprocess.run(
            [sys.executable, str(program), str(root.settings_path), "1440"],
            env=environment_before(folder),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    original = cpu(
        [
            "bash",
            str(Path(__file__).with_name("original_poll.sh")),
            str(root.path / "config"),
            str(folder / "original_poll.log"),
            str(_LOOKS),
        ],
        times=3,
    )
    look = original / _LOOKS * 1000
    return [
        Measure(
            "pacer after a day of polls, 60 disks, 8 jobs: memory", figures["mib"], "MB", SERVICE_MB
        ),
        Measure("  before the libraries", before["mib"], "MB"),
        Measure("  grown since the first hour", figures["grown_mib"], "MB"),
        Measure("one poll of the pacer, 60 disks, 8 jobs: CPU", figures["poll_ms"], "ms"),
        Measure("the original's look at the conditions, rebuilt here: CPU", look, "ms"),
        Measure("ratio: the original's look to one poll", look / figures["poll_ms"], "times"),
    ]


def collector(folder: Path) -> list[Measure]:
    """One run of the plotter collector."""
    root = make_big_farm(folder / "collector", disks=60, plots=0, jobs=8)
    module = ["-m", "goplot.collectors.plotter", "--settings"]
    command = [sys.executable, *module, str(root.settings_path)]
    return _costs("plotter collector, 60 disks, 8 jobs", command, folder)


def _costs(name: str, command: list[str], folder: Path) -> list[Measure]:
    """CPU of a collector's run beside the same before the libraries, and beside Chia's command."""
    spent = cpu(command)
    earlier = cpu(command, environment=environment_before(folder))
    share = 8 * spent / (2 * CHIA_SHOW_SECONDS)
    return [
        Measure(f"{name}: CPU", spent, "s", COLLECTOR_SECONDS),
        Measure("  before the libraries", earlier, "s"),
        Measure("  ratio: now to before", spent / earlier, "times"),
        Measure("  eight times it, as a share of two chia show -s", share, "", 1),
    ]


def farmer(folder: Path) -> list[Measure]:
    """One run of the farmer collector against services that answer at once, over TLS."""
    place = folder / "farmer"
    place.mkdir()
    root = make_farm_root(place)
    ca = rpc_server.make_ca(folder / "ca")
    chia: dict[str, Answer] = {"get_blockchain_state": rpc_server.STATE, **rpc_server.COMMON}
    farm = [rpc_server.harvester(f"10.0.0.{n}", f"{n:064x}") for n in range(50)]
    answers: dict[str, Answer] = {
        "get_harvesters_summary": {"harvesters": farm},
        **rpc_server.COMMON,
    }
    wallet: dict[str, Answer] = {"get_farmed_amount": rpc_server.FARMED, **rpc_server.COMMON}
    command = [sys.executable, "-m", "goplot.collectors.farmer", "--settings"]
    credentials = {"chia.crt": ca.certificate, "chia.key": ca.key, "chia_ca.crt": ca.ca}
    given = folder / "credentials"
    given.mkdir()
    for name, path in credentials.items():
        (given / name).write_bytes(path.read_bytes())
    with (
        rpc_server.Server(ca, chia) as node,
        rpc_server.Server(ca, answers) as farming,
        rpc_server.Server(ca, wallet) as rich,
    ):
        named = {"full_node": node, "farmer": farming, "wallet": rich}
        addresses = [f'{k} = "127.0.0.1:{v.address.port}"' for k, v in named.items()]
        root.configure(more="\n".join(["[farmer_collector]", *addresses, ""]))
        wrapped = ["env", f"CREDENTIALS_DIRECTORY={given}", *command, str(root.settings_path)]
        return _costs("farmer collector, 50 harvesters", wrapped, folder)


def harvester_log(folder: Path) -> list[Measure]:
    """Catching up on a Chia log, beside grep on the same file and a parser as chiadog's."""
    path = folder / "debug.log"
    lines, eligible = chia_log.write_log(path, chia_log.SIZE)
    size = path.stat().st_size / 1e6
    word = chia_log.grep(path, chia_log.PATTERN)
    levels = chia_log.grep(path, "-E", ": (INFO|WARNING|ERROR) ")
    figures = chia_log.catch_up(path, lines, eligible)
    seconds = figures["seconds"]
    rival = chia_log.chiadog(path, 20_000_000)
    # At least 20 times the faster of its rates: the one measured here, and its known one.
    share = 20 * max(rival, chia_log.CHIADOG) * seconds / size
    path.unlink()
    return [
        Measure("harvester-log catches up on 350 MB", size / seconds, "MB/s"),
        Measure("  a parser as chiadog's, in this run", rival, "MB/s"),
        Measure("  ratio: chiadog's time to its, in this run", size / seconds / rival, "times"),
        Measure("  20 times such a parser's rate, as a share of its own", share, "", 1),
        Measure("  lines", lines / seconds / 1e6, "M/s"),
        # grep finds a word without looking at lines; the levels of all lines are this work.
        Measure("  ratio: its time to grep -c of the eligible line", seconds / word, "times"),
        Measure("  ratio: its time to grep -c of the levels", seconds / levels, "times", 4),
        Measure("  resident memory", figures["after"], "MB", SERVICE_MB),
        Measure("  grown by reading", figures["after"] - figures["before"], "MB", 4),
    ]


def boards(folder: Path) -> list[Measure]:
    """Every panel's query and every rule, with the metrics of 100 hosts."""
    found = dashboards.measure(folder)
    whole = sum(group.spent for group in found.groups)
    slowest, first = found.panels[0]
    return [
        Measure("dashboards, 100 hosts, 20 disks each: series that are scraped", found.series, ""),
        Measure(f"  slowest query: {first.place}", slowest, "s", 1),
        *(Measure(f"  then: {query.place}", spent, "s", 1) for spent, query in found.panels[1:5]),
        Measure("rules, 100 hosts: those of one round of 15 s", found.round, "s", 1),
        Measure("  all groups, also those that run every minute or ten", whole, "s"),
        *(
            Measure(f"  {group.name}, every {group.interval:g} s", group.spent, "s")
            for group in found.groups[:5]
        ),
    ]


def environment_before(folder: Path) -> dict[str, str]:
    """The environment in which goplot is as it was before the libraries."""
    return {**ENVIRONMENT, "PYTHONPATH": f"{services_before(folder)}:{ROOT}"}


def cpu(command: list[str], times: int = 5, environment: Mapping[str, str] = ENVIRONMENT) -> float:
    """Seconds of CPU, user and system, of a program and its children: the least of some runs."""
    best = float("inf")
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            command,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        best = min(best, spent)
    return best


_PARTS = (diskhand, decision, pacer_memory, collector, farmer, harvester_log, boards)

if __name__ == "__main__":
    sys.exit(main())
