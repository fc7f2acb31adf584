"""The action that writes an inventory folder on the controller, from what the hosts returned."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from goplot_discover.inventory import Seen, files_of

_REPOSITORY = Path(__file__).resolve().parents[3]
display = Display()


class ActionModule(ActionBase):
    """Writes a folder as a whole, and never into one that exists."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Reads hostvars; returns the names of the files."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={"folder": {"type": "str", "required": True}}
        )
        folder = _REPOSITORY / str(arguments["folder"])
        variables = task_vars or {}
        if folder.exists():
            text = (
                f"{folder} exists, and is left as it is: name another folder, FOLDER=inventory/..."
            )
            return {**result, "failed": True, "msg": text}
        seen, missing = [], []
        for name in variables["groups"]["discovered"]:
            host = variables["hostvars"][name]
            found = host.get("__discover_host") or {}
            if "devices" not in found:
                missing.append(name)
                continue
            local = host.get("ansible_connection") == "local"
            seen.append(Seen(name, str(host.get("discover_user") or ""), local, found))
        if not seen:
            return {**result, "failed": True, "msg": "No host answered: nothing was written."}
        if variables["groups"]["discovered"][0] in missing:
            text = f"The farmer, {missing[0]}, did not answer: nothing was written."
            return {**result, "failed": True, "msg": text}
        files = files_of(seen)
        if not self._task.check_mode:
            _write(folder, files)
        undecided = sum(text.count("# decide: ") for text in files.values())
        lines = [f"{folder} is written, for {len(seen)} hosts."]
        lines += [f"{name} did not answer, and is not in it." for name in missing]
        if undecided:
            lines.append(f"{undecided} things are yours to decide: grep -rn decide {folder}")
        for line in lines:
            display.display(line)
        return {**result, "changed": True, "msg": " ".join(lines), "files": sorted(files)}


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        # What can't be discovered is as in the example, with its comments.
        shutil.copytree(_REPOSITORY / "inventory/example/group_vars", made / "group_vars")
        for name, text in files.items():
            path = made / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        made.chmod(0o755)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
