"""Panels of the machines under goplot, shared by several dashboards."""

from dashboard import parts
from dashboard.parts import BLUE, ORANGE, PURPLE, Look
from dashboard.selectors import highest, of


def cpu() -> parts.Panel:
    """The busiest hosts."""
    return parts.lines(
        "CPU",
        "Busy share of all processors of each host; the top eight.",
        [(highest(8, "instance:node_cpu_busy:ratio_rate5m"), "{{instance}}")],
        Look("percentunit", width=8, high=1),
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
