"""The page's Bokeh figures: empty, named, on fixed ranges; the page's scripts fill their sources.

What follows the pointer is on the level "overlay": Bokeh then repaints neither axes nor the bars of all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    LinearColorMapper,
    LogColorMapper,
    NumeralTickFormatter,
    PanTool,
    PlainText,
    Range1d,
    ResetTool,
    WheelZoomTool,
)
from bokeh.models.annotations import ColorBar
from bokeh.plotting import figure

from ...kernels.cube.spatial import Spatial
from ..outlines import easting, northing, outlines
from ..palettes import BLUE, GREY, VERMILLION, cell_colors
from .data import edge_texts, place

LONGITUDES, LATITUDES = ("lon", "long", "lng", "longitude"), ("lat", "latitude")
SMALL = "9px"
CHARACTER = 6.0  # pixels of a tick label's character
WIDTH = 270  # pixels of a figure's frame, about
MISSING_GAP = 0.5  # bins between the last bin and the one for missing values


def figure_of(number: int, attribute: Any) -> Any:
    """The figure of a view: bars, or a map in space."""
    return map_figure(number, attribute) if isinstance(attribute, Spatial) else bar_figure(number, attribute)


def _source(name: str, *columns: str) -> ColumnDataSource:
    return ColumnDataSource({column: np.zeros(0) for column in columns}, name=name)


def _figure(name: str, extent: tuple[float, float, float, float], axes: str = "linear") -> Any:
    """A plain figure on fixed ranges (x0, x1, y0, y1) that fills its place."""
    x0, x1, y0, y1 = extent
    options: dict[str, Any] = {"x_axis_type": axes, "y_axis_type": axes, "tools": "", "sizing_mode": "stretch_both"}
    plot: Any = figure(x_range=Range1d(start=x0, end=x1), y_range=Range1d(start=y0, end=y1), **options)
    plot.name = name
    plot.toolbar_location = None
    plot.outline_line_color = None
    plot.min_border = 4
    plot.background_fill_color = None
    plot.border_fill_color = None
    plot.grid.grid_line_color = "#ECECEC"
    plot.axis.major_label_text_font_size = SMALL
    plot.axis.axis_label_text_font_size = SMALL
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.minor_tick_line_color = None
    plot.axis.axis_line_color = GREY
    plot.axis.major_tick_line_color = GREY
    return plot


def bar_figure(number: int, attribute: Any) -> Any:
    """Bars over bins side by side, each 1 wide: all rows behind, those that pass in front, whiskers, a brush."""
    n = attribute.size
    end = n + (MISSING_GAP + 1 if attribute.missing else 0)
    plot = _figure(f"figure:{number}", (0, end, 0, 1))
    plot.xgrid.visible = False
    ticks, texts = _ticks(attribute)
    plot.xaxis.ticker = FixedTicker(ticks=ticks)
    plot.xaxis.major_label_overrides = dict(zip(ticks, map(_plain, texts), strict=True))
    plot.yaxis.formatter = NumeralTickFormatter(format="0[.]0a")
    plot.yaxis.ticker.desired_num_ticks = 4
    plot.yaxis.axis_label = _plain("")
    every, bars = _source(f"all:{number}", "left", "right", "top"), _source(f"bars:{number}", *BARS)
    plot.quad("left", "right", "top", 0, source=every, fill_color="#D9D9D9", line_color=None)
    shown: dict[str, Any] = {"level": "overlay", "source": bars}
    plot.quad("left", "right", "top", 0, fill_color=BLUE, fill_alpha="alpha", line_color=None, name="bars", **shown)
    plot.segment("x", "low", "x", "high", line_color="#222222", **shown)
    _brush(plot, number)
    ghost = _source(f"ghost:{number}", "left", "right", "top")
    plot.quad(
        "left", "right", "top", 0, source=ghost, level="overlay", fill_color=VERMILLION, fill_alpha=0.15,
        line_color=VERMILLION, line_dash="dashed", line_width=1.5, visible=False,
    )  # fmt: skip
    _hover(plot, number, "bin")
    return plot


BARS = ("left", "right", "top", "alpha", "x", "low", "high")


def _brush(plot: Any, number: int) -> None:
    brush = _source(f"brush:{number}", "left", "right", "bottom", "top")
    plot.quad(
        "left", "right", "bottom", "top", source=brush, level="overlay", fill_color=GREY, fill_alpha=0.12,
        line_color="#333333", line_alpha=0.8, visible=False,
    )  # fmt: skip
    handles = _source(f"handles:{number}", "x", "y")
    plot.scatter(
        "x", "y", source=handles, level="overlay", marker="square", size=8, fill_color="white", line_color="#333333",
        visible=False,
    )  # fmt: skip


def _hover(plot: Any, number: int, what: str) -> None:
    """Invisible places that answer the pointer; the numbers in their source are renewed without repainting."""
    hit = _source(f"hit:{number}", "left", "right", "bottom", "top", "label", "answer", "low", "high", "all")
    places = plot.quad("left", "right", "bottom", "top", source=hit, fill_color=None, line_color=None)
    shown = [(what, "@label"), ("selected", "@answer{0,0.[00]}"), ("interval", "@low{0,0.[00]} to @high{0,0.[00]}")]
    plot.add_tools(HoverTool(renderers=[places], tooltips=[*shown, ("all rows", "@all{0,0.[00]}")]))


def _ticks(attribute: Any) -> tuple[list[float], list[str]]:
    """Places and texts of tick labels, as many as fit side by side."""
    edges = edge_texts(attribute)
    n = attribute.size
    texts = edges if edges is not None else attribute.labels()[:n]
    places = [float(k) if edges is not None else k + 0.5 for k in range(len(texts))]
    texts = [_short({"inf": "∞", "-inf": "-∞"}.get(text, text)) for text in texts]
    widest = CHARACTER * (1 + max(map(len, texts), default=1))
    step = max(1, int(np.ceil(len(texts) * widest / WIDTH)))
    places, texts = places[::step], texts[::step]
    if attribute.missing:
        places, texts = [*places, n + MISSING_GAP + 0.5], [*texts, "?"]
    return places, texts


def _short(text: str) -> str:
    return text if len(text) <= 10 else text[:9] + "…"


def _plain(text: str) -> PlainText:
    """Text as it is: Bokeh would typeset what is between dollar signs."""
    return PlainText(text=text)


def map_figure(number: int, attribute: Spatial) -> Any:
    """Cells over outlines, a box or lasso, a colour bar."""
    mercator = attribute.projection == "mercator"
    plot = _figure(f"figure:{number}", place(attribute), "mercator" if mercator else "linear")
    if not mercator:
        unit = f" ({attribute.unit})" if attribute.unit else ""
        plot.xaxis.axis_label, plot.yaxis.axis_label = (_plain(name + unit) for name in attribute.columns)
    plot.yaxis.ticker.desired_num_ticks = 5
    _outlines(plot, attribute)
    _cells(plot, number, attribute)
    _brush(plot, number)
    lasso = _source(f"lasso:{number}", "x", "y")
    plot.patch(
        "x", "y", source=lasso, level="overlay", fill_color=GREY, fill_alpha=0.12, line_color="#333333", visible=False
    )
    _hover(plot, number, "cell")
    plot.add_tools(PanTool(name=f"pan:{number}"), WheelZoomTool(name=f"zoom:{number}"), ResetTool())
    plot.toolbar.active_drag = plot.toolbar.active_scroll = None
    return plot


def _outlines(plot: Any, attribute: Spatial) -> None:
    """Thin lines of land and states, where the columns are longitude and latitude."""
    mercator = attribute.projection == "mercator"
    if not (mercator or (attribute.columns[0].lower() in LONGITUDES and attribute.columns[1].lower() in LATITUDES)):
        return
    x, y = _within(*outlines(attribute.extent), attribute.extent)
    if mercator:
        x, y = easting(x), northing(y)
    lines = ColumnDataSource({"x": x.astype(np.float32), "y": y.astype(np.float32)})
    plot.line("x", "y", source=lines, level="underlay", line_color="#8A8A8A", line_width=0.7)


def _within(x: np.ndarray, y: np.ndarray, extent: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lines without what lies well outside: nan parts what is left."""
    west, east, south, north = extent
    room_x, room_y = 0.05 * (east - west), 0.05 * (north - south)
    inside = (x > west - room_x) & (x < east + room_x) & (y > south - room_y) & (y < north + room_y)
    keep = inside | np.concatenate([[False], inside[:-1]])  # one more after each piece, as its end
    return np.where(inside, x, np.nan)[keep], np.where(inside, y, np.nan)[keep]


def _cells(plot: Any, number: int, attribute: Spatial) -> None:
    """Two images: cells that pass the map's own filter, and, paler, the others."""
    x0, x1, y0, y1 = place(attribute)
    nx, ny = attribute.shape
    images = [np.full((ny, nx), np.nan), np.full((ny, nx), np.nan)]
    cells = ColumnDataSource({"image": images, "alpha": [0.85, 0.3]}, name=f"cells:{number}")
    mappers = _mappers(f":{number}")
    plot.image(
        "image", x=x0, y=y0, dw=x1 - x0, dh=y1 - y0, global_alpha="alpha", source=cells, level="overlay",
        color_mapper=mappers["log"], name="cells",
    )  # fmt: skip
    plot.tags = list(mappers.values())  # both in the document, whichever is at work
    for kind, mapper in _mappers(f":bar:{number}").items():  # of its own: repainting cells leaves the colour bar alone
        bar = ColorBar(
            color_mapper=mapper, width=8, padding=2, margin=2, major_label_text_font_size=SMALL, title=None,
            formatter=NumeralTickFormatter(format="0[.]0a"), name=f"bar:{kind}:{number}", visible=kind == "log",
        )  # fmt: skip
        plot.add_layout(bar, "right")


def _mappers(name: str) -> dict[str, Any]:
    """Counts span powers of ten; sums and means are linear, those of both signs diverge from 0."""
    clear = "rgba(0, 0, 0, 0)"
    return {
        "log": LogColorMapper(palette=cell_colors(), low=1, high=10, nan_color=clear, name="log" + name),
        "linear": LinearColorMapper(palette=cell_colors(), low=0, high=1, nan_color=clear, name="linear" + name),
        "signed": LinearColorMapper(palette=cell_colors(True), low=-1, high=1, nan_color=clear, name="signed" + name),
    }


def query_figure() -> Any:
    """The map of queries: a dot per selection of an attribute."""
    plot = _figure("queries", (0, 1, 0, 1))
    plot.axis.formatter = NumeralTickFormatter(format="0[.]0a")
    plot.xaxis.ticker.desired_num_ticks = plot.yaxis.ticker.desired_num_ticks = 4
    plot.xaxis.axis_label = _plain("first component")
    plot.yaxis.axis_label = _plain("second component")
    dots = _source("dots", "x", "y", "answer", "size", "label", "line")
    mapper = LinearColorMapper(palette=cell_colors(), low=0, high=1, nan_color="#DDDDDD", name="dots:mapper")
    renderer = plot.scatter(
        "x", "y", source=dots, size="size", fill_color={"field": "answer", "transform": mapper}, fill_alpha=0.9,
        line_color="#555555", line_width="line",
    )  # fmt: skip
    rings = _source("dots:rings", "x", "y")
    plot.scatter("x", "y", source=rings, size=12, fill_alpha=0, line_color=VERMILLION, line_width=2)
    lasso = _source("dots:lasso", "x", "y")
    plot.patch("x", "y", source=lasso, level="overlay", fill_color=GREY, fill_alpha=0.12, line_color="#333333")
    plot.add_tools(HoverTool(renderers=[renderer], tooltips=[("select", "@label"), ("answer", "@answer{0,0.[00]}")]))
    bar = ColorBar(
        color_mapper=mapper, width=8, padding=2, margin=2, major_label_text_font_size=SMALL,
        formatter=NumeralTickFormatter(format="0[.]0a"),
    )  # fmt: skip
    plot.add_layout(bar, "right")
    return plot
