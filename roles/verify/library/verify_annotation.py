#!/usr/bin/python
"""Writes, reads and deletes an annotation, as goplot on this plotter does."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.goplot_http import Service, ServiceError
from ansible.module_utils.verify_checks import Row, absent, bad, ok, patiently

DOCUMENTATION = """
module: verify_annotation
short_description: Write, read and delete an annotation
description:
  - Uses the address and the token that goplot on this plotter uses.
options:
  host:
    description: The plotter's name in the inventory.
    type: str
    required: true
  seconds:
    description: How long it is retried, in seconds.
    type: int
    required: true
author: goplot
"""

EXAMPLES = """
- name: Write, read and delete
  verify_annotation:
    host: plotter1
    seconds: 60
"""

RETURN = """
rows:
  description: The results, each with what, result (ok, FAILED or -) and detail.
  type: list
  elements: dict
  returned: success
"""
_SETTINGS = Path("/etc/goplot/settings.toml")
_TOKEN = Path("/etc/goplot/grafana.token")
_TAG = "goplot_verify"


def main() -> None:
    """Runs the module."""
    spec: dict[str, Any] = {
        "host": {"type": "str", "required": True},
        "seconds": {"type": "int", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    rows = [] if module.check_mode else _rows(module.params["host"], module.params["seconds"])
    module.exit_json(changed=False, rows=rows)


def _rows(host: str, seconds: int) -> list[Row]:
    what = f"{host} annotates in Grafana"
    try:
        annotations = tomllib.loads(_SETTINGS.read_text(encoding="utf-8")).get("annotations")
        token = _TOKEN.read_text(encoding="utf-8").strip() if _TOKEN.exists() else ""
    except (OSError, ValueError) as error:
        return [bad(what, f"{error}: run playbooks/goplot.yml")]
    if not annotations:
        return [absent(what, "it has no Grafana")]
    service = Service(annotations["url"], token=token, ca_path=annotations.get("ca"))
    return patiently(lambda: [_there_and_back(service, what)], what, time.monotonic() + seconds)


def _there_and_back(service: Service, what: str) -> Row:
    """One annotation: written, read, deleted, and gone. Raises ServiceError."""
    now = int(time.time() * 1000)
    body = {"time": now, "tags": [_TAG], "text": f"{what}: a test"}
    number = service.take("POST", "/api/annotations", body)["id"]
    found = service.take("GET", f"/api/annotations?tags={_TAG}&limit=1000")
    if number not in [one["id"] for one in found]:
        raise ServiceError(f"annotation {number} was accepted but does not exist")
    service.take("DELETE", f"/api/annotations/{number}")
    left = service.take("GET", f"/api/annotations?tags={_TAG}&limit=1000")
    if number in [one["id"] for one in left]:
        raise ServiceError(f"annotation {number} was deleted but still exists")
    return ok(what, "written, read, deleted")


if __name__ == "__main__":
    main()
