"""Bokeh plot of a cube's map: cells over outlines, brushed with boxes and lassos."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    CustomJSTickFormatter,
    LinearColorMapper,
    LogColorMapper,
    MercatorTicker,
    MercatorTickFormatter,
    NumeralTickFormatter,
)
from bokeh.models.annotations import BoxAnnotation, ColorBar, Label
from bokeh.models.glyphs import Image, Line, Patch, Quad, Scatter, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties
from holoviews.selection import NoOpSelectionDisplay

from . import cube_gestures as gestures
from .columns import Columns
from .cube_bokeh import COMPACT, NUMBER
from .cube_cells import MANY, Cells, color_range, image_columns, rasterize
from .layers_bokeh import LayeredPlot
from .outlines import easting, northing, outlines
from .overlay_bokeh import lift
from .palettes import BLUE, DARK_BLUE, VERMILLION, cell_colors

DEGREES = {
    "x": "return `${(value / 6378137 * 180 / Math.PI).toFixed(2)}°`",
    "y": "return `${(Math.atan(Math.sinh(value / 6378137)) * 180 / Math.PI).toFixed(2)}°`",
}
# The columns that a tooltip names as its format, joined; those of ends are not always there. See `cube_bokeh.TOLD`.
TOLD = """
const number = (value) => {{{number}}}
const at = special_vars.image_index?.flat_index
const values = format.split(",").map((name) => source.data[name]?.[0]?.[at])
if (values.some((value) => value == null || !isFinite(value))) return format === "known" ? "{nothing}" : "none"
return values.map(number).join(" to ")
"""
# The whole map, as large as it fits: a degree is as long across as up.
FIT = """
const w = figure.inner_width, h = figure.inner_height
if (!(w > 0 && h > 0)) return
const wide = grid[1] - grid[0], high = (grid[3] - grid[2]) * stretch, per_pixel = Math.max(wide / w, high / h)
const x = (grid[0] + grid[1]) / 2, y = (grid[2] + grid[3]) / 2
const half_x = per_pixel * w / 2, half_y = per_pixel * h / 2 / stretch
const home = figure._home, zoomed = home && (x_range.start !== home[0] || x_range.end !== home[1])
figure._home = [x - half_x, x + half_x]
for (const [range, start, end] of [[x_range, x - half_x, x + half_x], [y_range, y - half_y, y + half_y]])
  range.setv(zoomed ? {reset_start: start, reset_end: end} : {start, end, reset_start: start, reset_end: end})
if (zoomed) {  // what was zoomed into stays, as far across
  const middle = (y_range.start + y_range.end) / 2, half = (x_range.end - x_range.start) / w * h / 2 / stretch
  y_range.setv({start: middle - half, end: middle + half})
}
"""


class CubeMapPlot(LayeredPlot):
    """Cells as an image over outlines. Further handles: `ground_source`, `veil_source`, `outline_source`,
    `lasso_source`, `ghost_source`, `brush_source`, `brush_box`, `target_source`, `color_mapper`.
    """

    logarithmic = param.Boolean(
        default=None, allow_None=True, doc="Colours by the logarithm; None: for counts and sums that are not negative."
    )

    outlines = param.Boolean(default=True, doc="Draw outlines of countries and states under the cells.")

    uncertain = param.Boolean(default=False, doc="Put a dot on cells whose interval is wider than their answer.")

    color_legend = param.Boolean(default=True, doc="Show which colour stands for how much, above the map.")

    ghost_color = param.Color(default=VERMILLION, doc="Colour of answers asked for.")

    borders = {"min_border_left": 52, "min_border_right": 12}

    style_opts = [*base_properties, "cmap"]

    _nonvectorized_styles = [*base_properties, "cmap"]

    _plot_methods = {"single": "image"}

    selection_display = NoOpSelectionDisplay()  # maps show their brush: see `cube_links.link_brush`

    pixels = (800, 600)  # that a raster has at most

    def columns(self, element: Any) -> Columns:
        """One row: the image."""
        return self._drawn(element.cells)

    def _drawn(self, cells: Cells) -> Columns:
        if len(cells) <= MANY:
            return cells.columns()
        x, y = self.handles.get("x_range"), self.handles.get("y_range")
        view = cells.extent if x is None or y is None else (x.start, x.end, y.start, y.end)
        if any(end is None or not math.isfinite(end) for end in view):
            view = cells.extent
        return cells.columns(*(rasterize(cells.drawn(), cells.extent, view, *self.pixels) or _nothing(cells)))

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Place and colours of the image."""
        cmap = style.pop("cmap", None)
        if "color_mapper" not in self.handles:
            mapper = LogColorMapper if self._is_logarithmic(element) else LinearColorMapper
            self.handles["color_mapper"] = mapper(palette=cell_colors(), nan_color=(0, 0, 0, 0))
            self._cmap = cmap
        self._set_colors(element.cells)
        place = {name: name for name in ("image", "x", "y", "dw", "dh")}
        return {**place, "color_mapper": self.handles["color_mapper"]}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells."""
        left, right, bottom, top = element.extent
        return left, bottom, right, top

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once; where the extent is the same, zoom and pan stay."""
        moved = self.current_frame is None or self.current_frame.extent != element.extent
        self.current_frame = element
        self.patch_cells(element.cells)
        if fit and moved:
            self._fit(element)

    def patch_cells(self, cells: Cells, fit: bool = True) -> None:
        """Show other answers, without the cost of an element; without `fit` in the colours of those before."""
        self._shown = cells
        if fit:
            self._set_colors(cells)
        self.handles["source"].data = self._drawn(cells)
        self._show(cells)

    def lift(self) -> None:
        """Have the browser repaint nothing but cells and brush: for views that follow the pointer."""
        names = ("glyph_renderer", "line_renderer", "veil_renderer", "lasso_renderer")
        lift(self.state, [self.handles[name] for name in names], [self.handles["brush_box"]])

    def annotate(self, element: Any) -> None:
        """Ground, veil and brush."""
        self._shown = element.cells
        self._show(element.cells)

    def _show(self, cells: Cells) -> None:
        if tuple(self.handles["shape_source"].data["n"]) != cells.shape:
            self.handles["shape_source"].data = {"n": list(cells.shape)}
        for name in ("ground", "veil"):
            images = cells.total if name == "ground" else cells.selected
            if images is not getattr(self, f"_{name}", self) or "veil_source" not in self.handles:
                setattr(self, f"_{name}", images)
                self.handles[f"{name}_source"].data = image_columns(getattr(cells, name)(), cells.extent)
        if self.uncertain and "doubt_source" in self.handles:
            self.handles["doubt_source"].data = cells.doubtful()
        note = self.handles["elsewhere_note"]
        text = "" if cells.elsewhere is None else f"{cells.elsewhere:,.0f} without a place"
        if note.text != text:
            note.text = text
        ghosts, shown = cells.ghosts(), self.handles["ghost_source"].data
        if any(list(ghosts[name]) != list(shown[name]) for name in ("bin", "text", "x")):
            self.handles["ghost_source"].data = ghosts
        self._show_brush(cells)

    def _fill_layers(self, element: Any) -> None:
        """Filled with the rest."""

    def _is_logarithmic(self, element: Any) -> bool:
        if self.logarithmic is not None:
            return self.logarithmic
        return element.additive and not (element.cells.answer < 0).any()

    def _set_colors(self, cells: Cells) -> None:
        mapper = self.handles["color_mapper"]
        low, high, signed = color_range(cells.answer, isinstance(mapper, LogColorMapper))
        if isinstance(mapper, LogColorMapper) and signed:
            low, high = high * 1e-4, high
        palette = self._palette(signed and not isinstance(mapper, LogColorMapper))
        for each in (mapper, self.handles.get("legend_mapper")):
            if each is not None and (each.low, each.high, each.palette) != (low, high, palette):
                each.update(low=low, high=high, palette=palette)

    def _palette(self, signed: bool) -> list[str]:
        if self._cmap is None:
            return cell_colors(signed)
        from holoviews.plotting.util import process_cmap

        return process_cmap(self._cmap, 256)

    _told: tuple[list[int], list[int]] | None = None  # corners that Python drew, which the browser need not report

    # -- drawing

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        cells = element.cells
        self._add_brush(plot)
        self.handles["ghost_source"] = ColumnDataSource(cells.ghosts())
        self.handles["shape_source"] = ColumnDataSource({"n": list(cells.shape)})
        ink = LinearColorMapper(palette=["#FFFFFF"], low=0, high=1, nan_color=(0, 0, 0, 0))
        earth = LinearColorMapper(palette=["#ECECEC"], low=0, high=1, nan_color=(0, 0, 0, 0))
        place: dict[str, Any] = {name: name for name in ("x", "y", "dw", "dh")}
        for name, mapper, alpha in (("ground", earth, 1.0), ("veil", ink, 0.72)):
            self.handles[f"{name}_source"] = ColumnDataSource(image_columns(getattr(cells, name)(), cells.extent))
            glyph = Image(image="image", color_mapper=mapper, global_alpha=alpha, **place)
            self.handles[f"{name}_glyph"] = glyph
        note = Label(x=6, y=6, x_units="screen", y_units="screen", text="", text_font_size="11px", text_color="#555555")
        plot.add_layout(note)
        self.handles["elsewhere_note"] = note
        self.handles["outline_source"] = ColumnDataSource(self._outline_columns(element))
        outline, source_of = self.handles["outline_source"], self.handles
        plot.add_glyph(source_of["ground_source"], source_of["ground_glyph"], level="underlay")
        plot.add_glyph(outline, Line(x="x", y="y", line_color="#9A9A9A", line_width=0.8), level="underlay")
        super()._init_glyphs(plot, element, ranges, source)
        self._still(self.handles["glyph_renderer"])
        line = Line(x="x", y="y", line_color="#222222", line_width=0.6, line_alpha=0.35)
        self.handles["line_renderer"] = plot.add_glyph(outline, line)
        self.handles["veil_renderer"] = plot.add_glyph(source_of["veil_source"], source_of["veil_glyph"])
        if self.uncertain:
            self.handles["doubt_source"] = ColumnDataSource(cells.doubtful())
            dots = Scatter(x="x", y="y", size=3, fill_color="#FFFFFF", line_color="#222222", line_width=0.6)
            plot.add_glyph(self.handles["doubt_source"], dots)
        lasso = Patch(x="x", y="y", fill_color=None, line_color="#333333", line_width=1)
        self.handles["lasso_renderer"] = plot.add_glyph(self.handles["lasso_source"], lasso)
        self._add_ghosts(plot)
        hover = self.handles.get("hover")
        if hover is not None:
            hover.renderers = [self.handles["glyph_renderer"]]
            hover.formatters["$sx"].args = {"source": self.handles["source"]}
        plot.toolbar.logo = None
        if self.color_legend:
            self._add_legend(plot, element)
        self._set_axes(element)
        self._listen(plot, element)

    def _add_ghosts(self, plot: Any) -> None:
        """Over everything: drawing these costs no drawing of the map."""
        source = self.handles["ghost_source"]
        ends: dict[str, Any] = {side: side for side in ("left", "right", "top", "bottom")}
        ink: dict[str, Any] = {"line_color": self.ghost_color, "line_width": 2}
        outline = Quad(**ends, **ink, fill_color=self.ghost_color, fill_alpha=0.15)
        self.handles["ghost_renderer"] = plot.add_glyph(source, outline, level="overlay")
        look: dict[str, Any] = {"text_font_size": "11px", "text_color": "#222222", "background_fill_color": "#FFFFFF"}
        look |= {"border_line_color": self.ghost_color, "padding": 3, "background_fill_alpha": 0.92}
        look |= {"x_offset": "dx", "y_offset": "dy", "text_align": "align", "text_baseline": "baseline"}
        label = Text(x="x", y="y", text="text", **look)
        self.handles["ghost_label_renderer"] = plot.add_glyph(source, label, level="overlay")

    def _add_legend(self, plot: Any, element: Any) -> None:
        if any(isinstance(model, ColorBar) for model in plot.above):
            return
        font: dict[str, Any] = {"title_text_font_size": "11px", "major_label_text_font_size": "10px"}
        # One of its own: else Bokeh would lay the figure out anew for every image, whether its colours changed or not.
        self.handles["legend_mapper"] = self.handles["color_mapper"].clone()
        legend = ColorBar(
            color_mapper=self.handles["legend_mapper"],
            orientation="horizontal",
            height=7,
            padding=3,
            label_standoff=3,
            title=element.vdims[0].pprint_label,
            formatter=CustomJSTickFormatter(code=COMPACT),
            **font,
        )
        plot.add_layout(legend, "above")

    def _still(self, renderer: Any) -> None:
        """Bokeh's own selection must not fade the image."""
        renderer.nonselection_glyph = None
        renderer.selection_glyph = None
        for name in ("box_select", "lasso_select"):
            if name in self.handles:
                self.handles[name].renderers = []
        if "box_select" in self.handles:
            self.handles["box_select"].continuous = True

    def _outline_columns(self, element: Any) -> Columns:
        if not (self.outlines and element.geographic):
            return {"x": [], "y": []}
        x, y = outlines(element.degrees)
        return {"x": x, "y": y} if element.projection == "plain" else {"x": easting(x), "y": northing(y)}

    def _set_axes(self, element: Any) -> None:
        x, y = self.handles["xaxis"], self.handles["yaxis"]
        if element.projection == "mercator":
            x.update(ticker=MercatorTicker(dimension="lon"), formatter=MercatorTickFormatter(dimension="lon"))
            y.update(ticker=MercatorTicker(dimension="lat"), formatter=MercatorTickFormatter(dimension="lat"))
            return
        for axis in (x, y):
            axis.update(
                minor_tick_line_color=None,
                ticker=BasicTicker(desired_num_ticks=5),
                formatter=NumeralTickFormatter(format="0,0.[000]"),
            )

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        value, unit = element.vdims[0], f" {element.vdims[0].unit}" if element.vdims[0].unit else ""
        mercator = element.projection == "mercator"
        form = "{custom}" if mercator else "{0,0.00}"
        tips = [(d.label, f"${axis}{form}") for axis, d in zip("xy", element.kdims, strict=True)]
        told = TOLD.format(number=NUMBER, nothing="0" if element.additive else "none")
        formatters: Any = {"$sx": CustomJSHover(code=told)}
        if mercator:
            formatters |= {f"${axis}": CustomJSHover(code=code) for axis, code in DEGREES.items()}
        tips += [(value.label, f"$sx{{known}}{unit}")]
        if {"low", "high"} <= {d.name for d in element.vdims}:
            tips += [("90% interval", f"$sx{{low,high}}{unit}")]
        return tips, {"formatters": formatters}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        own = element.attribute or "map"
        x, y = element.kdims
        unit = None if element.projection == "mercator" else x.unit
        return Dimension((f"x of {own}", x.label), unit=unit), Dimension((f"y of {own}", y.label), unit=unit)

    # -- brushing

    def _add_brush(self, plot: Any) -> None:
        look: dict[str, Any] = {"fill_color": BLUE, "fill_alpha": 0.04, "line_color": DARK_BLUE, "line_width": 1.5}
        place: dict[str, Any] = {"left": 0, "right": 1, "bottom": 0, "top": 1}
        box = BoxAnnotation(**place, **look, visible=False, editable=True, use_handles=False)
        plot.add_layout(box)
        self.handles["brush_box"] = box
        self.handles["brush_source"] = ColumnDataSource({"x": [], "y": []})
        self.handles["lasso_source"] = ColumnDataSource({"x": [], "y": []})
        self.handles["target_source"] = ColumnDataSource({"bin": [], "value": [], "add": []})

    def _listen(self, plot: Any, element: Any) -> None:
        if element.geographic:
            self._keep_proportions(plot, element)
        for name in ("x_range", "y_range"):
            for end in ("start", "end"):
                self.hear(self.handles[name], end, self._zoomed)
        if element.target is not None and len(element) <= MANY:
            self._listen_for_targets(plot, element)
        if element.brush is None:
            return
        plot.js_on_event("press", CustomJS(args={"figure": plot}, code=gestures.PRESS))
        args = self._grid(element) | {
            "box": self.handles["brush_box"],
            "brush": self.handles["brush_source"],
            "lasso": self.handles["lasso_source"],
        }
        codes = {
            "mouseenter": gestures.MAP_ENTER,
            "mouseleave": gestures.LEAVE,
            "selectiongeometry": gestures.MAP_SELECT,
            "tap": gestures.MAP_TAP,
            "doubletap": gestures.MAP_TAP,
        }
        for event, code in codes.items():
            plot.js_on_event(event, CustomJS(args=args, code=code))
        self.hear(self.handles["brush_source"], "data", self._brushed)

    def _grid(self, element: Any) -> dict[str, Any]:
        return {"grid": list(element.extent), "shape": self.handles["shape_source"]}

    def _listen_for_targets(self, plot: Any, element: Any) -> None:
        args = self._grid(element) | {
            "figure": plot,
            "source": self.handles["source"],
            "ghost": self.handles["ghost_source"],
            "target": self.handles["target_source"],
            "x_range": self.handles["x_range"],
            "y_range": self.handles["y_range"],
            "colors": self.handles["color_mapper"],
            "additive": element.additive,
        }
        want = f"const number = (value) => {{{NUMBER}}}\n{gestures.MAP_WANT}"
        plot.js_on_event("mouseenter", CustomJS(args=args, code=want))
        plot.js_on_event("mousemove", CustomJS(args={"figure": plot}, code=gestures.MAP_MOVE))
        self.hear(self.handles["target_source"], "data", self._dragged)

    def _dragged(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is not None and element.target is not None and len(new["bin"]):
            add = bool(new["add"][0])
            element.target.ask(element.attribute, int(new["bin"][0]), float(new["value"][0]), add)

    def _keep_proportions(self, plot: Any, element: Any) -> None:
        _, _, south, north = element.degrees
        plain = element.projection == "plain"
        stretch = 1 / max(0.2, math.cos(math.radians((south + north) / 2))) if plain else 1.0
        args = {"figure": plot, "grid": list(element.extent), "stretch": stretch}
        args |= {name: self.handles[name] for name in ("x_range", "y_range")}
        fit = CustomJS(args=args, code=FIT)
        for name in ("inner_width", "inner_height"):
            plot.js_on_change(name, fit)

    def _zoomed(self, attr: str, old: Any, new: Any) -> None:
        if len(self._shown) > MANY:
            self.handles["source"].data = self._drawn(self._shown)

    def _show_brush(self, cells: Cells) -> None:
        """Draw the brush, unless the browser drew it and told us."""
        brush = self.handles["brush_source"]
        x, y = cells.corners()
        told = [list(brush.data["x"]), list(brush.data["y"])]
        if cells.selected is not None and cells.box is None and len(told[0]) > 2:
            reported = getattr(self, "_reported", None)
            if isinstance(reported, np.ndarray) and np.array_equal(reported[: len(cells)], cells.selected):
                return  # by this lasso
        if [x, y] == told:
            return
        self._told = x, y  # not to be reported back
        brush.data = {"x": x, "y": y}
        if len(self.handles["lasso_source"].data["x"]):
            self.handles["lasso_source"].data = {"x": [], "y": []}
        box = self.handles["brush_box"]
        if cells.box is None:
            box.visible = False
        else:
            left, right, bottom, top = cells.place(cells.box)
            box.update(left=left, right=right, bottom=bottom, top=top, visible=True)

    def _brushed(self, attr: str, old: Any, new: Any) -> None:
        x, y, element = list(new["x"]), list(new["y"]), self.current_frame
        told, self._told = self._told, None
        if element is None or element.brush is None or (x, y) == told:
            return
        self._reported = element.filter_of(x, y)
        element.brush.set(element.attribute, self._reported)


def _nothing(cells: Cells) -> tuple[np.ndarray, Any]:
    return np.full((1, 1), np.nan, np.float32), cells.extent
