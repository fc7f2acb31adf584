"""What harvester-log writes for node_exporter. Pure: the clock is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from goplot.harvester_log.grammar import Kind
from goplot.harvester_log.tally import BUCKETS, STRANGE_LINES, Tally
from goplot.host.success import add_success
from goplot.host.textfile import Metrics


class State(StrEnum):
    """What is to be said of a log, the first that is true."""

    UNREADABLE = "unreadable"
    OK = "ok"
    UNKNOWN_FORMAT = "unknown_format"
    LEVEL_TOO_LOW = "level_too_low"
    SILENT = "silent"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Sight:
    """The log as it is watched: `since` is when watching began, epoch seconds."""

    readable: bool
    since: float
    quiet_seconds: float
    lost: int
    cut: int


def state_of(tally: Tally, sight: Sight, now: float) -> State:
    """Whether the harvester looks plots up, or why that can't be seen."""
    quiet = sight.quiet_seconds
    if not sight.readable:
        return State.UNREADABLE
    if now - (tally.last_eligible or sight.since) <= quiet:
        return State.OK
    if tally.alike or tally.strange >= STRANGE_LINES:
        return State.UNKNOWN_FORMAT
    # A warning comes, and no INFO line came for long before it: there are none.
    if tally.last_line is not None and tally.last_line - (tally.last_info or 0) > quiet:
        return State.LEVEL_TOO_LOW
    if now - (tally.last_line or sight.since) > quiet:
        return State.SILENT
    return State.QUIET


def metrics_of(tally: Tally, sight: Sight, now: float) -> Metrics:
    """All metrics of the log at the time `now`."""
    metrics = Metrics()
    state = state_of(tally, sight, now)
    metrics.gauge(
        "goplot_harvester_log_up", "1 when the Chia log can be read.", int(sight.readable)
    )
    metrics.family("goplot_harvester_log_state", "gauge", "1 for what is to be said of the log.")
    for known in State:
        metrics.sample("goplot_harvester_log_state", int(known is state), {"state": known.value})
    if tally.lines or sight.readable:
        _add_reading(metrics, tally, sight)
        _add_harvester(metrics, tally, sight, now)
        _add_kinds(metrics, tally)
    add_success(metrics, {"harvester-log": now})
    return metrics


def _counter(metrics: Metrics, name: str, text: str, value: float) -> None:
    metrics.family(name, "counter", text)
    metrics.sample(name, value)


def _labelled(
    metrics: Metrics, name: str, text: str, label: str, values: Mapping[str, float]
) -> None:
    metrics.family(name, "counter", text)
    for key, value in values.items():
        metrics.sample(name, value, {label: key})


def _add_reading(metrics: Metrics, tally: Tally, sight: Sight) -> None:
    prefix = "goplot_harvester_log_"
    _counter(metrics, prefix + "lines_total", "Lines of the Chia log that were read.", tally.lines)
    _counter(
        metrics,
        prefix + "look_alikes_total",
        "Lines that look like an eligible line and match no known form.",
        tally.count(Kind.LOOK_ALIKE),
    )
    metrics.gauge(
        prefix + "unmatched_lines",
        "INFO lines of the harvester that matched nothing since its last eligible line.",
        tally.strange,
    )
    _counter(
        metrics, prefix + "cut_lines_total", "Lines too long to be read to their end.", sight.cut
    )
    _counter(
        metrics,
        prefix + "lost_files_total",
        "Files that were gone before they were read.",
        sight.lost,
    )
    for name, text, moment in (
        ("last_line", "When the last line was written.", tally.last_line),
        ("last_match", "When the last line was written that was understood.", tally.last_match),
    ):
        if moment is not None:
            metrics.gauge(f"{prefix}{name}_timestamp_seconds", text, round(moment, 3))
    lines: dict[tuple[str, str], int] = {}
    for origin, count in tally.origins.items():
        _, service, level = origin.split("/")
        lines[service, level] = lines.get((service, level), 0) + count
    metrics.family("chia_log_lines_total", "counter", "Lines of the Chia log by service and level.")
    for (service, level), count in sorted(lines.items()):
        metrics.sample("chia_log_lines_total", count, {"service": service, "level": level})


def _add_harvester(metrics: Metrics, tally: Tally, sight: Sight, now: float) -> None:
    prefix = "chia_harvester_"
    age = now - (tally.last_eligible or sight.since)
    metrics.gauge(
        prefix + "quiet",
        "1 when no eligible line was written for longer than quiet_seconds.",
        int(age > sight.quiet_seconds),
    )
    metrics.gauge(
        prefix + "quiet_threshold_seconds", "The setting quiet_seconds.", sight.quiet_seconds
    )
    metrics.gauge(
        prefix + "eligible_age_seconds",
        "Time since the last eligible line, or since watching began.",
        round(age, 1),
    )
    if tally.last_eligible is not None:
        metrics.gauge(
            prefix + "last_eligible_timestamp_seconds",
            "When the last eligible line was written.",
            round(tally.last_eligible, 3),
        )
    if tally.last_eligible_plots is not None and tally.total_plots is not None:
        metrics.gauge(
            prefix + "eligible_plots", "Plots of the last lookup.", tally.last_eligible_plots
        )
        metrics.gauge(
            prefix + "log_plots", "All plots, as the last eligible line said.", tally.total_plots
        )
    _counter(
        metrics,
        prefix + "eligible_plots_total",
        "Plots that passed the filter.",
        tally.eligible_plots,
    )
    _labelled(
        metrics,
        prefix + "proofs_found_total",
        "Proofs of v1 plots, and qualities of v2 plots, that were found.",
        "version",
        {"v1": tally.proofs_v1, "v2": tally.proofs_v2},
    )
    name = prefix + "lookup_seconds"
    metrics.family(name, "histogram", "Time of lookups.")
    below = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), tally.buckets, strict=True):
        below += count
        metrics.sample(name, below, {"le": bound}, "_bucket")
    metrics.sample(name, round(tally.lookup_seconds, 5), suffix="_sum")
    metrics.sample(name, below, suffix="_count")


def _add_kinds(metrics: Metrics, tally: Tally) -> None:
    families: tuple[tuple[str, str, str, dict[str, Kind]], ...] = (
        (
            "chia_harvester_slow_lookups_total",
            "Lookups that Chia warned of.",
            "version",
            {"v1": Kind.SLOW_V1, "v2": Kind.SLOW_V2},
        ),
        (
            "chia_harvester_lookup_errors_total",
            "Lookups that failed or whose proof was dropped.",
            "reason",
            _named(
                Kind.NO_DECOMPRESSOR,
                Kind.DROPPED_COMPRESSION,
                Kind.DROPPED_PHASE_OUT,
                Kind.QUALITIES_FAILED,
                Kind.FULL_PROOF_FAILED,
                Kind.PROVER_FAILED,
            ),
        ),
        (
            "chia_harvester_plot_problems_total",
            "Lines on plots that are not farmed; Chia repeats them.",
            "problem",
            _named(
                Kind.FAILED_TO_OPEN,
                Kind.WRONG_FARMER_KEY,
                Kind.WRONG_POOL_KEY,
                Kind.DUPLICATE,
                Kind.TOO_SMALL,
                Kind.NOT_DECOMPRESSED,
            ),
        ),
        (
            "chia_farmer_pool_errors_total",
            "Errors with pools.",
            "reason",
            {
                "answer": Kind.POOL_ERROR,
                "partial_failed": Kind.PARTIAL_FAILED,
                "unreachable": Kind.POOL_UNREACHABLE,
            },
        ),
    )
    for name, text, label, kinds in families:
        counts = {key: tally.count(kind) for key, kind in kinds.items()}
        _labelled(metrics, name, text, label, counts)
    for name, text, kind in (
        ("chia_harvester_refreshes_total", "Looks at all plot folders.", Kind.REFRESHED),
        ("chia_farmer_partials_total", "Partials that were submitted.", Kind.PARTIAL),
        ("chia_farmer_pool_answers_total", "Answers of pools.", Kind.POOL_RESPONSE),
        ("chia_harvester_starts_total", "Starts of the harvester.", Kind.STARTED),
        ("chia_full_node_signage_points_total", "Finished signage points.", Kind.SIGNAGE_POINT),
        (
            "chia_full_node_unknown_signage_points_total",
            "Proofs for a signage point that the full node does not know.",
            Kind.UNKNOWN_SIGNAGE_POINT,
        ),
        ("chia_full_node_farmed_blocks_total", "Blocks farmed.", Kind.FARMED_BLOCK),
        ("chia_log_daemon_unreachable_total", "Lines on an unreachable daemon.", Kind.NO_DAEMON),
    ):
        _counter(metrics, name, text, tally.count(kind))
    for name, text, kind in (
        ("chia_log_peers_lost_total", "Connections to peers that ended.", Kind.PEER_LOST),
        ("chia_log_connect_failures_total", "Peers not reached.", Kind.NOT_CONNECTED),
    ):
        metrics.family(name, "counter", text)
        # A series that begins with its first event would hide it from rate().
        for service in ("full_node", "farmer", "harvester", "wallet"):
            count = tally.connections.get(f"{kind}/{service}", 0)
            metrics.sample(name, count, {"service": service})


def _named(*kinds: Kind) -> dict[str, Kind]:
    return {kind.value: kind for kind in kinds}
