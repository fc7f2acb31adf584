"""Every plotter that goplot knows, and the result of a plotter's configuration."""

from pathlib import Path

from goplot.farm.formats import GIB, PlotFormat
from goplot.plotters import bladebit, chiapos, madmax, template
from goplot.plotters.base import PlotSettings, Plotter, PlotterSettings, Request

PLOTTERS: dict[str, Plotter] = {
    "chiapos": chiapos.PLOTTER,
    "madmax": madmax.PLOTTER,
    **bladebit.PLOTTERS,
}


def temp_need(settings: PlotterSettings, plot_format: PlotFormat) -> int:
    """The maximum bytes of one plot in its temp farm, by the settings or by the plotter."""
    if settings.temp_gib is not None:
        return int(settings.temp_gib * GIB)
    return plotter_of(settings).temp_bytes(plot_format, settings.options)


def plotter_of(settings: PlotterSettings) -> Plotter:
    """The plotter whose log and files a configured plotter writes."""
    return PLOTTERS[settings.grammar or settings.name]


def command_of(settings: PlotterSettings, request: Request) -> list[str]:
    """The command line for a plot. Raises ValueError when the plotter can't create it."""
    if settings.command:
        return template.command(settings.command, request)
    return plotter_of(settings).command(request)


def request_for(
    plot: PlotSettings, plotter: PlotterSettings, plot_format: PlotFormat, folder: Path
) -> Request:
    """The plot for a plotter to create; options as in the current settings."""
    return Request(
        program=plotter.program,
        options=plotter.options,
        format=plot_format,
        folder=folder,
        farmer_public_key=plot.farmer_public_key,
        pool_contract_address=plot.pool_contract_address,
        pool_public_key=plot.pool_public_key,
    )
