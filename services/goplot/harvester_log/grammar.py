r"""The Chia log's lines: every released form of the prefix and of what goplot counts. Pure.

Lines are bytes, without their newline: a log may hold anything. Forms and where they come from
(`X` is `{service} {logger:<33-len(service)}: {LEVEL:<8} {message}`):

- 1.0.0 to 1.0.5: `HH:MM:SS.mmm X`
- 1.1.0 to 2.4.3, and later with `log_backcompat`: `2021-05-01T10:11:12.123 X`
- 2.4.4 on: `2026-11-22T17:01:33.290 2.7.5 X`
- `log_stdout`: the level and the end of the line in ANSI colours
- syslog and journald: `{service} {message}` or the message alone

No pattern repeats a repetition, and only the first KEPT bytes of a line are looked at, so a
line's cost is bounded whatever it holds.
"""

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from goplot.harvester_log.damage import NUMBER, is_remnant, is_utf16, whole_begin

#: Bytes of a line that are parsed; the relevant part is at the start of a line.
KEPT = 8192

#: Length of `2026-11-22T17:01:33.290 `, where the rest of the prefix begins.
DATED = 24
_UNDATED = 13

UNKNOWN = "unknown"


class Kind(StrEnum):
    """What a line reports."""

    ELIGIBLE = "eligible"
    LOOK_ALIKE = "look_alike"
    DAMAGED = "damaged"
    UTF16 = "utf16"
    SLOW_V1 = "slow_v1"
    SLOW_V2 = "slow_v2"
    NO_DECOMPRESSOR = "no_decompressor"
    DROPPED_COMPRESSION = "dropped_compression"
    DROPPED_PHASE_OUT = "dropped_phase_out"
    QUALITIES_FAILED = "qualities_failed"
    FULL_PROOF_FAILED = "full_proof_failed"
    PROVER_FAILED = "prover_failed"
    PLOT_GONE = "plot_gone"
    PLOT_UNKNOWN = "plot_unknown"
    V2_LOOKUP_FAILED = "v2_lookup_failed"
    UNKNOWN_ERROR = "unknown_error"
    REFRESHED = "refreshed"
    DUPLICATE = "duplicate"
    WRONG_FARMER_KEY = "wrong_farmer_key"
    WRONG_POOL_KEY = "wrong_pool_key"
    FAILED_TO_OPEN = "failed_to_open"
    TOO_SMALL = "too_small"
    NOT_DECOMPRESSED = "not_decompressed"
    FOLDER_MISSING = "folder_missing"
    FOLDER_UNREADABLE = "folder_unreadable"
    STARTED = "started"
    DETAIL = "detail"
    NOT_CONNECTED = "not_connected"
    PEER_LOST = "peer_lost"
    PROTOCOL_MISMATCH = "protocol_mismatch"
    PARTIAL = "partial"
    POOL_RESPONSE = "pool_response"
    POOL_ERROR = "pool_error"
    PARTIAL_FAILED = "partial_failed"
    POOL_UNREACHABLE = "pool_unreachable"
    V2_PARTIAL_PROOFS = "v2_partial_proofs"
    SOLVER_CALL_FAILED = "solver_call_failed"
    SOLVER_EMPTY = "solver_empty"
    SOLVER_LATE = "solver_late"
    SOLVE_REQUEST = "solve_request"
    SOLVE_NO_PROOF = "solve_no_proof"
    SOLVE_FAILED = "solve_failed"
    SIGNAGE_POINT = "signage_point"
    UNKNOWN_SIGNAGE_POINT = "unknown_signage_point"
    FARMED_BLOCK = "farmed_block"
    NO_DAEMON = "no_daemon"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Prefix:
    """The prefix of a message; `version` is empty where the form has none.

    `form` is `dated`, `undated` or `bare`; `start` is the message's first byte.
    """

    form: str
    version: str
    service: str
    logger: str
    level: str
    start: int


class Eligible(NamedTuple):
    """An eligible line: what one lookup found.

    `seconds` is how long it took, None when that is unknown: the clock was set meanwhile.

    `form` names the release that introduced it: `1.0`, `2.5.7` or `next`.
    """

    form: str
    plots: int
    proofs_v1: int
    proofs_v2: int
    seconds: float | None
    total_plots: int


class Line(NamedTuple):
    """A line that was understood as far as possible.

    This and Eligible are tuples because a log has millions of them.
    """

    prefix: Prefix
    kind: Kind
    eligible: Eligible | None = None


_COLOUR = r"(?:\x1b\[[0-9;]{0,12}m)"
_REST = re.compile(
    (
        # 2.7.5, 2.7.5rc1.dev12+g01ab, 2.5.2.giga36; not the 04.699 of a time that is out of place.
        r"(?:(?P<version>\d{1,4}\.(?:\d{1,2}(?!\d)|\d{3,4}\.)[\w.+-]{0,40}) )?"
        r"(?P<service>[a-z][a-z_]{1,30}) (?P<logger>[A-Za-z_][\w.]{0,80}) {0,40}: "
        + _COLOUR
        + r"?(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) {0,4}"
        + _COLOUR
        + "? "
    ).encode()
)
_CLOCK = re.compile(rb"\d\d:\d\d:\d\d\.\d{3} ")
# journalctl's `chia.harvester[71]: message`, syslog's `harvester message`, a time before it or not.
_BARE = re.compile(
    rb"(?:<\d{1,3}>)?(?:[\w:.+\[\]-]{1,40} {1,2}){0,5}?(?:chia[._])?"
    rb"(?P<service>daemon|full_node|farmer|harvester|solver|wallet)(?:\[\d{1,9}\]:?|:)? "
)
# A power cut leaves zeros where the end of the file was not written.
_TAIL = rb"\. Time: (" + NUMBER + rb") s\. Total (\d{1,9}) plots[\s\0]*"
_V1_V2 = rb"Found (\d{1,9}) V1 proofs and (\d{1,9}) V2 qualities"
_ELIGIBLE = (
    (
        "2.5.7",
        re.compile(
            rb"challenge_hash: [0-9a-f]{1,64} ?\.\.\. ?(\d{1,9}) plots were eligible for farming "
            rb"challenge ?" + _V1_V2 + _TAIL
        ),
    ),
    (
        "1.0",
        re.compile(
            rb"(\d{1,9}) plots were eligible for farming [0-9a-f]{1,64}\.\.\. "
            rb"Found (\d{1,9})() proofs" + _TAIL
        ),
    ),
    (
        "next",
        re.compile(
            rb"(\d{1,9}) plots were eligible for farming challenge_hash: [0-9a-f]{1,64} ?\.\.\. "
            + _V1_V2
            + _TAIL
        ),
    ),
)
_COLOURS = re.compile(_COLOUR.encode())
# Punctuation and blanks before a message's first word: releases differ in them.
_ORNAMENT = re.compile(rb"[\x80-\xff ]{0,40}")

_HEADS: tuple[tuple[bytes, Kind], ...] = (
    (b"Looking up qualities on ", Kind.SLOW_V1),
    (b"Looking up partial proofs on ", Kind.SLOW_V2),
    (b"No decompressor available. Cancelling", Kind.NO_DECOMPRESSOR),
    (b"Proof dropped due to line point compression", Kind.DROPPED_COMPRESSION),
    (b"Proof dropped due to hard fork phase-out", Kind.DROPPED_PHASE_OUT),
    (b"Exception fetching qualities for ", Kind.QUALITIES_FAILED),
    (b"Exception fetching full proof for ", Kind.FULL_PROOF_FAILED),
    (b"Error using prover object ", Kind.PROVER_FAILED),
    # Error plot file /farm/1/a/plots/x.plot may no longer exist [Errno 5] Input/output error: …
    (b"Error plot file ", Kind.PLOT_GONE),
    # KeyError plot /farm/1/a/plots/x.plot does not exist.
    (b"KeyError plot ", Kind.PLOT_UNKNOWN),
    # Failed V2 partial proof lookup, with a traceback
    (b"Failed V2 partial proof lookup", Kind.V2_LOOKUP_FAILED),
    # Unknown error: [Errno 5] Input/output error
    (b"Unknown error: ", Kind.UNKNOWN_ERROR),
    # Directory: /farm/1/a/plots does not exist.
    (b"Directory: ", Kind.FOLDER_MISSING),
    # Error checking if directory /farm/1/a/plots exists: [Errno 5] Input/output error
    (b"Error checking if directory ", Kind.FOLDER_UNREADABLE),
    # Error reading directory /farm/1/a/plots [Errno 5] Input/output error
    (b"Error reading directory ", Kind.FOLDER_UNREADABLE),
    # Failed to resolve /farm/1/a/plots
    (b"Failed to resolve ", Kind.FOLDER_UNREADABLE),
    (b"_plot_refresh_callback: event ", Kind.REFRESHED),
    (b"Have multiple copies of the plot ", Kind.DUPLICATE),
    (b"Failed to open file ", Kind.FAILED_TO_OPEN),
    (b"Not farming compressed plot ", Kind.NOT_DECOMPRESSED),
    (b"Using plots_refresh_parameter: ", Kind.STARTED),
    (b"File: ", Kind.DETAIL),
    (b"Failed to connect to ", Kind.NOT_CONNECTED),
    (b"peer disconnected ", Kind.PEER_LOST),
    # protocol version mismatch: local_type=2 incoming=0.0.37 our=0.0.38
    (b"protocol version mismatch: ", Kind.PROTOCOL_MISMATCH),
    (b"Submitting partial for ", Kind.PARTIAL),
    (b"Pool response: ", Kind.POOL_RESPONSE),
    (b"Error in pooling: ", Kind.POOL_ERROR),
    (b"Error sending partial to ", Kind.PARTIAL_FAILED),
    (b"Error connecting to pool: ", Kind.POOL_UNREACHABLE),
    # Received V2 partial proof collection with 1 partail proofs for plot 0123456789
    (b"Received V2 partial proof collection ", Kind.V2_PARTIAL_PROOFS),
    # Failed to call solver service for partial proof [1, 2, 3, 4, 5]...: timeout
    (b"Failed to call solver service", Kind.SOLVER_CALL_FAILED),
    # Received empty proof from solver for proof [1, 2, 3, 4, 5]...
    (b"Received empty proof from solver", Kind.SOLVER_EMPTY),
    # Received solver response for unknown partial proof [1, 2, 3, 4, 5]
    (b"Received solver response for unknown partial proof", Kind.SOLVER_LATE),
    # Solve request: partial=[1, 2, 3, 4, 5] plot-id: 0123456789 k: 20
    (b"Solve request: ", Kind.SOLVE_REQUEST),
    # Solver returned no proof for partial [1, 2, 3, 4, 5]
    (b"Solver returned no proof for partial ", Kind.SOLVE_NO_PROOF),
    # Error solving partial [1, 2, 3, 4, 5]: bad argument
    (b"Error solving partial ", Kind.SOLVE_FAILED),
    (b"Finished signage point ", Kind.SIGNAGE_POINT),
    (b"Received proof of space for an unknown signage point", Kind.UNKNOWN_SIGNAGE_POINT),
    (b"Farmed unfinished_block ", Kind.FARMED_BLOCK),
    (b"Cannot connect to daemon at ", Kind.NO_DAEMON),
)
# These begin with a path, so the text after it decides.
_WITHIN: tuple[tuple[bytes, bytes, Kind], ...] = (
    (b"Not farming plot ", b"We assume the file is being copied", Kind.TOO_SMALL),
    (b"Not farming plot ", b"Plot compression level", Kind.NOT_DECOMPRESSED),
    (b"Plot ", b"has a farmer public key that is not in", Kind.WRONG_FARMER_KEY),
    (b"Plot ", b"has a pool public key that is not in", Kind.WRONG_POOL_KEY),
)
_ALL_HEADS = tuple(head for head, _ in _HEADS) + tuple(head for head, _, _ in _WITHIN)
_FIRST = 5
_BY_FIRST = {
    first: tuple(entry for entry in _HEADS if entry[0].startswith(first))
    for first in {head[:_FIRST] for head, _ in _HEADS}
}
#: What a whole line with eligible plots has in its prefix since lines have dates.
OF_LOOKUPS = b"harvester chia.harvester.harvester:"
# What the harvester also logs about eligible plots, at DEBUG.
_NO_LOOK_ALIKE = b"new_signage_point_harvester "


def parse(line: bytes, prefix: Prefix | None = None) -> Line:
    """Parse one line as far as possible; never raises. `prefix`: its own, if known.

    Of a line with damage before a whole line of the harvester, the whole one is parsed.
    """
    if prefix is None:
        prefix = parse_prefix(line)
    message = line[prefix.start : KEPT]
    if b"\x1b" in message:
        message = _COLOURS.sub(b"", message)
    # All forms of an eligible line begin with a number or with `challenge_hash`.
    if message[:1] in b"c0123456789":
        eligible = parse_eligible(message)
        if eligible is not None:
            return Line(prefix, Kind.ELIGIBLE, eligible)
    begin = whole_begin(line[:KEPT])
    if begin:
        whole = parse(line[begin:])
        return whole._replace(prefix=replace(whole.prefix, start=begin + whole.prefix.start))
    return Line(prefix, _kind(prefix, message))


def parse_prefix(line: bytes) -> Prefix:
    """The prefix of a message; of an unknown form, service and level are `unknown`."""
    prefix = parse_rest(line[DATED:KEPT], "dated", DATED)
    if prefix is None and _CLOCK.match(line):
        prefix = parse_rest(line[_UNDATED:KEPT], "undated", _UNDATED)
    if prefix is not None:
        return prefix
    match = _BARE.match(line)
    if match is not None:
        return Prefix("bare", "", match["service"].decode(), "", UNKNOWN, match.end())
    return Prefix("bare", "", UNKNOWN, "", UNKNOWN, 0)


def parse_rest(rest: bytes, form: str, offset: int) -> Prefix | None:
    """A prefix from behind its time, which is `offset` bytes long; None if it is not one."""
    match = _REST.match(rest)
    if match is None:
        return None
    version, service, logger, level = match.group("version", "service", "logger", "level")
    return Prefix(
        form,
        (version or b"").decode(),
        service.decode(),
        logger.decode(),
        level.decode(),
        offset + match.end(),
    )


def parse_eligible(message: bytes) -> Eligible | None:
    """An eligible line's message in one of its forms; None if it is not one."""
    for form, pattern in _ELIGIBLE:
        match = pattern.fullmatch(message)
        if match is not None:
            plots, v1, v2, seconds, total = match.groups()
            took = float(seconds)
            return Eligible(
                form,
                int(plots),
                int(v1),
                int(v2 or 0),
                took if 0 <= took < math.inf else None,
                int(total),
            )
    return None


def kind_by_head(prefix: Prefix, head: bytes) -> Kind | None:
    """The kind of a line by its message's first bytes; None where the rest of it decides.

    `parse` gives the same kind for every line with this prefix and head.
    """
    if b"\x1b" in head:
        return None
    word = _word(head)
    kind = _kind_of_word(word)
    if kind is not None:
        return kind
    if prefix.level not in ("INFO", "DEBUG") or of_harvester(prefix):
        return None
    if word[:1].isdigit() or word.startswith(b"challenge_hash"[: len(word)]):
        return None
    if any(begin.startswith(word[: len(begin)]) for begin in _ALL_HEADS):
        return None
    return Kind.OTHER


def of_harvester(prefix: Prefix) -> bool:
    """True for lines that may be eligible lines: the harvester's, or of unknown origin."""
    return prefix.service == "harvester" or prefix.service == UNKNOWN


def of_lookups(prefix: Prefix) -> bool:
    """True for lines of the program part that writes eligible lines."""
    return prefix.logger.startswith(("chia.harvester.", "src.harvester."))


def _word(message: bytes) -> bytes:
    ornament = _ORNAMENT.match(message)
    return message[ornament.end() :] if ornament else message


def _kind_of_word(word: bytes) -> Kind | None:
    for head, kind in _BY_FIRST.get(word[:_FIRST], ()):
        if word.startswith(head):
            return kind
    return None


def _kind(prefix: Prefix, message: bytes) -> Kind:
    if is_utf16(message):
        return Kind.UTF16
    word = _word(message)
    kind = _kind_of_word(word)
    if kind is not None:
        return kind
    for head, within, kind in _WITHIN:
        if word.startswith(head) and within in word:
            return kind
    if of_harvester(prefix) and not word.startswith(_NO_LOOK_ALIKE) and _looks_alike(message):
        return Kind.DAMAGED if is_remnant(message) else Kind.LOOK_ALIKE
    return Kind.OTHER


def _looks_alike(message: bytes) -> bool:
    """True for lines about eligible plots or found proofs, in whatever form."""
    text = message.lower()
    if b"eligible" in text:
        return True
    return (b"plot" in text or b"challenge" in text) and (
        (b"found" in text and b"proof" in text) or (b"passed" in text and b"filter" in text)
    )
