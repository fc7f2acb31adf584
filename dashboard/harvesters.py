"""Harvesters: lookups, eligible plots, proofs, errors, silence."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import parts
from dashboard.parts import BAD, BLUE, GOOD, GREY, ORANGE, PURPLE, RED, WARNING, YELLOW, Look
from dashboard.selectors import highest, of, total

_NONE = "No harvester among the selected hosts"
_RATE = "[$__rate_interval]"
# harvester-log reads the log of every host with Chia; not all of them harvest.
_HARVESTS = f"and on (instance) {of('chia_harvester_up')}"
STATES = {
    "ok": ("ok", GOOD),
    "quiet": ("quiet", BAD),
    "silent": ("silent", RED),
    "level_too_low": ("level too low", YELLOW),
    "unknown_format": ("unknown format", PURPLE),
    "unreadable": ("unreadable", GREY),
}


def board() -> build.Dashboard:
    """The dashboard."""
    return parts.page(
        "goplot-harvesters",
        "Harvesters",
        "Lookups and their times, eligible plots, proofs, errors, and who is quiet.",
        [*_summary(), "Lookups", *_lookups(), "Every harvester", *_every()],
    )


def _summary() -> list[parts.Panel]:
    small: parts.Sized = {**parts.SMALL, "empty": _NONE}
    bucket = of("chia_harvester_lookup_seconds_bucket")
    return [
        parts.single(
            "Harvesters up",
            "Harvesters whose RPC answers.",
            total("chia_harvester_up"),
            Look("none", steps=parts.SOME_IS_GOOD, **small),
        ),
        parts.single(
            "Unhealthy harvesters",
            "Harvesters that do not answer or whose log shows a problem.",
            f"count({of('goplot_harvester_log_state', _NOT_OK)} == 1 {_HARVESTS} "
            f"or on (instance) {of('chia_harvester_up')} == 0) or vector(0)",
            Look("none", steps=parts.SOME_IS_BAD, **small),
        ),
        parts.single(
            "Plots",
            "Plots that the selected harvesters farm.",
            total("instance:chia_harvester_plots:sum"),
            Look("locale", width=4, height=4, empty="No selected harvester farms a plot"),
        ),
        parts.single(
            "Longest quiet",
            "Time since the last eligible line of the harvester that has been quiet for longest.",
            f"max({of('chia_harvester_eligible_age_seconds')} {_HARVESTS})",
            Look("s", steps=((None, GOOD), (120, WARNING), (300, BAD)), decimals=0, **small),
        ),
        parts.single(
            "Lookup time, 99 %",
            "99 of 100 lookups of the last hour took no longer than this.",
            f"histogram_quantile(0.99, sum by (le) (rate({bucket}[1h])))",
            Look("s", steps=((None, GOOD), (5, WARNING), (15, BAD)), decimals=2, **small),
        ),
        parts.single(
            "Proofs in 24 h",
            "Proofs found in the last day, including partials for pools.",
            f"sum(increase({of('chia_harvester_proofs_found_total')}[1d]))",
            Look("none", decimals=0, **small),
        ),
    ]


_NOT_OK = 'state!="ok"'


def _lookups() -> list[parts.Panel]:
    bucket = of("chia_harvester_lookup_seconds_bucket")
    return [
        parts.heat(
            "Lookup times",
            "Distribution of lookup times. A proof must be found within 28 seconds.",
            [(f"sum by (le) (increase({bucket}{_RATE}))", "{{le}}")],
            Look("s", empty=_NONE, interval="5m"),
        ),
        parts.lines(
            "Lookup time",
            "50, 95 and 99 % of the lookups took no longer than this.",
            [
                (f"histogram_quantile({q}, sum by (le) (rate({bucket}{_RATE})))", name)
                for q, name in ((0.5, "50 %"), (0.95, "95 %"), (0.99, "99 %"))
            ],
            Look(
                "s",
                empty=_NONE,
                interval="5m",
                colours={"50 %": BLUE, "95 %": ORANGE, "99 %": RED},
            ),
        ),
        parts.lines(
            "Slow lookups by harvester",
            "Share of lookups over five seconds in the preceding half hour; the top eight.",
            [(highest(8, "instance:chia_harvester_lookups_slow:ratio30m"), "{{instance}}")],
            Look("percentunit", empty="No lookup within half an hour"),
        ),
        parts.lines(
            "Eligible plots by harvester",
            "Plots per minute that pass the filter; the top eight.",
            [
                (
                    f"topk(8, sum by (instance) (rate({of('chia_harvester_eligible_plots_total')}"
                    f"{_RATE})) {_HARVESTS}) * 60",
                    "{{instance}}",
                )
            ],
            Look("none", empty=_NONE, interval="5m"),
        ),
        parts.lines(
            "Proofs found",
            "Proofs in the preceding hour, by plot version.",
            [
                (
                    f"sum by (version) (increase({of('chia_harvester_proofs_found_total')}[1h]))",
                    "{{version}}",
                )
            ],
            Look("none", width=8, empty=_NONE, colours={"v1": BLUE, "v2": PURPLE}),
        ),
        parts.lines(
            "Errors",
            "Lookups that failed or whose proof was dropped in the preceding hour, by reason.",
            [
                (
                    "sum by (reason) "
                    f"(increase({of('chia_harvester_lookup_errors_total')}[1h])) > 0",
                    "{{reason}}",
                )
            ],
            Look("none", width=8, empty="No lookup failed"),
        ),
        parts.lines(
            "Other warnings and errors",
            "Lines of harvester, farmer and solver in the preceding hour that goplot has no name "
            "for; `goplot harvester-log --check` counts those of a file.",
            [
                (
                    f"sum by (service, level) (increase({of('chia_log_unmatched_total')}[1h])) > 0",
                    "{{service}} {{level}}",
                )
            ],
            Look("none", width=8, empty="No such line within an hour"),
        ),
    ]


def _every() -> list[parts.Panel]:
    state, up = of("instance:goplot_harvester_log_state:number"), of("chia_harvester_up")
    names = {str(number): shown for number, shown in enumerate(STATES.values(), start=1)}

    def by(metric: str) -> str:
        return f"sum by (instance) ({of(metric)})"

    bad = parts.coloured((None, GOOD), (1, RED))
    return [
        parts.timeline(
            "State by log",
            "The state of every harvester by its log; the worst thirty.",
            [
                (
                    f"{state} and on (instance) topk(30, max_over_time({state}[$__range] @ end())"
                    f" and on (instance) max_over_time({up}[$__range] @ end()))",
                    "{{instance}}",
                )
            ],
            Look("none", width=24, names=names, empty=_NONE, low=None),
        ),
        parts.table(
            "Every harvester",
            "What each harvester reports.",
            [
                ("Up", by("chia_harvester_up"), parts.named(parts.YES_NO)),
                ("Farmers", by("chia_harvester_farmer_connections"), []),
                ("Plots", by("chia_harvester_plots"), [parts.unit("locale")]),
                ("Size", by("chia_harvester_plot_bytes"), [parts.unit("bytes")]),
                (
                    "Quiet for",
                    f"{by('chia_harvester_eligible_age_seconds')} {_HARVESTS}",
                    [parts.unit("s")],
                ),
                (
                    "Slow lookups",
                    by("instance:chia_harvester_lookups_slow:ratio30m"),
                    [parts.unit("percentunit"), *parts.coloured((None, GOOD), (0.05, RED))],
                ),
                ("Can't be opened", by("chia_harvester_failed_plots"), bad),
                ("Missing keys", by("chia_harvester_missing_keys"), bad),
            ],
            {"instance": "Host"},
            Look("none", width=24, height=10, empty=_NONE),
        ),
    ]
