"""The initial values of the tunables, as the services declare them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "services"))

from goplot.host.tunables import NUMBERS, RUN


def first_tunables(named: Mapping[str, Any]) -> dict[str, Any]:
    """The initial values, overridden by the inventory's; no limit unless the inventory sets one."""
    first = {name: one.first for name, one in NUMBERS.items() if not one.optional}
    return {"on_toggle": RUN, **first, **named}


class FilterModule:
    """Registers the filter with Ansible."""

    def filters(self) -> dict[str, object]:
        """Names of the filters."""
        return {"goplot_first_tunables": first_tunables}
