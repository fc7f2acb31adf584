"""Fixtures of the unit tests."""

from pathlib import Path

import pytest

from tests.unit.farm_root import FarmRoot, make_farm_root


@pytest.fixture
def root(tmp_path: Path) -> FarmRoot:
    """A farm in a folder of its own."""
    return make_farm_root(tmp_path)
