"""Annotations for Grafana, through a spool: an absent Grafana delays no plot and loses none."""

import json
import os
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from goplot.farm.jobs import Job
from goplot.host import program
from goplot.host.files import make_folder, remove, write_whole
from goplot.host.settings import Settings
from goplot.host.success import record_success

_TIMEOUT = 10.0
# Answers to an annotation that is wrong in itself: sending it again would never help.
_NEVER = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
#: Name of the credential that holds the token of Grafana's service account.
CREDENTIAL = "grafana_token"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation; `time` in epoch seconds."""

    time: float
    tags: tuple[str, ...]
    text: str

    def body(self) -> dict[str, Any]:
        """The body of POST /api/annotations, whose times are in milliseconds."""
        return {"time": int(self.time * 1000), "tags": list(self.tags), "text": self.text}


def plot_start(job: Job, active: int, max_plots: int) -> Annotation:
    """That a plot started; `active` counts this one."""
    text = (
        f"start plot #{job.index}: farm {job.dest_farm}, disk {job.disk}, "
        f"temp farm {job.temp_farm}, {job.format.name}, {active}/{max_plots} active"
    )
    return Annotation(job.start.time, ("plot_start",), text)


def plot_stop(
    job: Job, ended: float, seconds: float, outcome: str, active: int, max_plots: int
) -> Annotation:
    """That a plot ended; `active` counts those that go on."""
    begun = time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(job.start.time))
    text = (
        f"stop plot #{job.index} ({outcome}): farm {job.dest_farm}, disk {job.disk}, "
        f"started {begun}, total time {seconds:.0f} s, {active}/{max_plots} active"
    )
    return Annotation(ended, ("plot_stop",), text)


def spool_folder(state: Path) -> Path:
    """Where annotations wait."""
    return state / "annotations"


def spool(state: Path, index: int, annotation: Annotation) -> None:
    """Keep a plot's annotation until it is sent, also over a power cut. Raises OSError."""
    folder = spool_folder(state)
    make_folder(folder)
    # One name for one event: what is spooled again after a crash replaces what waits.
    name = f"{index:09d}-{annotation.tags[0]}.json"
    write_whole(folder / name, json.dumps(annotation.body()) + "\n")


def waiting(state: Path) -> int:
    """How many annotations are not sent yet."""
    try:
        return sum(1 for path in spool_folder(state).iterdir() if _is_spooled(path.name))
    except FileNotFoundError:
        return 0


def send_all(settings: Settings, token: str | None) -> int:
    """Send what waits, oldest first; stop at the first that Grafana does not take now.

    Returns how many were sent. One that Grafana will never take is put aside as `.refused`.
    Raises OSError when Grafana can't be reached or refuses everything.
    """
    folder = spool_folder(settings.roots.state)
    try:
        paths = sorted(path for path in folder.iterdir() if _is_spooled(path.name))
    except FileNotFoundError:
        return 0
    sent = 0
    for path in paths:
        url = f"{settings.annotations_url}/api/annotations"
        status = _post(url, settings.annotations_ca, path.read_bytes(), token)
        if status in _NEVER:
            path.rename(path.with_suffix(".refused"))
            print(f"Grafana refuses {path.name}: status {status}", file=sys.stderr)
        elif status != HTTPStatus.OK:
            raise OSError(f"Grafana answers with status {status}")
        else:
            remove(path)
            sent += 1
    return sent


def _post(url: str, ca: Path | None, body: bytes, token: str | None) -> int:
    """POST JSON; the status of the answer. Raises OSError when there is none."""
    import ssl
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT)
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        connection = HTTPSConnection(parts.netloc, timeout=_TIMEOUT, context=context)
    try:
        connection.request("POST", parts.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def _is_spooled(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".")


def _token() -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        return None
    try:
        return Path(folder, CREDENTIAL).read_text().strip() or None
    except FileNotFoundError:
        return None


def main() -> int:
    """Send what waits, once. Returns FAILED of goplot.host.program while something waits."""
    options = program.parser("goplot-annotations", __doc__).parse_args()
    return program.run("goplot-annotations: annotations wait", options.settings, _once)


def _once(settings: Settings) -> int:
    if settings.annotations_url is not None:
        send_all(settings, _token())
    record_success(settings.roots.state, "annotations")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
