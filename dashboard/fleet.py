"""Fleet: all hosts at a glance, and goplot's own health."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import machine, parts
from dashboard.parts import BAD, BLUE, GOOD, GREY, ORANGE, PURPLE, SKY, WARNING, Look
from dashboard.selectors import of, total

_RATE = "[$__rate_interval]"
_ROOT = 'mountpoint="/"'


def board() -> build.Dashboard:
    """The dashboard."""
    return parts.page(
        "goplot-fleet",
        "Fleet",
        "All hosts at a glance, the machine under each, and goplot's own health.",
        [*_summary(), *_hosts(), "Machines", *_machines(), "goplot itself", *_goplot()],
    )


def _by(metric: str, *matchers: str) -> str:
    return f"max by (instance) ({of(metric, *matchers)})"


def _summary() -> list[parts.Panel]:
    return [
        parts.single(
            "Hosts",
            "Hosts of the inventory that are monitored.",
            f"count({of('up')})",
            Look("none", empty="No host is scraped", **parts.SMALL),
        ),
        parts.single(
            "Hosts down",
            "Hosts that do not answer.",
            f"sum(1 - {of('up')})",
            Look("none", steps=parts.SOME_IS_BAD, empty="No host is scraped", **parts.SMALL),
        ),
        parts.single(
            "Active alerts",
            "Firing alerts of the selected hosts.",
            "count(count by (alertname, instance, farm, disk, harvester) "
            '(ALERTS{alertstate="firing",severity!="info",instance=~"$instance"}))'
            " or vector(0)",
            Look("none", steps=parts.SOME_IS_WARNING, **parts.SMALL),
        ),
        parts.single(
            "Stale textfiles",
            "Metrics files that have not been written for five minutes.",
            f"count({of('instance_file:node_textfile_age:seconds', _OURS)} > 300) or vector(0)",
            Look("none", steps=parts.SOME_IS_WARNING, **parts.SMALL),
        ),
        parts.single(
            "Bad tunables",
            "Tunables whose file holds an invalid value.",
            f"sum(1 - {of('goplot_tunable_valid')})",
            Look(
                "none",
                steps=parts.SOME_IS_WARNING,
                empty="No plotter among the selected hosts",
                **parts.SMALL,
            ),
        ),
        parts.single(
            "Annotations waiting",
            "Starts and stops that have not been sent to Grafana yet.",
            total("goplot_annotations_waiting"),
            Look(
                "none",
                steps=parts.SOME_IS_WARNING,
                empty="No plotter among the selected hosts",
                **parts.SMALL,
            ),
        ),
    ]


_OURS = 'file=~"goplot_.+"'


def _hosts() -> list[parts.Panel]:
    busy = parts.coloured((None, GOOD), (0.9, WARNING))
    share = [parts.unit("percentunit"), parts.decimals(0)]
    root, size = _by("node_filesystem_avail_bytes", _ROOT), _by("node_filesystem_size_bytes", _ROOT)
    free, memory = _by("node_memory_MemAvailable_bytes"), _by("node_memory_MemTotal_bytes")
    return [
        parts.table(
            "Every host",
            "Every host with its groups and its state.",
            [
                ("Up", f"max by (instance, groups) ({of('up')})", parts.named(parts.YES_NO)),
                ("Uptime", f"time() - {_by('node_boot_time_seconds')}", [parts.unit("s")]),
                ("CPU", _by("instance:node_cpu_busy:ratio_rate5m"), [*share, *parts.gauge()]),
                ("Memory", f"1 - {free} / {memory}", [*share, *parts.gauge()]),
                ("Root used", f"1 - {root} / {size}", [*share, *busy]),
                (
                    "Clock off",
                    f"max by (instance) (abs({of('node_time_seconds')} - timestamp("
                    f"{of('node_time_seconds')})))",
                    [
                        parts.unit("s"),
                        parts.decimals(1),
                        *parts.coloured((None, GOOD), (2, WARNING), (5, BAD)),
                    ],
                ),
                ("Plots running", _by("goplot_plots_running"), []),
                ("Plots farmed", _by("instance:chia_harvester_plots:sum"), [parts.unit("locale")]),
            ],
            {"instance": "Host", "groups": "Groups"},
            Look("none", width=24, height=10, empty="No host is scraped"),
        ),
    ]


def _machines() -> list[parts.Panel]:
    network = 'device!~"lo|veth.*|docker.*|br.*"'
    return [
        machine.cpu(),
        parts.lines(
            "Memory",
            "Used share of memory of each host; the top eight.",
            [
                (
                    f"topk(8, 1 - {_by('node_memory_MemAvailable_bytes')}"
                    f" / {_by('node_memory_MemTotal_bytes')})",
                    "{{instance}}",
                )
            ],
            Look("percentunit", width=8, high=1),
        ),
        machine.pressure(),
        machine.cpu_modes(),
        machine.memory_kinds(),
        parts.lines(
            "Network",
            "Bytes per second of all selected hosts.",
            [
                (f"sum(rate({of(f'node_network_{way}_bytes_total', network)}{_RATE}))", name)
                for way, name in (("receive", "received"), ("transmit", "sent"))
            ],
            Look("Bps", colours={"received": SKY, "sent": BLUE}),
        ),
        parts.lines(
            "Load",
            "15 minute load average of each host; the highest eight.",
            [(f"topk(8, {_by('node_load15')})", "{{instance}}")],
            Look("none"),
        ),
    ]


def _goplot() -> list[parts.Panel]:
    success = of("goplot_last_success_timestamp_seconds")
    return [
        parts.table(
            "Programs of goplot",
            "Time since each program last did its work.",
            [
                (
                    "Last success",
                    f"max by (instance, program) ({success}) * 1000",
                    [parts.unit("dateTimeFromNow")],
                )
            ],
            {"instance": "Host", "program": "Program"},
            Look("none", width=8, empty="No program of goplot runs here"),
        ),
        parts.lines(
            "Age of textfiles",
            "Time since goplot's metrics files were written: the oldest of each kind.",
            [
                (
                    f"max by (file) ({of('instance_file:node_textfile_age:seconds', _OURS)})",
                    "{{file}}",
                )
            ],
            Look(
                "s",
                width=8,
                empty="No textfile of goplot",
                colours={
                    "goplot_plotter.prom": BLUE,
                    "goplot_farmer.prom": ORANGE,
                    "goplot_harvester.prom": GOOD,
                    "goplot_harvester_log.prom": PURPLE,
                },
            ),
        ),
        parts.table(
            "Versions",
            "Hosts by version of goplot and of Chia's services.",
            [
                (
                    "Hosts",
                    f"count by (service, version) ({of('chia_version_info')}"
                    f' or label_replace({of("goplot_build_info")}, "service", "goplot", "", ""))',
                    [],
                )
            ],
            {"service": "Service", "version": "Version"},
            Look("none", width=8, empty="No version is reported"),
        ),
        parts.lines(
            "Time to evaluate rules",
            "How long Prometheus takes to evaluate each group of rules.",
            [
                (
                    "max by (group) (label_replace("
                    'prometheus_rule_group_last_duration_seconds{job="prometheus"}, '
                    '"group", "$1", "rule_group", ".+;(.+)"))',
                    "{{group}}",
                )
            ],
            Look("s", empty="Prometheus does not scrape itself"),
        ),
        parts.lines(
            "Time series",
            "Number of time series in Prometheus.",
            [('sum(prometheus_tsdb_head_series{job="prometheus"})', "series")],
            Look("locale", colours={"series": GREY}, empty="Prometheus does not scrape itself"),
        ),
    ]
