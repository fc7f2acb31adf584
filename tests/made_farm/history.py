"""The history of a made farm as blocks of Prometheus."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.made_farm.needed import Rule, needed
from tests.made_farm.series import WEEK, Series
from tests.panels.ask import Prometheus

#: Blocks of two hours, as promtool makes them: it reads a file once for each.
_BLOCK = 7200
#: The last hours have a sample a minute; before them one within Prometheus' five minutes.
_HOURS = 6.5 * 3600
_FINE, _COARSE, _SCRAPE = 60, 240, 15
_MARGIN = 900
#: Changes from scrape to scrape, which a picture shows.
_QUICK = ("node_time_seconds", "node_textfile_mtime_seconds")


def write(
    series: Iterable[Series], end: int, folder: Path, promtool: Path, *, thorough: bool = False
) -> None:
    """Write blocks into `folder` of the week before `end` (Unix time).

    As much of each metric as the dashboards and rules ask for; `thorough`: a day of each, with a
    sample a minute.
    """
    begin = end - WEEK
    asked = needed()
    by_name: dict[str, list[Series]] = {}
    for one in series:
        by_name.setdefault(one.name, []).append(one)
    least = 86400 if thorough else 0
    back = {name: max(asked.back.get(name, 0), least) + _MARGIN for name in by_name}
    importing: subprocess.Popen[bytes] | None = None
    for number, since in enumerate(range(begin // _BLOCK * _BLOCK, end + 1, _BLOCK)):
        path = folder / f"window{number % 2}.txt"
        written = 0
        with path.open("w") as file:
            for name in sorted(by_name):
                file.write(f"# TYPE {name} unknown\n")
                for step, first in _steps(name, since, end, back, asked.dense, thorough):
                    moments = range(first, min(since + _BLOCK, end + 1), step)
                    for one in by_name[name]:
                        lines = list(_lines(one, moments, begin))
                        file.writelines(lines)
                        written += len(lines)
            file.write("# EOF\n")
        if importing is not None and importing.wait() != 0:
            raise RuntimeError("promtool refuses what was made")
        if written:
            command = _blocks_from(promtool, path, folder)
            importing = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    if importing is not None and importing.wait() != 0:
        raise RuntimeError("promtool refuses what was made")
    for path in folder.glob("window?.txt"):
        path.unlink()


def record(
    prometheus: Prometheus, rules: Iterable[Rule], end: int, folder: Path, promtool: Path
) -> None:
    """Write blocks of what some rules would have recorded until `end`, as far back as is asked."""
    windows: dict[int, list[str]] = defaultdict(list)
    back = needed().back
    for rule in rules:
        start = end - back.get(rule.record or "", 0) - _MARGIN
        step = rule.interval
        answer = prometheus.ask(
            "query_range", query=rule.expression, start=start - start % step, end=end, step=step
        )
        for one in answer:
            labels = ",".join(
                f"{key}={json.dumps(value)}"
                for key, value in one["metric"].items()
                if key != "__name__"
            )
            for moment, value in one["values"]:
                line = f"{rule.record}{{{labels}}} {value} {moment}\n"
                windows[int(moment) // _BLOCK].append(line)
    for lines in windows.values():
        path = folder / "recorded.txt"
        path.write_text("".join([*lines, "# EOF\n"]))
        command = _blocks_from(promtool, path, folder)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        path.unlink()


def _blocks_from(promtool: Path, path: Path, folder: Path) -> list[str]:
    making = ("tsdb", "create-blocks-from", "openmetrics", "-q")
    return [str(promtool), *making, str(path), str(folder)]


def _steps(
    name: str, since: int, end: int, back: dict[str, int], dense: dict[str, int], thorough: bool
) -> Iterator[tuple[int, int]]:
    """The step of a metric in a window, and its first moment there; nothing where none is asked."""
    first = max(since, end - back[name])
    if first >= since + _BLOCK:
        return
    margin = _BLOCK if thorough else _MARGIN
    if since >= end - dense.get(name, 0) - margin or (thorough and name in _QUICK):
        step = _SCRAPE
    else:
        fine = since >= end - _HOURS - _BLOCK or (thorough and since >= end - 90000)
        step = _FINE if fine else _COARSE
    # All windows of a step fall on its multiples.
    yield step, -(-first // step) * step


def _lines(one: Series, moments: range, begin: int) -> Iterator[str]:
    low, high = one.first + begin, one.last + begin
    if low >= moments.stop or high <= moments.start:
        return
    start = f"{one.name}{{{one.labels}}} "
    at = one.at
    for moment in moments:
        if low <= moment < high:
            yield f"{start}{at(moment - begin):.12g} {moment}\n"
