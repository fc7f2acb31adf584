"""goplot-annotations: sends the annotations in the spool to Grafana."""

import logging
import os
import sys
import time
from http import HTTPStatus
from pathlib import Path

from goplot.host import program
from goplot.host.annotations import dated, spooled
from goplot.host.files import remove
from goplot.host.http import send
from goplot.host.settings import Settings
from goplot.host.success import record_success

_logger = logging.getLogger(__name__)
_TIMEOUT = 10.0
# Answers to an invalid annotation: sending it again would not help.
_NEVER = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
#: Name of the credential that holds the token of Grafana's service account.
CREDENTIAL = "grafana_token"


def send_all(settings: Settings, token: str | None) -> int:
    """Send the spool, oldest first; stop at the first that Grafana does not accept now.

    Returns how many were sent. One that Grafana will never accept is renamed to `.refused`.
    Raises OSError when Grafana can't be reached or rejects everything.
    """
    sent = 0
    for path in spooled(settings.roots.state):
        url = f"{settings.annotations.url}/api/annotations"
        body = dated(path.read_bytes(), time.time())
        status = _post(url, settings.annotations.ca, body, token)
        if status in _NEVER:
            path.rename(path.with_suffix(".refused"))
            _logger.error("Grafana refuses %s: status %s", path.name, status)
        elif status != HTTPStatus.OK:
            raise OSError(f"Grafana answers with status {status}")
        else:
            remove(path)
            sent += 1
    return sent


def _post(url: str, ca: Path | None, body: bytes, token: str | None) -> int:
    """POST JSON; the status of the answer. Raises OSError when there is none."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return send("POST", url, headers=headers, timeout=_TIMEOUT, body=body, ca=ca).status_code


def _token() -> str | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        return None
    try:
        return Path(folder, CREDENTIAL).read_text().strip() or None
    except FileNotFoundError:
        return None


def main() -> int:
    """Send the spool once. Returns FAILED of goplot.host.program while it is not empty."""
    options = program.parser("goplot-annotations", __doc__).parse_args()
    return program.run("goplot-annotations", options.settings, _once, ("roots", "annotations"))


def _once(settings: Settings) -> int:
    if settings.annotations.url is not None:
        try:
            send_all(settings, _token())
        except OSError as error:
            raise OSError(f"annotations wait: {error}") from error
    record_success(settings.roots.state, "annotations")
    return program.OK


if __name__ == "__main__":
    sys.exit(main())
