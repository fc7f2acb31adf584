"""Writes a rendered template on this machine: ansible.builtin.template without a process a file."""

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader


class ActionModule(ActionBase):  # type: ignore[misc]
    """Takes `src` and `dest` as ansible.builtin.template does."""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Write the file."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        lookup = lookup_loader.get(
            "ansible.builtin.template", loader=self._loader, templar=self._templar
        )
        (text,) = lookup.run([self._task.args["src"]], task_vars)
        Path(self._task.args["dest"]).write_text(text, encoding="utf-8")
        return {**result, "changed": True}
