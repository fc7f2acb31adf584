"""Farm: is it farming, how large is it, what does it win."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import parts
from dashboard.parts import BAD, BLUE, GOOD, ORANGE, PURPLE, RED, WARNING, Look
from dashboard.selectors import everywhere, least, most, of, total

_XCH = "1e12"
_EIB = "2^60"
# XCH of a block: 2 at first, half of it after each of four spans of three years.
_REWARD = f"2 / 2 ^ clamp_max(floor({most('chia_full_node_height')} / 5045760), 4)"
_STATUSES = {
    "farming": GOOD,
    "syncing": WARNING,
    "not_synced": BAD,
    "farmer_down": BAD,
    "no_keys": BAD,
    "unknown": PURPLE,
}
_NO_NODE = "The full node does not answer"
_FIRING = (
    "count by (alertname, instance, farm, disk, harvester) "
    '(ALERTS{alertstate="firing",severity!="info"})'
)
_NOT_SET = "The hard fork is not yet set, or no plot was made in the preceding day"
_ASKED = "No data: the farmer collector has not run yet"


def _won(days: int) -> str:
    blocks = of("chia_farmed_blocks")
    return f"sum({blocks} - {blocks} offset {days}d) / {days}"


def board() -> build.Dashboard:
    """The dashboard."""
    return parts.page(
        "goplot-farm",
        "Farm",
        "The whole farm: is it farming, how large is it, what does it win.",
        [
            *_status(),
            "Winning",
            *_winning(),
            "The chain's clock",
            *_chain(),
            "Harvesters",
            *_harvesters(),
            "Pools",
            *_pools(),
        ],
        since="now-24h",
    )


def _status() -> list[parts.Panel]:
    status = of("chia_farming_status")
    return [
        parts.single(
            "Farming status",
            "The farm's status: farming, syncing, not synced, farmer down, no keys.",
            f"max by (status) ({status} == 1)",
            Look("none", colours=_STATUSES, empty=_ASKED, **parts.SMALL),
            name="{{status}}",
        ),
        parts.single(
            "Full node",
            "Whether the full node is synced with the network.",
            least("chia_full_node_synced"),
            Look(
                "none",
                names={"1": ("synced", GOOD), "0": ("not synced", BAD)},
                empty=_NO_NODE,
                **parts.SMALL,
            ),
        ),
        parts.single(
            "Harvesters connected",
            "Harvesters that the farmer is connected to.",
            total("chia_farmer_harvester_connected"),
            Look("none", steps=parts.SOME_IS_GOOD, empty=_ASKED, **parts.SMALL),
        ),
        parts.single(
            "Active alerts",
            "Alerts that are firing and need attention; the table below lists them.",
            f"count({_FIRING}) or vector(0)",
            Look("none", steps=parts.SOME_IS_WARNING, **parts.SMALL),
        ),
        parts.single(
            "Plots",
            "Plots that all connected harvesters farm.",
            total("chia_farmer_harvester_plots"),
            Look("locale", empty=_ASKED, **parts.SMALL),
        ),
        parts.single(
            "Size",
            "Bytes of all farmed plots.",
            total("chia_farmer_harvester_bytes"),
            Look("bytes", decimals=2, empty=_ASKED, **parts.SMALL),
        ),
        parts.single(
            "Height",
            "Height of the full node's peak.",
            most("chia_full_node_height"),
            Look("locale", empty=_NO_NODE, **parts.SMALL),
        ),
        parts.single(
            "Peers",
            "Full nodes that this one is connected to.",
            f"{total('chia_peers', _service('full_node'), _kind('full_node'))}"
            f" or 0 * {most('chia_full_node_synced')}",
            Look("none", steps=((None, WARNING), (3, GOOD)), empty=_NO_NODE, **parts.SMALL),
        ),
        parts.single(
            "Netspace",
            "Estimated space of the whole network.",
            most("chia_netspace_bytes"),
            Look("bytes", decimals=2, empty=_NO_NODE, **parts.SMALL),
        ),
        parts.single(
            "Difficulty",
            "Difficulty of the network.",
            most("chia_full_node_difficulty"),
            Look("locale", empty=_NO_NODE, **parts.SMALL),
        ),
        parts.single(
            "Expected time to win",
            "Mean time to a win with this farm's share of the netspace. Chance decides each win.",
            least("chia_expected_win_seconds"),
            Look("s", decimals=1, empty="No plots, or the netspace is unknown", **parts.SMALL),
        ),
        parts.single(
            "Last win",
            "Time since the last block that was won.",
            f"time() - max({of('chia_last_farmed_timestamp_seconds')})",
            Look("s", decimals=1, empty="Nothing won yet", **parts.SMALL),
        ),
        parts.table(
            "Active alerts",
            "Firing alerts with their severity and place; each has a runbook.",
            [
                (
                    "Since",
                    "max by (severity, alertname, instance, farm, disk, harvester) "
                    "(ALERTS_FOR_STATE * on (alertname, instance) group_left (severity) "
                    'max by (alertname, instance, severity) (ALERTS{alertstate="firing"})) * 1000',
                    [parts.unit("dateTimeFromNow")],
                )
            ],
            {
                "severity": "Severity",
                "alertname": "Alert",
                "instance": "Host",
                "farm": "Farm",
                "disk": "Disk",
                "harvester": "Harvester",
            },
            Look("none", width=24, height=7, empty="No alert is firing"),
        ),
    ]


def _service(name: str) -> str:
    return f'service="{name}"'


def _kind(name: str) -> str:
    return f'type="{name}"'


def _winning() -> list[parts.Panel]:
    farmed = of("chia_farmed_mojo")
    small: parts.Size = {"width": 3, "height": 4}
    panels = [
        parts.single(
            "Wins a day, est.",
            "Average wins per day with this farm's share of the netspace.",
            f"86400 / min({of('chia_expected_win_seconds')})",
            Look("none", empty="No plots, or the netspace is unknown", decimals=2, **small),
        )
    ]
    panels += [
        parts.single(
            f"Wins a day, {days} d",
            f"Blocks won per day, over the last {days} days.",
            _won(days),
            Look("none", empty="No wallet data for that long", decimals=2, **small),
        )
        for days in (1, 3, 7)
    ]
    panels.append(
        parts.single(
            "XCH farmed",
            "Everything farmed since the wallet's first block.",
            f"sum({farmed}) / {_XCH}",
            Look("none", empty="The wallet does not answer", decimals=2, **small),
        )
    )
    panels += [
        parts.single(
            f"XCH, {days} d",
            f"Farmed within the last {days} days.",
            f"sum({farmed} - {farmed} offset {days}d) / {_XCH}",
            Look("none", empty="No wallet data for that long", decimals=2, **small),
        )
        for days in (1, 3, 7)
    ]
    return [
        *panels,
        parts.lines(
            "XCH a day",
            "Farmed in the preceding day, and the mean by this farm's share of the netspace.",
            [
                (f"sum({farmed} - {farmed} offset 1d) / {_XCH}", "farmed a day"),
                (f"86400 / {least('chia_expected_win_seconds')} * {_REWARD}", "estimated a day"),
            ],
            Look(
                "suffix: XCH",
                width=24,
                empty="The wallet and the full node do not answer",
                colours={"farmed a day": GOOD, "estimated a day": ORANGE},
            ),
        ),
        parts.lines(
            "Netspace",
            "Estimated space of the whole network over time.",
            [(f"{most('chia_netspace_bytes')} / {_EIB}", "netspace")],
            # Axes in bytes have no ticks beyond 2^53.
            Look("suffix: EiB", colours={"netspace": PURPLE}, low=None, decimals=2),
        ),
        parts.lines(
            "Expected time to win",
            "Mean time to a win over time: it falls with more plots and rises with netspace.",
            [(f"{least('chia_expected_win_seconds')} / 86400", "expected")],
            Look(
                "suffix: days",
                colours={"expected": ORANGE},
                empty="No plots, or the netspace is unknown",
            ),
        ),
    ]


def _chain() -> list[parts.Panel]:
    def latest(name: str) -> str:
        return f"max by (event) ({of(name)})"

    known, seconds = latest("chia_chain_event_set"), latest("chia_chain_event_seconds")
    states = {
        "0": ("not yet set", parts.GREY),
        "1": ("ahead", parts.NEUTRAL),
        "2": ("passed", parts.GREY),
    }
    tall: parts.Size = {"width": 3, "height": 8}
    return [
        parts.table(
            "Changes on the chain",
            "When the chain changes what plots earn: by the full node's heights, at 4608 blocks "
            "a day.",
            [
                ("State", f"{known} + ({seconds} <= bool 0) or {known}", parts.named(states)),
                (
                    "In",
                    f"{seconds} / 86400 > 0",
                    [parts.unit("suffix: days"), parts.decimals(1)],
                ),
                ("Height", latest("chia_chain_event_height"), [parts.unit("locale")]),
            ],
            {"event": "Change"},
            Look(
                "none",
                width=12,
                height=8,
                empty="The full node is not synced, or its Chia is older than 2.7.2",
            ),
        ),
        parts.bars(
            "What v1 plots count",
            "The share of a v1 plot's proofs that still win, so many days from now.",
            [(f"sort_desc(max by (days) ({of('chia_v1_win_ratio')}))", "in {{days}} days")],
            Look(
                "percentunit",
                width=6,
                height=8,
                high=1,
                empty="The hard fork's height is not yet set",
            ),
        ),
        parts.single(
            "Replotting starts within",
            "Time until the last day to start replacing v1 plots one for one, at the last day's "
            "rate: each day later costs. Negative: it has passed.",
            f"min({everywhere('job:chia_replot_start:seconds')})",
            Look("s", decimals=1, steps=((None, BAD), (0, GOOD)), empty=_NOT_SET, **tall),
        ),
        parts.single(
            "A day's delay costs",
            "What starting to replot a day later than now loses, of the v1 plots' wins of one "
            "full day.",
            f"max({everywhere('job:chia_replot_delay:ratio')})",
            Look(
                "percentunit", decimals=1, steps=((None, GOOD), (0.01, BAD)), empty=_NOT_SET, **tall
            ),
        ),
    ]


def _harvesters() -> list[parts.Panel]:
    def seen(name: str) -> str:
        return f"max by (harvester) ({of(name)})"

    bad = parts.coloured((None, GOOD), (1, RED))
    return [
        parts.table(
            "Harvesters",
            "Every harvester as the farmer sees it.",
            [
                ("Connected", seen("chia_farmer_harvester_connected"), parts.named(parts.YES_NO)),
                ("Plots", seen("chia_farmer_harvester_plots"), [parts.unit("locale")]),
                ("Size", seen("chia_farmer_harvester_bytes"), [parts.unit("bytes")]),
                (
                    "Effective size",
                    seen("chia_farmer_harvester_effective_bytes"),
                    [parts.unit("bytes")],
                ),
                ("Can't be opened", seen("chia_farmer_harvester_failed_plots"), bad),
                ("Missing keys", seen("chia_farmer_harvester_missing_keys"), bad),
                ("Duplicates", seen("chia_farmer_harvester_duplicates"), bad),
                (
                    "Full sync",
                    f"{seen('chia_farmer_harvester_last_sync_timestamp_seconds')} * 1000",
                    [parts.unit("dateTimeFromNow")],
                ),
            ],
            {"harvester": "Harvester"},
            Look("none", width=24, height=8, empty="The farmer knows no harvester"),
        ),
        parts.lines(
            "Eligible plots",
            "Plots per minute that pass the filter, of all harvesters.",
            [
                (
                    f"sum(rate({everywhere('chia_harvester_eligible_plots_total')}"
                    "[$__rate_interval])) * 60",
                    "eligible",
                )
            ],
            Look("none", colours={"eligible": BLUE}, empty="No harvester logs lookups"),
        ),
        parts.lines(
            "Plots by harvester",
            "Plots that each harvester farms; the top eight.",
            [(f"topk(8, {seen('chia_farmer_harvester_plots')})", "{{harvester}}")],
            Look("none", empty=_ASKED),
        ),
    ]


def _pools() -> list[parts.Panel]:
    partials = of("chia_pool_partials_total")
    return [
        parts.lines(
            "Partials",
            "Partials in the preceding hour, by the pool's result.",
            [(f"sum by (result) (increase({partials}[1h]))", "{{result}}")],
            Look(
                "none",
                stacked=True,
                empty="This farm is in no pool",
                colours={
                    "valid": GOOD,
                    "stale": WARNING,
                    "invalid": BAD,
                    "insufficient": PURPLE,
                    "missing": parts.GREY,
                },
            ),
        ),
        parts.lines(
            "Points acknowledged",
            "Points that the pool acknowledged in the last day.",
            [(f"sum by (pool) ({of('chia_pool_points_acknowledged_24h')})", "{{pool}}")],
            Look("none", empty="This farm is in no pool"),
        ),
    ]
