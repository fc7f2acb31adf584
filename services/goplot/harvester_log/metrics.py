"""What harvester-log writes for node_exporter. Pure: the clock is given."""

from dataclasses import dataclass
from enum import StrEnum

from goplot.harvester_log.grammar import Kind
from goplot.harvester_log.tally import (
    BUCKETS,
    STRANGE_LINES,
    TROUBLE_LEVELS,
    TROUBLE_SERVICES,
    Tally,
)
from goplot.host.success import add_success
from goplot.host.textfile import Metrics


class State(StrEnum):
    """The state of a log, the first that applies."""

    UNREADABLE = "unreadable"
    OK = "ok"
    UNKNOWN_FORMAT = "unknown_format"
    LEVEL_TOO_LOW = "level_too_low"
    SILENT = "silent"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Sight:
    """The log as it is followed: `since` is when that began, epoch seconds."""

    readable: bool
    since: float
    quiet_seconds: float
    lost: int
    cut: int


def state_of(tally: Tally, sight: Sight, now: float) -> State:
    """Whether the harvester looks up plots, or why that can't be seen."""
    quiet = sight.quiet_seconds
    if not sight.readable:
        return State.UNREADABLE
    if now - (tally.last_eligible or sight.since) <= quiet:
        return State.OK
    if tally.alike or tally.strange >= STRANGE_LINES:
        return State.UNKNOWN_FORMAT
    # A warning without any INFO line for long before it: there are none.
    if tally.last_line is not None and tally.last_line - (tally.last_info or 0) > quiet:
        return State.LEVEL_TOO_LOW
    if now - (tally.last_line or sight.since) > quiet:
        return State.SILENT
    return State.QUIET


def metrics_of(tally: Tally, sight: Sight, now: float) -> Metrics:
    """All metrics of the log at the time `now`."""
    metrics = Metrics()
    state = state_of(tally, sight, now)
    metrics.add("goplot_harvester_log_up", int(sight.readable))
    for known in State:
        metrics.add("goplot_harvester_log_state", int(known is state), state=known.value)
    if tally.lines or sight.readable:
        _add_reading(metrics, tally, sight)
        _add_harvester(metrics, tally, sight, now)
        _add_kinds(metrics, tally)
    add_success(metrics, {"harvester-log": now})
    return metrics


def _add_reading(metrics: Metrics, tally: Tally, sight: Sight) -> None:
    metrics.add("goplot_harvester_log_lines_total", tally.lines)
    metrics.add("goplot_harvester_log_look_alikes_total", tally.count(Kind.LOOK_ALIKE))
    damaged = tally.count(Kind.DAMAGED) + tally.count(Kind.UTF16)
    metrics.add("goplot_harvester_log_damaged_lines_total", damaged)
    metrics.add("goplot_harvester_log_unmatched_lines", tally.strange)
    metrics.add("goplot_harvester_log_cut_lines_total", sight.cut)
    metrics.add("goplot_harvester_log_lost_files_total", sight.lost)
    for name, moment in (
        ("goplot_harvester_log_last_line_timestamp_seconds", tally.last_line),
        ("goplot_harvester_log_last_match_timestamp_seconds", tally.last_match),
    ):
        metrics.add_known(name, None if moment is None else round(moment, 3))
    metrics.add_known("goplot_harvester_log_clock_behind_seconds", tally.clock_behind)
    lines: dict[tuple[str, str], int] = {}
    for origin, count in tally.origins.items():
        _, service, level = origin.split("/")
        lines[service, level] = lines.get((service, level), 0) + count
    for (service, level), count in sorted(lines.items()):
        metrics.add("chia_log_lines_total", count, service=service, level=level)


def _add_harvester(metrics: Metrics, tally: Tally, sight: Sight, now: float) -> None:
    age = now - (tally.last_eligible or sight.since)
    metrics.add("chia_harvester_quiet", int(age > sight.quiet_seconds))
    metrics.add("chia_harvester_quiet_threshold_seconds", sight.quiet_seconds)
    metrics.add("chia_harvester_eligible_age_seconds", round(age, 1))
    if tally.last_eligible is not None:
        moment = round(tally.last_eligible, 3)
        metrics.add("chia_harvester_last_eligible_timestamp_seconds", moment)
    if tally.last_eligible_plots is not None and tally.total_plots is not None:
        metrics.add("chia_harvester_eligible_plots", tally.last_eligible_plots)
        metrics.add("chia_harvester_log_plots", tally.total_plots)
    metrics.add("chia_harvester_eligible_plots_total", tally.eligible_plots)
    for version, count in (("v1", tally.proofs_v1), ("v2", tally.proofs_v2)):
        metrics.add("chia_harvester_proofs_found_total", count, version=version)
    below = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), tally.buckets, strict=True):
        below += count
        metrics.add("chia_harvester_lookup_seconds_bucket", below, le=bound)
    metrics.add("chia_harvester_lookup_seconds_sum", round(tally.lookup_seconds, 5))
    metrics.add("chia_harvester_lookup_seconds_count", below)


def _add_kinds(metrics: Metrics, tally: Tally) -> None:
    for version, kind in (("v1", Kind.SLOW_V1), ("v2", Kind.SLOW_V2)):
        metrics.add("chia_harvester_slow_lookups_total", tally.count(kind), version=version)
    for kind in (
        Kind.NO_DECOMPRESSOR,
        Kind.DROPPED_COMPRESSION,
        Kind.DROPPED_PHASE_OUT,
        Kind.QUALITIES_FAILED,
        Kind.FULL_PROOF_FAILED,
        Kind.PROVER_FAILED,
        Kind.PLOT_GONE,
        Kind.PLOT_UNKNOWN,
        Kind.V2_LOOKUP_FAILED,
        Kind.UNKNOWN_ERROR,
    ):
        metrics.add("chia_harvester_lookup_errors_total", tally.count(kind), reason=kind.value)
    for kind in (
        Kind.FAILED_TO_OPEN,
        Kind.WRONG_FARMER_KEY,
        Kind.WRONG_POOL_KEY,
        Kind.DUPLICATE,
        Kind.TOO_SMALL,
        Kind.NOT_DECOMPRESSED,
        Kind.FOLDER_MISSING,
        Kind.FOLDER_UNREADABLE,
    ):
        metrics.add("chia_harvester_plot_problems_total", tally.count(kind), problem=kind.value)
    for reason, kind in (
        ("answer", Kind.POOL_ERROR),
        ("partial_failed", Kind.PARTIAL_FAILED),
        ("unreachable", Kind.POOL_UNREACHABLE),
    ):
        metrics.add("chia_farmer_pool_errors_total", tally.count(kind), reason=reason)
    for reason, kind in (
        ("call_failed", Kind.SOLVER_CALL_FAILED),
        ("empty_proof", Kind.SOLVER_EMPTY),
        ("late", Kind.SOLVER_LATE),
    ):
        metrics.add("chia_farmer_solver_errors_total", tally.count(kind), reason=reason)
    for reason, kind in (("no_proof", Kind.SOLVE_NO_PROOF), ("failed", Kind.SOLVE_FAILED)):
        metrics.add("chia_solver_errors_total", tally.count(kind), reason=reason)
    for name, kind in (
        ("chia_farmer_v2_partial_proofs_total", Kind.V2_PARTIAL_PROOFS),
        ("chia_solver_requests_total", Kind.SOLVE_REQUEST),
        ("chia_harvester_refreshes_total", Kind.REFRESHED),
        ("chia_farmer_partials_total", Kind.PARTIAL),
        ("chia_farmer_pool_answers_total", Kind.POOL_RESPONSE),
        ("chia_harvester_starts_total", Kind.STARTED),
        ("chia_full_node_signage_points_total", Kind.SIGNAGE_POINT),
        ("chia_full_node_unknown_signage_points_total", Kind.UNKNOWN_SIGNAGE_POINT),
        ("chia_full_node_farmed_blocks_total", Kind.FARMED_BLOCK),
        ("chia_log_daemon_unreachable_total", Kind.NO_DAEMON),
    ):
        metrics.add(name, tally.count(kind))
    for name, kind in (
        ("chia_log_peers_lost_total", Kind.PEER_LOST),
        ("chia_log_connect_failures_total", Kind.NOT_CONNECTED),
        ("chia_log_protocol_mismatches_total", Kind.PROTOCOL_MISMATCH),
    ):
        # A series that begins with its first event would hide it from rate().
        for service in ("full_node", "farmer", "harvester", "solver", "wallet"):
            count = tally.connections.get(f"{kind}/{service}", 0)
            metrics.add(name, count, service=service)
    for service in TROUBLE_SERVICES:
        for level in TROUBLE_LEVELS:
            count = tally.unmatched.get(f"{service}/{level}", 0)
            metrics.add("chia_log_unmatched_total", count, service=service, level=level)
