"""harvester-log under a fuzzer: whatever is in the log, nothing is raised, lost or doubled."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.log_samples import NEXT, NOW, OLD, PREFIXES, UNSEEN, coloured, prefixed

_ROOT = Path(__file__).parents[2]
_SAMPLES = (*PREFIXES.values(), coloured(NOW), *map(prefixed, (OLD, NEXT, UNSEEN)))


def fuzz(corpus: Path, runs: int) -> subprocess.CompletedProcess[str]:
    """Feed `runs` blocks to harvester-log that grow out of the corpus."""
    options = [f"-runs={runs}", "-seed=1", "-max_len=2048", "-timeout=5", "-rss_limit_mb=512"]
    options += [f"-artifact_prefix={corpus.parent}/"]
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.harvester_log", *options, str(corpus)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_block_of_lines_breaks_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, sample in enumerate(_SAMPLES):
        (corpus / f"{number}").write_bytes(sample)
    (corpus / "all").write_bytes(b"\n".join(_SAMPLES))
    done = fuzz(corpus, request.config.getoption("--fuzz-runs"))
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done " in done.stderr
