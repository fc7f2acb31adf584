"""Disks: every disk of every host, and the drives under them."""

from grafana_foundation_sdk.builders import dashboard as build

from dashboard import parts
from dashboard.parts import BAD, BLUE, GOOD, GREY, SKY, WARNING, Look
from dashboard.selectors import highest, least, of, total

_BY = "instance, farm, disk"
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


def _mounted(metric: str) -> str:
    """node_exporter's metric for a disk: for hosts that do not plot."""
    found = of(metric, 'mountpoint=~"/farm/[0-9]+/[^/]+"')
    farm = f'label_replace({found}, "farm", "$1", "mountpoint", "/farm/([0-9]+)/.+")'
    disk = f'label_replace({farm}, "disk", "$1", "mountpoint", "/farm/[0-9]+/(.+)")'
    return f"max by ({_BY}) ({disk})"


def _placed(record: str) -> str:
    """A record's value for a drive, by the disk that is on it."""
    info = of("instance_drive:goplot_drive:info", 'disk!=""')
    return f"max by ({_BY}) ({info} * on (instance, drive) group_left () {of(record)})"


_SIZE = f"{_max('goplot_disk_size_bytes')} or {_mounted('node_filesystem_size_bytes')}"


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
            f"sum({_SIZE})",
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
                steps=((None, BAD), (24, WARNING), (72, GOOD)),
                empty="No disk is filling up",
            ),
        ),
        parts.lines(
            "Used, committed and size",
            "Disks of plotters: used space, space reserved for running plots, and size.",
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
    fill = (
        f"{_max('goplot_disk_used_bytes')} / {_max('goplot_disk_size_bytes')}"
        f" or 1 - {_mounted('node_filesystem_avail_bytes')}"
        f" / {_mounted('node_filesystem_size_bytes')}"
    )
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
                ("Fill", fill, [parts.unit("percentunit"), *parts.gauge()]),
                ("Size", _SIZE, [parts.unit("bytes")]),
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
    ]


_ROTATION = {"1": ("yes", GOOD), "0": ("out", GREY)}


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
    ]
