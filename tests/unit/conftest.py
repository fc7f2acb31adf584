"""Fixtures of the unit tests."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

from goplot.chia.rpc import Certificates
from goplot.farm.disks import Space
from tests.support.farm_root import FarmRoot, make_farm_root
from tests.support.rpc_server import make_ca

# A machine that does other work is not a fault of what is tested.
settings.register_profile("goplot", deadline=None)
settings.load_profile("goplot")

# goplot's programs, when a test runs them as processes: it need not be installed.
os.environ["PYTHONPATH"] = str(Path(__file__).parents[2] / "services")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarmRoot:
    """A farm in a folder of its own, whose disks are all used alike.

    They are folders of one file system, so what is used on it may change between two looks.
    """
    space = Space(used=1 << 30, free=1 << 40)
    monkeypatch.setattr("goplot.host.observe.read_space", lambda _: space)
    return make_farm_root(tmp_path)


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The certificates of a farm."""
    return make_ca(tmp_path_factory.mktemp("ca") / "own")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for longer runs than the usual ones."""
    parser.addoption(
        "--rotation-rounds",
        type=int,
        default=4,
        help="rounds of the follower's test against a rotating log",
    )
    parser.addoption(
        "--fuzz-runs",
        type=int,
        default=3_000,
        help="blocks that the fuzzer feeds to harvester-log",
    )
    parser.addoption(
        "--log-growth",
        type=int,
        default=16,
        help="MiB by which a log grows while harvester-log looks on",
    )


@pytest.fixture(scope="session")
def prometheus_programs() -> Path:
    """The folder of promtool, prometheus and amtool, fetched once where the machine lacks them."""
    top = Path(__file__).parents[2]
    command = [top / "tests/tools/prometheus", top / ".cache/prometheus"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def promtool(prometheus_programs: Path) -> Path:
    """Prometheus' own tool."""
    return prometheus_programs / "promtool"


@pytest.fixture(scope="session")
def amtool(prometheus_programs: Path) -> Path:
    """Alertmanager's own tool."""
    return prometheus_programs / "amtool"
