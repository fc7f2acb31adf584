"""Modules of roles, run in this process as Ansible runs them on a host."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args


def run_module(module: Path, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """The answer of a module, with all that it printed under `printed`."""
    printed = StringIO()
    parameters = {**arguments, "_ansible_check_mode": check}
    with patch_module_args(parameters), redirect_stdout(printed), pytest.raises(SystemExit):
        run_path(str(module), run_name="__main__")
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return {**answer, "printed": printed.getvalue()}
