"""The action that shows the results of a verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

_FOUND = ("__verify_farm", "__verify_annotation")
display = Display()


def table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The rows as lines: result, what, detail; columns as wide as needed."""
    width = max((len(row["what"]) for row in rows), default=0)
    return [f"{r['result']:<6}  {r['what']:<{width}}  {r['detail']}".rstrip() for r in rows]


class ActionModule(ActionBase):
    """Shows one line per check, and fails with the names of those that failed."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Reads what the hosts of the play have registered; returns changed=False always."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        rows = []
        for host in variables["ansible_play_hosts_all"]:
            if host not in variables["ansible_play_hosts"]:
                detail = "it can't be reached, or could not be checked: see above"
                rows.append({"what": f"{host} answers", "result": "FAILED", "detail": detail})
                continue
            known = variables["hostvars"][host]
            for name in _FOUND:
                rows += known.get(name, {}).get("rows") or []
        failed = [row["what"] for row in rows if row["result"] == "FAILED"]
        for row, line in zip(rows, table(rows), strict=True):
            display.display(line, color=constants.COLOR_ERROR if row["what"] in failed else None)
        result.update(changed=False, failed=bool(failed))
        if failed:
            result["msg"] = f"{len(failed)} of {len(rows)} do not work: {'; '.join(failed)}"
        else:
            result["msg"] = f"All of {len(rows)} work."
        return result
