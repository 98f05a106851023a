"""Bokeh plot of a cube's bars: drawn, brushed and dragged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    CustomJSTickFormatter,
    FixedTicker,
    NoOverlap,
)
from bokeh.models.annotations import BoxAnnotation, Span
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Segment
from holoviews import Dimension, DynamicMap
from holoviews.plotting.bokeh.selection import BokehOverlaySelectionDisplay
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties
from holoviews.selection import NoOpSelectionDisplay

from . import cube_gestures as gestures
from .columns import Columns
from .cube_columns import AIR, FIT, Bars
from .layers_bokeh import LayeredPlot
from .overlay_bokeh import lift, patch_columns
from .palettes import BLUE, DARK_BLUE, VERMILLION

COMPACT = """
const size = Math.abs(tick)
for (const [unit, letter] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]])
  if (size >= unit) return `${+(tick / unit).toPrecision(3)}${letter}`
return `${+tick.toPrecision(3)}`
"""
NUMBER = """
if (value == null || !isFinite(value)) return "none"
return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : `${+value.toPrecision(4)}`
"""
# The columns that a tooltip names as its format, joined; Bokeh's own formats write NaN where there is nothing to tell.
TOLD = """
const number = (value) => {{{number}}}
const values = format.split(",").map((name) => source.data[name][special_vars.index])
if (values.some((value) => value == null || !isFinite(value))) return "none"
return format === "share" ? `${{(100 * values[0]).toFixed(1)}}%` : values.map(number).join(" to ")
"""
ROOM = 0.5  # above bars that outgrow their axis while a brush moves: it is not to change at every move
MANY = 120  # bars that are drawn without lines around them
TURNED = 60  # characters on an axis from which on category labels are turned


class BarsSelectionDisplay(BokehOverlaySelectionDisplay):
    """As HoloViews shows selections; bars with a brush show that, see `cube_links.link_brush`."""

    def __call__(self, element: Any) -> Any:
        shown = element.last if isinstance(element, DynamicMap) else element
        return self if shown.brush is None else NoOpSelectionDisplay()


class CubeBarsPlot(LayeredPlot):
    """A bar per bin over that of all rows, with whiskers. Further handles: `total_renderer`, `whisker_renderer`,
    `grip_renderer`, `ghost_source`, `brush_source`, `brush_box`, `target_source`.
    """

    fit: Any = param.Selector(default="auto", objects=list(FIT), doc="How totals are drawn; see `Bars.scale`.")

    total_color = param.Color(default="#DCDCDC", doc="Colour of the bars of all rows.")

    ghost_color = param.Color(default=VERMILLION, doc="Colour of answers asked for.")

    selection_display = BarsSelectionDisplay()

    borders = {"min_border_left": 52, "min_border_right": 12}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per bin."""
        return element.bars.columns(self.fit)

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Sides, and how strongly a bar is drawn."""
        if len(element) > MANY:
            style["line_color"] = None  # would cover them
        return {**super().mapping(element, style), "fill_alpha": "strength"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """What was asked for."""
        return {"ghost": element.bars.ghosts()}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Outlined bars."""
        ends: dict[str, Any] = {side: side for side in ("left", "right", "top", "bottom")}
        ink: dict[str, Any] = {"fill_color": self.ghost_color, "line_color": self.ghost_color, "line_dash": [5, 3]}
        return Quad(**ends, **ink, fill_alpha=0.15, line_width=1.5), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bars."""
        return element.bars.extents(self.fit)

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once; see `patch.patch`."""
        self.current_frame = element
        self.patch_bars(element.bars, fit)

    def patch_bars(self, bars: Bars, fit: bool = True) -> None:
        """Show other answers, without the cost of an element; without `fit`, the axis changes only if it has to."""
        outgrown = self._outgrown(bars)
        if fit or outgrown:
            self._manner = bars.manner(self.fit)
        patch_columns(self.handles["source"], bars.columns(self._manner or self.fit))
        self._show(bars)
        if fit or outgrown:
            self._fit_bars(bars, AIR if fit else ROOM)

    _manner: str | None = None  # how totals are drawn until the axis is fitted again

    def _outgrown(self, bars: Bars) -> bool:
        axis = self.handles["y_range"]
        low, high = (float(end(bars.in_view(bars.answer), initial=0)) for end in (np.fmin.reduce, np.fmax.reduce))
        return low < axis.start or high > axis.end

    def lift(self) -> None:
        """Have the browser repaint nothing but bars and brush: for views that follow the pointer."""
        names = ("total_renderer", "glyph_renderer", "whisker_renderer", "grip_renderer", "ghost_renderer")
        shown = [self.handles[name] for name in names if name in self.handles]
        lift(self.state, shown, [self.handles["brush_box"]])

    def annotate(self, element: Any) -> None:
        """Labels of the axis, ghosts, and the brush."""
        self._show(element.bars)

    def _show(self, bars: Bars) -> None:
        known = (bars.kind, bars.missing, bars.edges, bars.window, bars.named().tolist())
        if known != getattr(self, "_labelled", None):
            self._labelled = known
            self._label_axis(bars)
        ghosts, shown = bars.ghosts(), self.handles["ghost_source"].data
        if list(ghosts["bin"]) != list(shown["bin"]) or list(ghosts["top"]) != list(shown["top"]):
            self.handles["ghost_source"].data = ghosts
        self._show_total(bars)
        self._show_brush(bars)

    def _show_total(self, bars: Bars) -> None:
        """Totals that are scaled to the answers look unlike true ones."""
        renderer = self.handles.get("total_renderer")
        scaled = bars.scale(self._manner or self.fit) != 1.0
        if renderer is not None and bars.additive and scaled != getattr(self, "_scaled", None):
            self._scaled = scaled
            color, line = ("#F3F3F3", "#B5B5B5") if scaled else (self.total_color, None)
            renderer.glyph.update(fill_color=color, line_color=line, line_dash=[2, 2])

    def _label_axis(self, bars: Bars) -> None:
        ticks, axis = bars.ticks(), self.handles["xaxis"]
        if not (isinstance(axis.ticker, FixedTicker) and isinstance(axis.major_label_policy, NoOverlap)):
            axis.update(ticker=FixedTicker(), major_label_policy=NoOverlap())  # once: other models cost a session more
        axis.ticker.ticks = list(ticks)
        axis.major_label_policy.min_distance = 2 if bars.kind == "categories" else 6
        turned = bars.kind == "categories" and sum(len(text) + 1 for text in ticks.values()) > TURNED
        axis.update(
            major_label_overrides=ticks,
            major_label_orientation=math.pi / 4 if turned else "horizontal",
            major_label_text_font_size="10px",
            minor_tick_line_color=None,
        )
        self.handles["brush_box"].right_limit = len(bars) - 0.5

    def _fill_layers(self, element: Any) -> None:
        """Ghosts are filled with the rest: only what changed is sent."""

    def _fit_bars(self, bars: Bars, air: float = AIR) -> None:
        if any(end is not None and math.isfinite(end) for end in (*self.xlim, *self.ylim)):
            self._fit(self.current_frame)
            return
        x0, y0, x1, y1 = bars.extents(self.fit, air)
        for name, start, end in (("x_range", x0, x1), ("y_range", y0, y1)):
            held = self.handles[name]
            if held.start != start or held.end != end:
                held.update(start=start, end=end, reset_start=start, reset_end=end)

    _told: list[int] | None = None  # bins that Python drew, which the browser need not report

    # -- drawing

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._add_brush(plot, element)
        super()._init_glyphs(plot, element, ranges, source)
        source = self.handles["source"]
        self.handles["total_renderer"] = plot.add_glyph(source, self._total_glyph(element))
        if element.additive:  # behind the answers
            plot.renderers = [plot.renderers[-1], *plot.renderers[:-1]]
        thin: dict[str, Any] = {"line_width": 0.5, "line_alpha": 0.5} if len(element) > MANY else {"line_width": 1.2}
        whisker = Segment(x0="position", x1="position", y0="low", y1="high", line_color="#222222", **thin)
        self.handles["whisker_renderer"] = plot.add_glyph(source, whisker)
        plot.add_layout(Span(location=0, dimension="width", line_color="#777777", line_width=1))
        if element.target is not None:
            grip = Segment(x0="left", x1="right", y0="top", y1="top", line_color=DARK_BLUE, line_width=3)
            self.handles["grip_renderer"] = plot.add_glyph(source, grip)
        self.handles["yaxis"].update(formatter=CustomJSTickFormatter(code=COMPACT), minor_tick_line_color=None)
        self._show_total(element.bars)
        self._set_hover()
        self._listen(plot, element)

    def _total_glyph(self, element: Any) -> Glyph:
        if element.additive:
            ends: dict[str, Any] = {"left": "left", "right": "right", "bottom": "bottom", "top": "total_top"}
            return Quad(**ends, fill_color=self.total_color, line_color=None)
        return Segment(x0="left", x1="right", y0="total_top", y1="total_top", line_color="#555555", line_width=1.5)

    def _set_hover(self) -> None:
        hover = self.handles.get("hover")
        if hover is not None:
            hover.formatters["$sx"].args = {"source": self.handles["source"]}
            hover.update(mode="vline", renderers=[self.handles["glyph_renderer"]], point_policy="follow_mouse")

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        value, names = element.vdims[0], {d.name for d in element.vdims}
        unit = f" {value.unit}" if value.unit else ""
        tips = [(element.kdims[0].label, f"@label {element.kdims[0].unit or ''}")]
        tips += [(value.label, f"$sx{{answer}}{unit}")]
        tips += [("90% interval", f"$sx{{low,high}}{unit}")] if {"low", "high"} <= names else []
        tips += [("unfiltered", f"$sx{{total}}{unit}")] if "total" in names else []
        tips += [("share", "$sx{share}")] if "total" in names and element.additive else []
        return tips, {"formatters": {"$sx": CustomJSHover(code=TOLD.format(number=NUMBER))}}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        # HoloViews merges axes of one name and title; every view has its own.
        position, answer = element.kdims[0], element.vdims[0]
        own = element.attribute or "bars"
        along = Dimension((f"bins of {own}", position.label), unit=position.unit)
        return along, Dimension((f"answers by {own}", answer.label), unit=answer.unit)

    # -- brushing and dragging

    def _add_brush(self, plot: Any, element: Any) -> None:
        box = BoxAnnotation(
            left=0,
            right=1,
            visible=False,
            editable=True,
            resizable="x",
            movable="x",
            left_limit=-0.5,
            right_limit=len(element) - 0.5,
            fill_color=BLUE,
            fill_alpha=0.08,
            line_color="#333333",
            line_alpha=0.9,
            line_width=1,
            use_handles=False,
            hover_fill_alpha=0.14,
            hover_fill_color=BLUE,
        )
        plot.add_layout(box)
        self.handles["brush_box"] = box
        self.handles["brush_source"] = ColumnDataSource({"bin": []})
        self.handles["target_source"] = ColumnDataSource({"bin": [], "value": [], "add": []})

    def _listen(self, plot: Any, element: Any) -> None:
        if element.brush is None and element.target is None:
            return
        args = {
            "figure": plot,
            "y_range": self.handles["y_range"],
            "source": self.handles["source"],
            "ghost": self.handles["ghost_source"],
            "box": self.handles["brush_box"],
            "brush": self.handles["brush_source"],
            "target": self.handles["target_source"],
            "ordered": element.ordered,
            "brushing": element.brush is not None,
            "draggable": element.target is not None,
        }
        codes = {
            "mouseenter": gestures.BARS_ENTER,
            "mouseleave": gestures.LEAVE,
            "mousemove": gestures.BARS_MOVE,
            "panstart": gestures.BARS_PAN_START,
            "pan": gestures.BARS_PAN,
            "panend": gestures.BARS_PAN_END,
            "tap": gestures.BARS_TAP,
            "doubletap": gestures.BARS_TAP,
            "press": gestures.PRESS,
        }
        for event, code in codes.items():
            plot.js_on_event(event, CustomJS(args=args, code=code))
        self.hear(self.handles["brush_source"], "data", self._brushed)
        self.hear(self.handles["target_source"], "data", self._dragged)

    def _show_brush(self, bars: Bars) -> None:
        """Draw the brush, unless the browser drew it and told us."""
        bins, ordered = bars.brushed, self.current_frame is not None and self.current_frame.ordered
        moved = bars.window != self._window
        if bins == list(self.handles["brush_source"].data["bin"]) and not moved:
            return
        self._window = bars.window
        self._told = bins  # not to be reported back
        self.handles["brush_source"].data = {"bin": bins}
        together = ordered and bins and bins[-1] - bins[0] == len(bins) - 1
        if together and not (bars.window and bins[0] <= bars.window[0] and bins[-1] >= bars.window[1] - 1):
            self.handles["brush_box"].update(left=bins[0] - 0.5, right=bins[-1] + 0.5, visible=True)
        else:
            self.handles["brush_box"].visible = False

    _window: tuple[int, int] | None = None

    def _brushed(self, attr: str, old: Any, new: Any) -> None:
        bins, element = [int(i) for i in new["bin"]], self.current_frame
        told, self._told = self._told, None
        if element is not None and element.brush is not None and bins != told:
            element.brush.set(element.attribute, element.filter_of(bins))

    def _dragged(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is not None and element.target is not None and len(new["bin"]):
            add = bool(new.get("add", [False])[0])
            element.target.ask(element.attribute, int(new["bin"][0]), float(new["value"][0]), add)
