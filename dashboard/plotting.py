"""Plotting: what runs, how fast, and why no plot starts."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import machine, parts
from dashboard.parts import (
    BAD,
    BLUE,
    GOOD,
    GREEN,
    GREY,
    LIMIT,
    NEUTRAL,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    WARNING,
    YELLOW,
    Look,
)
from dashboard.selectors import highest, least, most, of, total

_NO_PLOTTER = "No plotter among the selected hosts"
_NO_PLOT = "No plot runs"
#: Phases in their order, as the timeline shows them; the record numbers them alike.
PHASES = {
    "start": ("start", GREY),
    "1": ("1", BLUE),
    "2": ("2", SKY),
    "3": ("3", GREEN),
    "4": ("4", YELLOW),
    "verify": ("verify", PURPLE),
    "copy": ("copy", ORANGE),
    "stranded": ("stranded", RED),
}
_FULL = ((None, NEUTRAL), (0.9, WARNING), (0.98, BAD))


def board() -> build.Dashboard:
    """The dashboard."""
    return parts.page(
        "goplot-plotting",
        "Plotting",
        "What runs, how fast, and why no plot starts. Starts and stops are marked.",
        [
            *_pacing(),
            "Plots",
            *_plots(),
            "Space",
            *_space(),
            "Machine",
            *_machine(),
        ],
        marked=(
            "Plots running against max_plots",
            "goplot load against load_max",
            "Why no plot starts",
        ),
    )


def _pacing() -> list[parts.Panel]:
    small: parts.Sized = {**parts.SMALL, "empty": _NO_PLOTTER}
    used = of("goplot_disk_used_bytes")
    return [
        parts.single(
            "Plots running",
            "Plots that are running on all selected hosts.",
            total("goplot_plots_running"),
            Look("none", **small),
        ),
        parts.single(
            "Plots in 24 h",
            "Plots that were created, verified and delivered in the last day.",
            total("instance:goplot_plots_finished:increase1d"),
            Look("none", **small),
        ),
        parts.single(
            "Failed in 24 h",
            "Plot jobs that ended without a plot in the last day.",
            f"{total('instance_reason:goplot_plots_failed:increase1d')} or vector(0)",
            Look("none", decimals=0, steps=((None, GOOD), (0.5, WARNING), (3, BAD)), **small),
        ),
        parts.single(
            "Bytes in 24 h",
            "Growth of the used disk space since a day ago.",
            f"sum({used} - {used} offset 1d)",
            Look("bytes", decimals=2, width=4, height=4, low=None, empty="Less than a day of data"),
        ),
        parts.single(
            "Pacers down",
            "Pacers that do not check their conditions. Running plots continue without them.",
            f"sum(1 - {of('goplot_pacer_up')})",
            Look("none", steps=parts.SOME_IS_BAD, **small),
        ),
        parts.single(
            "Undelivered plots",
            "Finished plots in temp farms: those that fit on no disk wait for one, those that no "
            "job delivers wait for you.",
            f"{total('goplot_plots_stranded')} + ({total('goplot_plots_kept')} or vector(0))",
            Look("none", steps=parts.SOME_IS_BAD, **small),
        ),
        parts.lines(
            "Plots running against max_plots",
            "Running plots of all selected hosts, and the maximum that may run.",
            [
                (total("goplot_plots_running"), "running"),
                (total("goplot_max_plots"), "max_plots"),
                (total("goplot_foreign_plots_running"), "started by hand"),
            ],
            Look(
                "none",
                empty=_NO_PLOTTER,
                colours={"running": BLUE, "max_plots": LIMIT, "started by hand": PURPLE},
            ),
        ),
        parts.lines(
            "goplot load against load_max",
            "(5 min + 15 min load average) / 2: the highest of the hosts, and their least limit.",
            [
                (most("goplot_load"), "goplot load"),
                (least("goplot_load_max"), "load_max"),
            ],
            Look("none", empty=_NO_PLOTTER, colours={"goplot load": ORANGE, "load_max": LIMIT}),
        ),
        parts.lines(
            "Why no plot starts",
            "Hosts by the reason that delays their next start. plot_gap is pacing.",
            [(f"sum by (reason) ({of('goplot_start_blocked')}) > 0", "{{reason}}")],
            Look(
                "none",
                stacked=True,
                empty="No pacer runs, or nothing delays a start",
                colours={
                    "plot_gap": SKY,
                    "max_plots": LIMIT,
                    "toggle": "#332288",
                    "load": ORANGE,
                    "memory": BLUE,
                    "disk_space": PURPLE,
                    "no_disk": RED,
                    "temp_space": GREEN,
                    "no_temp": "#882255",
                    "backoff": "#44AA99",
                    "fault": "#000000",
                    "settings": "#DDCC77",
                    "disk_refused": "#661100",
                    "disk_limit": "#AA4499",
                    "temp_limit": YELLOW,
                },
            ),
        ),
        parts.lines(
            "Plots a day",
            "Plots finished and failed in the preceding day.",
            [
                (total("instance:goplot_plots_finished:increase1d"), "finished"),
                (total("instance_reason:goplot_plots_failed:increase1d"), "failed"),
            ],
            Look("none", empty=_NO_PLOTTER, colours={"finished": GOOD, "failed": BAD}),
        ),
        parts.table(
            "Plotters",
            "Every plotter with its limits and free space.",
            [
                ("Running", _by_host("goplot_plots_running"), []),
                ("max_plots", _by_host("goplot_max_plots"), []),
                ("Load", _by_host("goplot_load"), [parts.decimals(1)]),
                ("load_max", _by_host("goplot_load_max"), []),
                ("plot_gap", _by_host("goplot_plot_gap_seconds"), [parts.unit("s")]),
                ("Mean plot", _by_host("instance:goplot_plot:mean_seconds7d"), [parts.unit("s")]),
                ("Free on disks", _by_host("goplot_disk_available_bytes"), [parts.unit("bytes")]),
                (
                    "Hours left",
                    _by_host("instance:goplot_disks:hours_left"),
                    [parts.decimals(0), *parts.coloured((None, BAD), (24, WARNING), (72, GOOD))],
                ),
            ],
            {"instance": "Host"},
            Look("none", width=24, empty=_NO_PLOTTER),
        ),
    ]


def _by_host(metric: str) -> str:
    return f"sum by (instance) ({of(metric)})"


def _plots() -> list[parts.Panel]:
    age = "goplot_plot_age_seconds"
    names = {str(number): shown for number, shown in enumerate(PHASES.values())}
    start = of("instance_index:goplot_plot_start:timestamp_seconds")
    total = "instance_phase:goplot_plot_phase_seconds"
    return [
        parts.timeline(
            "Phases of running plots",
            "Every plot from start to end, by phase; the newest twenty.",
            [
                (
                    f"{of('instance_index:goplot_plot_phase:number')} and on (instance, index) "
                    f"topk(20, last_over_time({start}[$__range] @ end()))",
                    "{{instance}} #{{index}}",
                )
            ],
            Look("none", width=24, height=13, names=names, empty=_NO_PLOT, low=None),
        ),
        parts.table(
            "Running plots",
            "Every plot with its temp farm, destination and progress.",
            [
                (
                    "Progress",
                    "max by (instance, index, farm, disk, temp_farm, phase) "
                    f"({of('goplot_plot_progress_ratio')})",
                    [parts.unit("percentunit"), *parts.gauge()],
                ),
                (
                    "Age",
                    f"max by (instance, index, farm, disk, temp_farm, phase) ({of(age)})",
                    [parts.unit("s")],
                ),
            ],
            {
                "instance": "Host",
                "index": "Plot",
                "temp_farm": "Temp farm",
                "farm": "Farm",
                "disk": "Disk",
                "phase": "Phase",
            },
            Look("none", width=24, empty=_NO_PLOT),
        ),
        parts.lines(
            "Time by phase",
            "Mean time of each phase of the plots that ended in the preceding day.",
            [
                (
                    f"sum by (phase) ({of(total + '_sum:increase1d')})"
                    f" / (sum by (phase) ({of(total + '_count:increase1d')}) > 0)",
                    "{{phase}}",
                )
            ],
            Look(
                "s",
                stacked=True,
                empty="No plot ended in the preceding day",
                colours={phase: colour for phase, (_, colour) in PHASES.items()},
            ),
        ),
        parts.lines(
            "Failed plots by reason",
            "Plot jobs without a plot in the preceding day, by reason.",
            [
                (
                    f"sum by (reason) ({of('instance_reason:goplot_plots_failed:increase1d')}) > 0",
                    "{{reason}}",
                )
            ],
            Look("none", empty="No plot failed in the preceding day"),
        ),
    ]


def _space() -> list[parts.Panel]:
    def fill(used: str, size: str, label: str) -> str:
        by = f"sum by (instance, {label})"
        return f"topk(20, {by} ({of(used)}) / {by} ({of(size)}))"

    size: parts.Sized = {"width": 12, "height": 8, "empty": _NO_PLOTTER}
    return [
        parts.bars(
            "Fill of temp farms",
            "Used share of each temp farm; the top twenty.",
            [
                (
                    fill("goplot_temp_used_bytes", "goplot_temp_size_bytes", "temp_farm"),
                    "{{instance}} temp farm {{temp_farm}}",
                )
            ],
            Look("percentunit", steps=_FULL, high=1, decimals=1, **size),
        ),
        parts.bars(
            "Fill of farms",
            "Used share of all disks of each farm; the top twenty. They are meant to fill up.",
            [
                (
                    fill("goplot_disk_used_bytes", "goplot_disk_size_bytes", "farm"),
                    "{{instance}} farm {{farm}}",
                )
            ],
            Look("percentunit", steps=((None, BLUE),), high=1, decimals=1, **size),
        ),
        parts.lines(
            "Temp space",
            "Temp space of all selected hosts: used, and reserved for running plots.",
            [
                (total("goplot_temp_used_bytes"), "used"),
                (total("goplot_temp_committed_bytes"), "committed"),
                (total("goplot_temp_size_bytes"), "size"),
            ],
            Look(
                "bytes",
                empty=_NO_PLOTTER,
                colours={"used": BLUE, "committed": SKY, "size": LIMIT},
            ),
        ),
        parts.lines(
            "Throughput by bus",
            "Bytes per second that the drives of each farm number read and wrote.",
            [
                (
                    f"sum by ({label}) "
                    f"({of(f'instance_farm:node_disk_{way}_bytes:rate5m', present)})",
                    f"{label.replace('_', ' ')} {{{{{label}}}}} {way}",
                )
                for label, present in (("farm", 'farm!=""'), ("temp_farm", 'temp_farm!=""'))
                for way in ("written", "read")
            ],
            Look("Bps", empty="No drive holds a farm or a temp farm"),
        ),
    ]


def _machine() -> list[parts.Panel]:
    memory, free = of("node_memory_MemTotal_bytes"), of("node_memory_MemAvailable_bytes")
    swap, unused = of("node_memory_SwapTotal_bytes"), of("node_memory_SwapFree_bytes")
    return [
        machine.cpu(),
        parts.lines(
            "Memory and swap",
            "Used share of memory and of swap: the highest of the selected hosts.",
            [
                (f"max(1 - {free} / {memory})", "memory"),
                (f"max(1 - {unused} / ({swap} > 0))", "swap"),
            ],
            Look("percentunit", width=8, high=1, colours={"memory": BLUE, "swap": ORANGE}),
        ),
        machine.pressure(),
        machine.cpu_modes(),
        machine.memory_kinds(),
        parts.lines(
            "Temperatures",
            "The hottest sensor and the hottest drive of each host; the top six.",
            [
                (
                    f"topk(6, max by (instance) ({of('node_hwmon_temp_celsius')}))",
                    "{{instance}} board",
                ),
                (
                    highest(6, "instance:goplot_drive_temperature:max_celsius"),
                    "{{instance}} drives",
                ),
            ],
            Look("celsius", width=24, low=None, empty="No sensors: virtual machines have none"),
        ),
    ]
