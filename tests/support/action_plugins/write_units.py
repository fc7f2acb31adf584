"""Writes the units among the files of common_files into another folder, without other changes."""

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

_UNITS = "/etc/systemd/system"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Takes `directories` as common_files does, and the folder that stands for that of units."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write the files."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        for directory in self._task.args["directories"]:
            if directory["path"].startswith(_UNITS):
                folder = Path(self._task.args["folder"] + directory["path"].removeprefix(_UNITS))
                folder.mkdir(parents=True, exist_ok=True)
                for name, text in directory.get("files", {}).items():
                    (folder / name).write_text(text, encoding="utf-8")
        return {**result, "changed": True}
