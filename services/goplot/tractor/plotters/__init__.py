"""A module a plotter: its command line, the grammar of its log, its sizes. Pure."""

from typing import TYPE_CHECKING

from goplot.farm.formats import GIB, PlotFormat
from goplot.tractor.plotters import bladebit, chiapos, madmax, template
from goplot.tractor.plotters.base import Plotter, Request

if TYPE_CHECKING:
    from goplot.host.settings import PlotterSettings

GRAMMARS: dict[str, Plotter] = {
    "chiapos": chiapos.PLOTTER,
    "madmax": madmax.PLOTTER,
    **bladebit.PLOTTERS,
}


def temp_need(settings: "PlotterSettings", plot_format: PlotFormat) -> int:
    """Bytes that one plot takes at most in its temp farm, by the settings or by the plotter."""
    if settings.temp_gib is not None:
        return int(settings.temp_gib * GIB)
    return plotter_of(settings).temp_bytes(plot_format, settings.options)


def plotter_of(settings: "PlotterSettings") -> Plotter:
    """The plotter whose log and files a configured plotter writes."""
    return GRAMMARS[settings.grammar or settings.name]


def command_of(settings: "PlotterSettings", request: Request) -> list[str]:
    """The command line for a plot. Raises ValueError when the plotter can't make it."""
    if settings.command:
        return template.command(settings.command, request)
    return plotter_of(settings).command(request)
