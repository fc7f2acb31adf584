"""The building blocks of all dashboards: colours, selectors, panels, variables, links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from grafana_foundation_sdk.builders import bargauge, common, heatmap, stat, statetimeline
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus as query
from grafana_foundation_sdk.builders import table as table_panel
from grafana_foundation_sdk.builders import timeseries as lines_panel
from grafana_foundation_sdk.models import common as commons
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as queries

# Okabe and Ito's palette: distinguishable by colour-blind people, on dark and light backgrounds.
BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, RED, PURPLE, GREY = "#E69F00", "#D55E00", "#CC79A7", "#999999"
GOOD, WARNING, BAD, NEUTRAL = GREEN, ORANGE, RED, SKY
LIMIT = GREY

#: Shown by a panel that is empty for an unknown reason.
NO_DATA = "No data in this time range"

DATASOURCE = commons.DataSourceRef(type_val="prometheus", uid="${datasource}")
# Grafana's own colour-blind safe scheme, which the SDK does not know yet: the same colours.
_SAFE_PALETTE: Any = "palette-colorblind"
_SEVERITIES = {"critical": RED, "warning": ORANGE, "info": SKY}
#: Columns that need less room than others; pixels.
_WIDTHS = {"farm": 70, "temp_farm": 110, "drive": 110}


class Size(TypedDict):
    """What a Look says of a panel's size."""

    width: int
    height: int


class Sized(Size):
    """The same, and what an empty panel says."""

    empty: str


#: A panel with one number, and thresholds for numbers that should be zero, or should not.
SMALL: Size = {"width": 4, "height": 4}
SOME_IS_GOOD = ((None, BAD), (1, GOOD))
SOME_IS_WARNING = ((None, GOOD), (1, WARNING))
SOME_IS_BAD = ((None, GOOD), (1, BAD))

Targets = Sequence[tuple[str, str]]
Panel = Any
Property = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Look:
    """How a panel shows its values; `colours` by series name, `steps` by value from the lowest.

    `interval` is the least step between two values over time, for what happens seldom.
    """

    unit: str
    width: int = 12
    height: int = 8
    empty: str = NO_DATA
    colours: Mapping[str, str] | None = None
    steps: Sequence[tuple[float | None, str]] = ((None, NEUTRAL),)
    names: Mapping[str, tuple[str, str]] | None = None
    low: float | None = 0
    high: float | None = None
    decimals: int | None = None
    stacked: bool = False
    interval: str | None = None


def single(title: str, text: str, expr: str, look: Look, *, name: str = "") -> Panel:
    """The last value, large; with `name`, a legend, the series' name instead."""
    panel = _common(stat.Panel(), title, text, [(expr, name)], look, instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.graph_mode(commons.BigValueGraphMode.NONE)
    panel.color_mode(commons.BigValueColorMode.VALUE)
    mode = commons.BigValueTextMode
    return panel.text_mode(mode.NAME if name else mode.VALUE)


def lines(title: str, text: str, targets: Targets, look: Look) -> Panel:
    """Values over time; series without a colour get those of Grafana's safe palette."""
    panel = _common(lines_panel.Panel(), title, text, targets, look)
    filled = 40 if look.stacked else 8 if look.colours else 0
    panel.line_width(2).fill_opacity(filled)
    panel.axis_soft_max(0.1 if look.unit == "percentunit" else 1)
    panel.show_points(commons.VisibilityMode.NEVER)
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(commons.TooltipDisplayMode.MULTI)
        .sort(commons.SortOrder.DESCENDING)
    )
    panel.legend(
        common.VizLegendOptions()
        .display_mode(commons.LegendDisplayMode.LIST)
        .placement(commons.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    if look.stacked:
        panel.stacking(common.StackingConfig().mode(commons.StackingMode.NORMAL).group("A"))
    if not look.colours:
        panel.color_scheme(build.FieldColor().mode(_SAFE_PALETTE))
    return panel


def timeline(title: str, text: str, targets: Targets, look: Look) -> Panel:
    """States over time, a row a series; `look.names` gives text and colour of each value."""
    panel = _common(statetimeline.Panel(), title, text, targets, look)
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    return panel.show_value(commons.VisibilityMode.AUTO).row_height(0.8).merge_values(True)


def bars(title: str, text: str, targets: Targets, look: Look) -> Panel:
    """A bar a series, filled as far as its last value goes."""
    panel = _common(bargauge.Panel(), title, text, targets, look, instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.orientation(commons.VizOrientation.HORIZONTAL)
    return panel.display_mode(commons.BarGaugeDisplayMode.BASIC)


def heat(title: str, text: str, targets: Targets, look: Look) -> Panel:
    """A histogram over time, from its buckets."""
    panel = _common(heatmap.Panel(), title, text, targets, look)
    for target in panel._internal.targets:
        target.format_val = queries.PromQueryFormat.HEATMAP
    colour = heatmap.HeatmapColorOptions().scheme("Blues").steps(32)
    panel.cell_values(heatmap.CellValues().unit("locale").decimals(0))
    return panel.calculate(False).color(colour).y_axis(heatmap.YAxisConfig().unit(look.unit))


def table(
    title: str,
    text: str,
    columns: Sequence[tuple[str, str, Sequence[Property]]],
    labels: Mapping[str, str],
    look: Look,
) -> Panel:
    """A row for each set of `labels` (label: heading); a column is heading, query, properties."""
    targets = [(expr, "") for _, expr, _ in columns]
    panel = _common(table_panel.Panel(), title, text, targets, look, instant=True)
    for target in panel._internal.targets:
        target.format_val = queries.PromQueryFormat.TABLE
    # The only query with an answer names its value without a letter: it is the first one's.
    renamed = {**labels, "Value": columns[0][0]}
    order = {label: place for place, label in enumerate([*labels, "Value"])}
    for place, (heading, _, properties) in enumerate(columns):
        value = "Value" if len(columns) == 1 else f"Value #{_letter(place)}"
        renamed[value] = heading
        order[value] = len(labels) + place
        shown = [*properties, ("noValue", "-")]
        panel.override_by_name(
            heading, [model.DynamicConfigValue(id_val=key, value=item) for key, item in shown]
        )
    for label, heading in labels.items():
        panel.override_by_name(heading, _label(label))
    first = next(iter(labels.values()))
    panel.sort_by([common.TableSortByFieldState().display_name(first)])
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    kept = "|".join([*labels, "Value.*"])
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"pattern": f"^({kept})$"}}
        )
    )
    options = {"renameByName": renamed, "indexByName": order, "excludeByName": {}}
    panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=options))
    return panel.cell_height(commons.TableCellHeight.SM).min_width(60)


def unit(name: str) -> Property:
    """A column's unit."""
    return ("unit", name)


def decimals(count: int) -> Property:
    """How many decimals a column shows."""
    return ("decimals", count)


def width(pixels: int) -> Property:
    """A column's width."""
    return ("custom.width", pixels)


def coloured(*steps: tuple[float | None, str]) -> list[Property]:
    """A column whose text is coloured by value."""
    shown = [{"value": value, "color": colour} for value, colour in steps]
    return [
        ("thresholds", {"mode": "absolute", "steps": shown}),
        ("custom.cellOptions", {"type": "color-text"}),
    ]


def gauge(high: float = 1) -> list[Property]:
    """A column that shows a filled bar."""
    return [
        ("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}),
        ("min", 0),
        ("max", high),
        ("custom.minWidth", 120),
    ]


def named(names: Mapping[str, tuple[str, str]]) -> list[Property]:
    """A column whose values are shown as texts in colours."""
    options = {
        value: {"text": text, "color": colour, "index": place}
        for place, (value, (text, colour)) in enumerate(names.items())
    }
    return [
        ("mappings", [{"type": "value", "options": options}]),
        ("custom.cellOptions", {"type": "color-text"}),
    ]


YES_NO = {"1": ("yes", GOOD), "0": ("no", BAD)}


def page(
    uid: str,
    title: str,
    text: str,
    panels: Sequence[Panel | str],
    since: str = "now-6h",
    marked: Sequence[str] = (),
) -> build.Dashboard:
    """A dashboard with goplot's variables and links; a text among the panels starts a row.

    Starts and stops of plots are marked in the panels whose titles are `marked`.
    """
    board = build.Dashboard(title).uid(uid).description(text).tags(["goplot"])
    board.readonly().refresh("1m").time(since, "now").timezone("browser")
    board.tooltip(model.DashboardCursorSync.CROSSHAIR)
    for variable in _variables():
        board.with_variable(variable)
    board.link(
        build.DashboardLink("goplot")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["goplot"])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    titles = [panel if isinstance(panel, str) else panel.build().title for panel in panels]
    places = [titles.index(title) + 1 for title in marked]
    if places:
        for tag, colour in (("plot_start", BLUE), ("plot_stop", PURPLE), ("plot_notes", GREY)):
            board.annotation(_annotation(tag, colour, places))
    for number, panel in enumerate(panels, start=1):
        if isinstance(panel, str):
            board.with_row(build.Row(panel).id(number))
        else:
            board.with_panel(panel.id(number))
    return board


def _common(
    panel: Panel, title: str, text: str, targets: Targets, look: Look, *, instant: bool = False
) -> Panel:
    panel.title(title).description(text).datasource(DATASOURCE).unit(look.unit)
    panel.span(look.width).height(look.height).no_value(look.empty)
    for place, (expr, legend) in enumerate(targets):
        target = query.Dataquery().expr(expr).legend_format(legend).ref_id(_letter(place))
        target.datasource(DATASOURCE)
        panel.with_target(target.instant() if instant else target.range())
    steps = [model.Threshold(value=value, color=colour) for value, colour in look.steps]
    panel.thresholds(build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    if look.low is not None:
        panel.min(look.low)
    if look.high is not None:
        panel.max(look.high)
    if look.decimals is not None:
        panel.decimals(look.decimals)
    if look.interval is not None:
        panel.interval(look.interval)
    if look.names:
        panel.mappings([_mapping(look.names)])
    for name, colour in (look.colours or {}).items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        panel.override_by_name(name, [model.DynamicConfigValue(id_val="color", value=fixed)])
    return panel


def _mapping(names: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    options = {
        value: model.ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, (text, colour)) in enumerate(names.items())
    }
    return model.ValueMap(options=options)


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _label(label: str) -> list[model.DynamicConfigValue]:
    """How a column shows a label."""
    properties: list[Property] = [("noValue", "-")]
    if label in _WIDTHS:
        properties.append(width(_WIDTHS[label]))
    if label == "instance":
        url = "/d/goplot-fleet?var-instance=${__value.text}&${datasource:queryparam}"
        properties.append(("links", [{"title": "This host on Fleet", "url": url}]))
    if label == "severity":
        properties += named({name: (name, colour) for name, colour in _SEVERITIES.items()})
    return [model.DynamicConfigValue(id_val=key, value=value) for key, value in properties]


def _variables() -> list[Any]:
    every = model.VariableOption(text="All", value="$__all")
    hosts = 'label_values(up{job=~"$job",groups=~"$group"}, instance)'
    groups = ", ".join(
        ["all : .+", *(f"{n} : .*{n}.*" for n in ("farmer", "harvester", "plotter"))]
    )
    refresh, order = model.VariableRefresh.ON_TIME_RANGE_CHANGED, model.VariableSort
    job = build.QueryVariable("job").label("Job").query("label_values(node_uname_info, job)")
    instance = build.QueryVariable("instance").label("Host").query(hosts).refresh(refresh)
    return [
        build.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        job.datasource(DATASOURCE)
        .refresh(refresh)
        .include_all(True)
        .all_value(".+")
        .multi(True)
        .current(every)
        .hide(model.VariableHide.HIDE_VARIABLE),
        build.CustomVariable("group")
        .label("Group")
        .values(groups)
        .current(model.VariableOption(text="all", value=".+")),
        instance.datasource(DATASOURCE)
        .include_all(True)
        .all_value(".+")
        .multi(True)
        .current(every)
        .sort(order.NATURAL_ASC),
    ]


def _annotation(tag: str, colour: str, places: list[int]) -> build.AnnotationQuery:
    source = commons.DataSourceRef(type_val="grafana", uid="-- Grafana --")
    # By the SDK's own types this is not a query.
    target: Any = build.AnnotationTarget().limit(200).match_any(False).tags([tag]).type("tags")
    return (
        build.AnnotationQuery()
        .name(tag)
        .datasource(source)
        .enable(True)
        .icon_color(colour)
        .filter(build.AnnotationPanelFilter().exclude(False).ids(places))
        .target(target)
    )
