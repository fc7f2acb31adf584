"""Disks: every disk of every host, and the drives under them."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import parts
from dashboard.parts import BAD, BLUE, GOOD, GREY, NEUTRAL, SKY, WARNING, Look
from dashboard.selectors import highest, least, of, total

_BY = "instance, farm, disk"
_FILL = of("instance_disk:goplot_disk_fill:ratio")
_NONE = "No disk on the selected hosts"


def board() -> build.Dashboard:
    """The dashboard."""
    return parts.page(
        "goplot-disks",
        "Disks",
        "Every disk of every host: space, plots, health, and the hours left.",
        [*_summary(), "Every disk", *_every(), "Drives", *_drives()],
        since="now-24h",
    )


def _max(metric: str) -> str:
    return f"max by ({_BY}) ({of(metric)})"


def _placed(record: str) -> str:
    """A record's value for a drive, by the disk that is on it."""
    info = of("instance_drive:goplot_drive:info", 'disk!=""')
    return f"max by ({_BY}) ({info} * on (instance, drive) group_left () {of(record)})"


def _summary() -> list[parts.Panel]:
    small: parts.Sized = {**parts.SMALL, "empty": _NONE}
    either = f"{of('goplot_harvester_disk_mounted')} or {of('goplot_disk_mounted')}"
    return [
        parts.single(
            "Disks",
            "Disks of the selected hosts, mounted or not.",
            f"count(max by ({_BY}) ({either}))",
            Look("none", **small),
        ),
        parts.single(
            "Disks gone",
            "Disks whose folder is not a mount point now.",
            f"sum(1 - max by ({_BY}) ({either}))",
            Look("none", steps=parts.SOME_IS_BAD, **small),
        ),
        parts.single(
            "Drives failing",
            "Drives that report that they are failing.",
            total("instance_drive:goplot_drive_failing:bool"),
            Look(
                "none", steps=parts.SOME_IS_BAD, empty="No drive reports its health", **parts.SMALL
            ),
        ),
        parts.single(
            "Size",
            "Size of all mounted disks.",
            total("instance:goplot_disk_size_bytes:sum"),
            Look("bytes", decimals=2, **small),
        ),
        parts.single(
            "Room",
            "Bytes in rotation that are not reserved for a plot.",
            total("goplot_disk_available_bytes"),
            Look("bytes", decimals=2, **small),
        ),
        parts.single(
            "Hours left",
            "Until the first host has filled all of its disks, at the rate of the last day.",
            least("instance:goplot_disks:hours_left"),
            Look(
                "none",
                decimals=0,
                width=4,
                height=4,
                steps=((None, NEUTRAL), (0, BAD), (24, WARNING), (72, GOOD)),
                empty="No disk is filling up",
            ),
        ),
        parts.lines(
            "Used, committed and size",
            "All mounted disks: used space, space reserved for running plots, and size.",
            [
                (total("instance:goplot_disk_used_bytes:sum"), "used"),
                (total("instance:goplot_disk_committed_bytes:sum"), "committed"),
                (total("instance:goplot_disk_size_bytes:sum"), "size"),
            ],
            Look("bytes", empty=_NONE, colours={"used": BLUE, "committed": SKY, "size": GREY}),
        ),
        parts.lines(
            "Plots on disks and plots farmed",
            "Plot files on the disks, and those that harvesters farm.",
            [
                (total("instance:goplot_harvester_disk_plot_files:sum"), "on disks"),
                (total("instance:chia_harvester_plots:sum"), "farmed"),
            ],
            Look("locale", empty=_NONE, colours={"on disks": GREY, "farmed": GOOD}),
        ),
    ]


def _every() -> list[parts.Panel]:
    mounted = f"{of('goplot_harvester_disk_mounted')} or {of('goplot_disk_mounted')}"
    return [
        parts.table(
            "Every disk",
            "Space, plots and health of every disk, by host, farm and disk.",
            [
                (
                    "Mounted",
                    f"max by ({_BY}) ({mounted})",
                    [parts.width(90), *parts.named(parts.YES_NO)],
                ),
                (
                    "In rotation",
                    _max("goplot_disk_in_rotation"),
                    [parts.width(100), *parts.named(_ROTATION)],
                ),
                (
                    "Fill",
                    f"max by ({_BY}) ({_FILL})",
                    [parts.unit("percentunit"), parts.decimals(1), *parts.gauge()],
                ),
                ("Size", _max("instance_disk:goplot_disk_size:bytes"), [parts.unit("bytes")]),
                ("Committed", _max("goplot_disk_committed_bytes"), [parts.unit("bytes")]),
                ("Room", _max("goplot_disk_available_bytes"), [parts.unit("bytes")]),
                ("Files", _max("goplot_harvester_disk_plot_files"), [parts.width(80)]),
                ("Farmed", _max("chia_harvester_disk_plots"), [parts.width(80)]),
                ("Hours left", _max("instance_disk:goplot_disk:hours_left"), [parts.decimals(0)]),
                (
                    "Temperature",
                    _placed("instance_drive:goplot_drive_temperature:celsius"),
                    [
                        parts.unit("celsius"),
                        *parts.coloured((None, GOOD), (50, WARNING), (55, BAD)),
                    ],
                ),
                (
                    "Defects",
                    _placed("instance_drive:goplot_drive_defects:count"),
                    [parts.decimals(0), *parts.coloured((None, GOOD), (1, WARNING), (50, BAD))],
                ),
            ],
            {"instance": "Host", "farm": "Farm", "disk": "Disk"},
            Look("none", width=24, height=14, empty=_NONE),
        ),
        parts.bars(
            "Fill of disks",
            "Used share of each disk; the thirty with the most room, that one first.",
            [(f"sort(bottomk(30, {_FILL}))", _NAME)],
            Look("percentunit", height=14, steps=((None, BLUE),), high=1, decimals=1, empty=_NONE),
        ),
        parts.lines(
            "Fill of disks over time",
            "Used share of each disk; the twenty that grew most in this time range.",
            [
                (
                    f"{_FILL} and on ({_BY}) topk(20, delta({_FILL}[$__range] @ end()))",
                    _NAME,
                )
            ],
            Look("percentunit", height=14, high=1, empty=_NONE),
        ),
    ]


_NAME = "{{instance}} {{farm}}/{{disk}}"
_ROTATION = {"1": ("yes", GOOD), "0": ("out", GREY)}


_NO_DRIVE = "No drive reports its requests"


def _busiest(record: str) -> tuple[str, str]:
    """The ten drives with the highest mean over the time range, and their legend."""
    chosen = of(record)
    most = f"topk(10, avg_over_time({chosen}[$__range] @ end()))"
    return f"{chosen} and on (instance, drive) {most}", "{{instance}} {{drive}}"


def _drives() -> list[parts.Panel]:
    info = "instance, drive, serial, model, farm, disk, temp_farm"
    drive = of("instance_drive:goplot_drive:info")

    def joined(record: str) -> str:
        return f"max by ({info}) ({drive} * on (instance, drive) group_left () {of(record)})"

    failing = {"0": ("well", GOOD), "1": ("failing", BAD)}
    return [
        parts.table(
            "Drives and their places",
            "Serial numbers of drives with their farm and disk.",
            [
                ("Known", f"group by ({info}) ({drive})", [("custom.hidden", True)]),
                (
                    "Health",
                    joined("instance_drive:goplot_drive_failing:bool"),
                    parts.named(failing),
                ),
                (
                    "Temperature",
                    joined("instance_drive:goplot_drive_temperature:celsius"),
                    [parts.unit("celsius")],
                ),
            ],
            {
                "instance": "Host",
                "drive": "Drive",
                "serial": "Serial number",
                "model": "Model",
                "farm": "Farm",
                "disk": "Disk",
                "temp_farm": "Temp farm",
            },
            Look("none", width=24, height=10, empty="No drive found: node_exporter is missing"),
        ),
        parts.lines(
            "Temperature of drives",
            "The hottest drive of each host; the top eight.",
            [
                (
                    highest(8, "instance:goplot_drive_temperature:max_celsius"),
                    "{{instance}}",
                )
            ],
            Look("celsius", low=None, empty="No drive reports its temperature"),
        ),
        parts.lines(
            "Drive input and output",
            "Bytes per second of all drives of the selected hosts.",
            [(total(f"instance:node_disk_{way}_bytes:rate5m"), way) for way in ("read", "written")],
            Look("Bps", colours={"read": SKY, "written": BLUE}),
        ),
        parts.lines(
            "Time spent doing I/O",
            "Share of time in which a drive had requests; the top ten.",
            [_busiest("instance_drive:node_disk_io_time:ratio_rate5m")],
            Look("percentunit", high=1, empty=_NO_DRIVE),
        ),
        parts.lines(
            "Merged I/O",
            "Requests per second that the kernel merged into adjacent ones; the top ten.",
            [_busiest("instance_drive:node_disk_merged:rate5m")],
            Look("iops", empty=_NO_DRIVE),
        ),
    ]
