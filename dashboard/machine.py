"""Panels of the machines under goplot, shared by several dashboards."""

from dashboard import parts
from dashboard.parts import BLUE, GREY, ORANGE, PURPLE, RED, SKY, YELLOW, Look
from dashboard.selectors import highest, of


def cpu() -> parts.Panel:
    """The busiest hosts."""
    return parts.lines(
        "CPU",
        "Busy share of all processors of each host; the top eight.",
        [(highest(8, "instance:node_cpu_busy:ratio_rate5m"), "{{instance}}")],
        Look("percentunit", width=8, high=1),
    )


def cpu_modes() -> parts.Panel:
    """What the processors of the selected hosts do."""
    busy = of("instance_mode:node_cpu:ratio_rate5m", 'mode!="idle"')
    return parts.lines(
        "CPU by mode",
        "Mean share of each mode. iowait: idle, while a task waits for a drive.",
        [
            (
                f"avg by (mode) ({busy})",
                "{{mode}}",
            )
        ],
        Look(
            "percentunit",
            stacked=True,
            high=1,
            colours={
                "user": BLUE,
                "nice": SKY,
                "system": ORANGE,
                "iowait": RED,
                "irq": PURPLE,
                "softirq": YELLOW,
                "steal": GREY,
            },
        ),
    )


def memory_kinds() -> parts.Panel:
    """What the memory of the selected hosts holds."""
    total, free, buffers, cached, slab = (
        f"sum({of(f'node_memory_{name}_bytes')})"
        for name in ("MemTotal", "MemFree", "Buffers", "Cached", "SReclaimable")
    )
    return parts.lines(
        "Memory by kind",
        "Memory of all selected hosts: programs, buffers, cache that can be given up, free.",
        [
            (f"{total} - {free} - {buffers} - {cached} - {slab}", "programs"),
            (buffers, "buffers"),
            (f"{cached} + {slab}", "cache"),
            (free, "free"),
        ],
        Look(
            "bytes",
            stacked=True,
            colours={"programs": BLUE, "buffers": PURPLE, "cache": SKY, "free": GREY},
        ),
    )


def pressure() -> parts.Panel:
    """What the selected hosts wait for."""
    waiting = "node_pressure_{}_waiting_seconds_total"
    return parts.lines(
        "Pressure",
        "Share of time in which tasks were waiting: the highest of the selected hosts.",
        [
            (f"max(rate({of(waiting.format(kind))}[$__rate_interval]))", kind)
            for kind in ("cpu", "io", "memory")
        ],
        Look(
            "percentunit",
            width=8,
            empty="These kernels do not report pressure",
            colours={"cpu": ORANGE, "io": PURPLE, "memory": BLUE},
        ),
    )
