"""Modules of roles, loaded or run in this process as Ansible does on a host."""

import importlib.util
import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from runpy import run_path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.support.plays import ROLES


def load_module(path: str, package: str = "") -> ModuleType:
    """A module below `roles`; others import it by its name, in `package` if that is given."""
    file = ROLES / path
    name = f"{package}.{file.stem}" if package else file.stem
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run_module(module: Path, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """The answer of a module, with all that it printed under `printed`."""
    printed = StringIO()
    parameters = {**arguments, "_ansible_check_mode": check}
    with patch_module_args(parameters), redirect_stdout(printed), pytest.raises(SystemExit):
        run_path(str(module), run_name="__main__")
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return {**answer, "printed": printed.getvalue()}
