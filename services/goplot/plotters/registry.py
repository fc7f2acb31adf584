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
    plotter = plotter_of(settings)
    if settings.temp2 is not None and plotter.two_temps is not None:
        return plotter.two_temps(plot_format)[0]
    return plotter.temp_bytes(plot_format, settings.options)


def temp2_need(settings: PlotterSettings, plot_format: PlotFormat) -> int:
    """The maximum bytes of one plot in its second temporary folder; 0 without one."""
    if settings.temp2 is None:
        return 0
    if settings.temp2_gib is not None:
        return int(settings.temp2_gib * GIB)
    two_temps = plotter_of(settings).two_temps
    return 0 if two_temps is None else two_temps(plot_format)[1]


def plotter_of(settings: PlotterSettings) -> Plotter:
    """The plotter whose log and files a configured plotter writes."""
    return PLOTTERS[settings.grammar or settings.name]


def command_of(settings: PlotterSettings, request: Request) -> list[str]:
    """The command line for a plot. Raises ValueError when the plotter can't create it."""
    if settings.command:
        return template.command(settings.command, request)
    return plotter_of(settings).command(request)


def request_for(
    plot: PlotSettings,
    plotter: PlotterSettings,
    plot_format: PlotFormat,
    folder: Path,
    temp2: Path | None = None,
) -> Request:
    """The plot for a plotter to create; options as in the current settings.

    Without a second temporary folder of its own its first one is both.
    """
    return Request(
        program=plotter.program,
        options=plotter.options,
        format=plot_format,
        folder=folder,
        temp2=folder if temp2 is None else temp2,
        farmer_public_key=plot.farmer_public_key,
        pool_contract_address=plot.pool_contract_address,
        pool_public_key=plot.pool_public_key,
    )
