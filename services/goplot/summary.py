"""goplot-summary: sends the farm's day to Alertmanager, which notifies the owner."""

import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from goplot.host.http import send
from goplot.host.log import start_logging
from goplot.host.program import FAILED, OK

_logger = logging.getLogger(__name__)
_TIMEOUT = 60.0
_MOJO = 1e12
_SIZES = ((1024.0**4, "TiB"), (1024.0**3, "GiB"), (1024.0**2, "MiB"))
_DAY = 86400.0
#: Alertmanager forgets the alert after so many seconds: by then it has been sent.
_KEPT_SECONDS = 3600.0
#: Problems beyond this number are counted, not named.
_NAMED_PROBLEMS = 20
#: Name of the credential for Prometheus, `user:password`.
CREDENTIAL = "prometheus.login"

_ONE_DAY_AGO = "offset 1d"
_FIRING = 'ALERTS{alertstate="firing", severity=~"critical|warning"}'
_BY = "max by (alertname, instance, severity)"
#: Queries to Prometheus, each for one number.
QUESTIONS = {
    "hosts": 'count(up{job="node", groups!=""})',
    "hosts_up": 'sum(up{job="node", groups!=""})',
    "made": "round(sum(increase(goplot_plots_finished_total[1d])))",
    "failed": "round(sum(increase(goplot_plots_failed_total[1d])))",
    "running": "sum(goplot_plots_running)",
    "plots": "sum(chia_farmer_harvester_plots)",
    "bytes": "sum(chia_farmer_harvester_bytes)",
    "bytes_before": f"sum(chia_farmer_harvester_bytes {_ONE_DAY_AGO})",
    "eligible": "round(sum(increase(chia_harvester_eligible_plots_total[1d])))",
    "proofs": "round(sum(increase(chia_harvester_proofs_found_total[1d])))",
    # Without a wallet, from the node's log.
    "blocks": (
        "max(chia_farmed_blocks - min_over_time(chia_farmed_blocks[1d]))"
        " or round(max(increase(chia_full_node_farmed_blocks_total[1d])))"
    ),
    "mojo": "max(chia_farmed_mojo - min_over_time(chia_farmed_mojo[1d]))",
    "expected_seconds": "min(chia_expected_win_seconds)",
    "partials": 'round(sum(increase(chia_pool_partials_total{result="valid"}[1d])))',
    "partials_lost": 'round(sum(increase(chia_pool_partials_total{result!="valid"}[1d])))',
    "free_bytes": "sum(goplot_disk_available_bytes)",
    "full_seconds": (
        "sum(goplot_disk_available_bytes)"
        " / (sum(clamp_min(deriv(goplot_disk_used_bytes[1d]), 0)) > 0)"
    ),
}
#: Problems within the day, and those that still exist: a series for each alert and host.
PROBLEMS = f"{_BY} (max_over_time({_FIRING}[1d]))"
PROBLEMS_NOW = f"{_BY} ({_FIRING})"

Ask = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Problem:
    """An alert that fired within the day; `over` if it has ended."""

    alert: str
    host: str
    over: bool

    def __str__(self) -> str:
        """For people."""
        return f"{self.alert} of {self.host}{'' if self.over else ' (still)'}"


@dataclass(frozen=True, slots=True)
class Day:
    """The farm's last 24 hours: a number for each of QUESTIONS that had an answer."""

    numbers: Mapping[str, float]
    problems: tuple[Problem, ...]

    def title(self) -> str:
        """The day in one line."""
        parts = [
            self._count("made", "plot", " made"),
            self._count("blocks", "block", " farmed"),
            _counted(len(self.problems), "problem") if self.problems else "no problem",
        ]
        return f"The farm's day: {', '.join(part for part in parts if part)}"

    def text(self) -> str:
        """The day in a few lines; unknown values are left out."""
        lines = {
            "Farming": (
                self._count("blocks", "block", " farmed"),
                self._text_of("mojo", lambda mojo: f"{mojo / _MOJO:g} XCH"),
                self._count("proofs", "proof"),
                self._count("eligible", "eligible plot"),
                self._text_of("expected_seconds", lambda s: f"a win is expected every {_span(s)}"),
            ),
            "Pool": (
                self._count("partials", "valid partial"),
                self._text_of("partials_lost", lambda n: f"{n:.0f} lost"),
            ),
            "Plots": (
                self._count("made", "plot", " made"),
                self._text_of("failed", lambda n: f"{n:.0f} failed"),
                self._text_of("running", lambda n: f"{n:.0f} running"),
                self._text_of("plots", lambda n: f"{n:.0f} farmed"),
            ),
            "Space": (
                self._text_of("bytes", lambda n: f"{_size(n)} of plots{self._grown()}"),
                self._text_of("free_bytes", lambda n: f"{_size(n)} free"),
                self._text_of("full_seconds", lambda s: f"full in {_span(s)} at this rate"),
            ),
            "Hosts": (self._hosts(),),
            "Problems": self._problems(),
        }
        texts = {name: ", ".join(part for part in parts if part) for name, parts in lines.items()}
        return "\n".join(f"{name}: {text}" for name, text in texts.items() if text)

    def _text_of(self, name: str, words: Callable[[float], str]) -> str:
        value = self.numbers.get(name)
        return "" if value is None else words(value)

    def _count(self, name: str, noun: str, behind: str = "") -> str:
        return self._text_of(name, lambda value: _counted(round(value), noun) + behind)

    def _grown(self) -> str:
        now, before = self.numbers.get("bytes"), self.numbers.get("bytes_before")
        if now is None or before is None:
            return ""
        return f" ({'+' if now >= before else '-'}{_size(abs(now - before))})"

    def _hosts(self) -> str:
        up = self.numbers.get("hosts_up")
        return self._text_of("hosts", lambda hosts: f"{up or 0:.0f} of {hosts:.0f} answer")

    def _problems(self) -> tuple[str, ...]:
        # Ongoing problems come first.
        shown = sorted(self.problems, key=lambda one: (one.over, one.host, one.alert))
        names = tuple(str(problem) for problem in shown[:_NAMED_PROBLEMS])
        more = len(shown) - len(names)
        return (*names, f"and {more} more") if more > 0 else names or ("none",)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _size(value: float) -> str:
    unit, name = next((one for one in _SIZES if value >= one[0]), _SIZES[-1])
    return f"{value / unit:.1f} {name}"


def _span(seconds: float) -> str:
    if seconds < 2 * 3600:
        return _counted(max(1, round(seconds / 60)), "minute")
    if seconds < 2 * _DAY:
        return _counted(round(seconds / 3600), "hour")
    return _counted(round(seconds / _DAY), "day")


def day_of(ask: Ask) -> Day:
    """Run all queries. `ask` returns the result vector of an expression, or raises OSError."""
    numbers = {}
    for name, expression in QUESTIONS.items():
        for sample in ask(expression)[:1]:
            value = float(sample["value"][1])
            if math.isfinite(value):
                numbers[name] = value
    now = _alerts(ask(PROBLEMS_NOW))
    problems = (Problem(*one, one not in now) for one in _alerts(ask(PROBLEMS)) | now)
    return Day(numbers, tuple(sorted(problems, key=lambda one: (one.host, one.alert))))


def _alerts(samples: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    found = (sample["metric"] for sample in samples)
    return {(one["alertname"], one.get("instance", "the farm")) for one in found}


def alert(farm: str, title: str, text: str, now: float) -> dict[str, Any]:
    """The summary as an alert. `now` is in epoch seconds.

    Each has unique labels: Alertmanager would not send the same alert again.
    """
    labels = {
        "alertname": "DailySummary",
        "severity": "summary",
        "instance": farm,
        "told_at": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)),
    }
    return {
        "labels": labels,
        "annotations": {"summary": title, "description": text},
        "startsAt": _moment(now),
        "endsAt": _moment(now + _KEPT_SECONDS),
    }


def _moment(epoch: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def _http(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, ca: str | None
) -> bytes:
    """The body of an answer of status 200. Raises OSError for anything else."""
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.netloc}"
    try:
        answer = send(
            method, url, headers=headers, timeout=_TIMEOUT, body=body, ca=Path(ca) if ca else None
        )
    except OSError as error:
        raise OSError(f"{where} does not answer: {error}") from error
    if answer.status_code != HTTPStatus.OK:
        raise OSError(f"{where} answers with status {answer.status_code}")
    return answer.content


def _asker(prometheus: str, ca: str | None, login: str | None) -> Ask:
    from base64 import b64encode

    headers = {}
    if login:
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"

    def ask(expression: str) -> list[dict[str, Any]]:
        url = f"{prometheus}/api/v1/query?{urlencode({'query': expression})}"
        try:
            result = json.loads(_http("GET", url, headers, None, ca))["data"]["result"]
        except (ValueError, LookupError, TypeError) as error:
            raise OSError(f"{prometheus} does not answer as Prometheus does") from error
        return list(result)

    return ask


def _login() -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    try:
        return Path(folder, CREDENTIAL).read_text().strip() if folder else None
    except FileNotFoundError:
        return None


def main() -> int:
    """Send the summary once. Returns 0, or 1 if a query or the delivery failed.

    If the queries fail, that is sent instead: silence would look like a quiet day.
    """
    import argparse

    parser = argparse.ArgumentParser(prog="goplot-summary", description=__doc__)
    parser.add_argument("--farm", required=True, help="name of the farmer in the inventory")
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--alertmanager", required=True, metavar="URL")
    parser.add_argument("--ca", metavar="FILE", help="the CA of Prometheus' certificate")
    options = parser.parse_args()
    start_logging()
    status = OK
    try:
        day = day_of(_asker(options.prometheus, options.ca, _login()))
        title, text = day.title(), day.text()
    except OSError as error:
        title, text = "The farm's day can't be summarised", str(error)
        _logger.error("%s", error)
        status = FAILED
    body = json.dumps([alert(options.farm, title, text, time.time())]).encode()
    headers = {"Content-Type": "application/json"}
    try:
        _http("POST", f"{options.alertmanager}/api/v2/alerts", headers, body, None)
    except OSError as error:
        _logger.error("%s", error)
        return FAILED
    print(f"{title}\n{text}")
    return status


if __name__ == "__main__":
    sys.exit(main())
