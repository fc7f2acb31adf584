"""A damaged log: damage is not a new form, and every whole eligible line counts."""

import codecs
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goplot.cli import main as goplot
from goplot.harvester_log.dating import Window
from goplot.harvester_log.grammar import Kind, parse
from goplot.harvester_log.metrics import Sight, State, state_of
from goplot.harvester_log.tally import Counting, Tally
from tests.support.log_samples import NEXT, NOW, OLD, UNSEEN, prefixed

OTHER = prefixed(b"New peak " + b"x" * 40, service=b"full_node", logger=b"chia.full_node")
_GOOD = [prefixed(OLD, version=b""), prefixed(NOW), prefixed(NEXT)]


def tally_of(text: bytes) -> Tally:
    """What a log counts as."""
    tally = Tally()
    Counting(tally).add(text, Window(1_800_000_000.0))
    return tally


@pytest.mark.parametrize(
    ("log", "eligible", "damaged"),
    [
        (codecs.BOM_UTF8 + b"\r\n".join([_GOOD[0]] * 3) + b"\r\n", 3, 0),
        (_GOOD[0] + b"\n" + _GOOD[0].replace(b"0.12345", b"-2.27123") + b"\n", 2, 0),
        (_GOOD[0] + b"\n" + bytes(512) + _GOOD[0] + b"\n", 2, 0),
        (_GOOD[0] + bytes(512) + b"\n" + _GOOD[0] + b"\n", 2, 0),
        (_GOOD[0][:80] + _GOOD[0] + b"\n", 1, 0),
        (_GOOD[0][:120] + b"\n" + _GOOD[0] + b"\n", 1, 1),
        (OTHER[:70] + _GOOD[1] + b"\n", 1, 0),
        (_GOOD[0] + b"\nProgress update: 0.01\n\tBucket 13 uniform sort. Ram: 3.250GiB\n", 1, 0),
    ],
)
def test_damage_is_shown_and_counted_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: bytes, eligible: int, damaged: int
) -> None:
    path = tmp_path / "debug.log.gz"
    path.write_bytes(gzip.compress(log))
    assert goplot(["harvester-log", "--check", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["understood"]
    assert document["kinds"]["eligible"] == eligible
    assert document["kinds"].get("damaged", 0) == damaged
    assert "99" not in " ".join(document["origins"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    path, good = tmp_path / "wide.log", tmp_path / "good.log"
    path.write_bytes((_GOOD[0].decode() + "\r\n").encode(encoding) * 3)
    good.write_bytes(_GOOD[0] + b"\n")
    assert goplot(["harvester-log", "--check", str(good), str(path)]) == 1
    text = capsys.readouterr().out
    assert f"NOT UNDERSTOOD: {path} is in UTF-16" in text
    assert "look like an eligible line" not in text
    assert f"{good} is" not in text


def test_an_old_log_with_slow_lookups_and_foreign_versions_is_understood() -> None:
    tally = tally_of((Path(__file__).parent / "chia_logs" / "old.txt").read_bytes())
    assert tally.kinds == {
        "duplicate": 1,
        "other": 3,
        "eligible": 3,
        "slow_v1": 1,
        "prover_failed": 1,
        "detail": 1,
        "refreshed": 1,
    }
    assert tally.proofs_v1 == 10
    assert tally.buckets[-1] == 1


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.just(b""),
                st.integers(1, 600).map(bytes),
                st.tuples(st.sampled_from([*_GOOD, OTHER]), st.integers(1, 200)).map(
                    lambda cut: cut[0][: min(cut[1], len(cut[0]) - 1)]
                ),
            ),
            st.sampled_from([*_GOOD, OTHER]),
            st.sampled_from([b"\n", b"\r\n", b"\0\0\n"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_whole_eligible_line_counts_whatever_was_torn_before_it(
    parts: list[tuple[bytes, bytes, bytes]],
) -> None:
    tally = tally_of(b"".join(before + line + end for before, line, end in parts))
    assert tally.count(Kind.ELIGIBLE) == sum(line in _GOOD for _, line, _ in parts)
    assert tally.count(Kind.LOOK_ALIKE) == 0
    assert tally.lines == len(parts)


@pytest.mark.parametrize("line", _GOOD)
def test_a_line_that_was_cut_is_not_a_look_alike(line: bytes) -> None:
    whole = {end for end in range(len(line)) if parse(line[:end]).kind is Kind.ELIGIBLE}
    assert not whole
    start = parse(line).prefix.start
    assert [n for n in range(len(line)) if parse(line[:n]).kind is Kind.LOOK_ALIKE] == []
    behind = [n for n in range(start, len(line)) if parse(line[n:]).kind is Kind.LOOK_ALIKE]
    assert [line[n:] for n in behind] == []


def test_a_new_form_that_is_the_begin_of_a_known_one_is_found_by_its_number() -> None:
    shorter = prefixed(OLD.removesuffix(b" Total 10 plots")) + b"\n"
    sight = Sight(readable=True, since=0, quiet_seconds=300, lost=0, cut=0)
    assert state_of(tally_of(shorter), sight, 1_800_000_500) is not State.UNKNOWN_FORMAT
    assert state_of(tally_of(shorter * 9), sight, 1_800_000_500) is State.UNKNOWN_FORMAT
    assert parse(prefixed(UNSEEN)).kind is Kind.LOOK_ALIKE
