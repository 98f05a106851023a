"""Bokeh plot of parallel coordinates."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from bokeh.events import SelectionGeometry, Tap
from bokeh.models import BoxSelectTool, ColumnDataSource, CustomJS, LinearColorMapper
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import MultiLine, Quad, Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, line_properties

from .columns import Columns
from .palettes import ORANGE, cell_colors
from .parallel_axes import ABSENT
from .row_linked_bokeh import RowLinkedPlot

BRUSHED = """
const box = cb_obj.geometry
if (!cb_obj.final || box.type !== "rect") return
brush.data = {x0: [box.x0], x1: [box.x1], y0: [box.y0], y1: [box.y1]}
"""
TAPPED = "if (brush.data.x0.length) brush.data = {x0: [], x1: [], y0: [], y1: []}"
LONG = 16  # characters of a label


class ParallelCoordinatesPlot(RowLinkedPlot):
    """Lines, dark for a good score. Where some are kept the others fade; the one under the pointer is orange.

    A box dragged over an axis keeps the rows whose lines pass through it; boxes on several axes work together; a click
    beside the lines takes all away. Further layers: `axes`, `ticks`, `titles`, `brushes`, `note`; handle
    `brush_source`.
    """

    borders = {"min_border_left": 10, "min_border_right": 10}

    style_opts = base_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "multi_line"}

    def columns(self, element: Any) -> Columns:
        """One row per line."""
        names, texts = element.dimension_values(2), [axis.texts for axis in element.axes]
        titles = [escape(axis.name) for axis in element.axes]
        said = ["<br>".join(_told(titles, values)) for values in zip(*texts, strict=True)] if texts else []
        shade = element.axes[-1].heights if element.axes else np.zeros(0)
        return {**_lines(element, slice(None)), "shade": shade, "name": names, "id": element.ids, "said": said}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the score."""
        if "color_mapper" not in self.handles:
            self.handles["color_mapper"] = LinearColorMapper(palette=cell_colors(), low=0, high=1)
        shade = {"field": "shade", "transform": self.handles["color_mapper"]}
        mapping: dict[str, Any] = {"xs": "xs", "ys": "ys"}
        return mapping if "color" in style else mapping | {"line_color": shade}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Axes with their labels, what is brushed, and what is selected."""
        spots = [(at, *tick) for at, axis in enumerate(element.axes) for tick in axis.ticks]
        spots += [(at, ABSENT, "none") for at, axis in enumerate(element.axes) if axis.absent]
        at = np.arange(len(element.axes), dtype=float)
        names = [_short(axis.name, LONG + 4) for axis in element.axes]
        ticks = {"x": [s[0] for s in spots], "y": [s[1] for s in spots], "text": [_short(s[2]) for s in spots]}
        note = [f"{element.left_out} more not shown"] if element.left_out else []
        lines = super().layers(element)
        return {
            "kept": lines["kept"],
            "lit": lines["lit"],
            "axes": {"x": at, "y0": np.zeros(len(at)), "y1": np.ones(len(at))},
            "ticks": {**ticks, "side": ["right" if s[0] == len(at) - 1 and len(at) > 1 else "left" for s in spots]},
            "titles": {"x": at, "y": np.full(len(at), 1.05), "text": names},
            "note": {"x": [-0.2] * len(note), "y": [ABSENT - 0.05] * len(note), "text": note},
            "brushes": self._brush_columns(),
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The lines of the selected rows."""
        some = np.unique(element.marks[there])
        shade = element.axes[-1].heights if element.axes else np.zeros(len(element))
        return {**_lines(element, some), "shade": shade[some]}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines, labels, boxes."""
        if name == "kept":
            shade: Any = {"field": "shade", "transform": self.handles["color_mapper"]}
            return MultiLine(xs="xs", ys="ys", line_color=shade, line_width=1.6), {}
        if name == "lit":
            return MultiLine(xs="xs", ys="ys", line_color=ORANGE, line_width=3), {}
        if name == "axes":
            return Segment(x0="x", x1="x", y0="y0", y1="y1", line_color="#444444", line_width=1), {}
        if name == "brushes":
            ink: dict[str, Any] = {"fill_color": "#000000", "fill_alpha": 0.12, "line_color": "#000000"}
            return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}
        font: dict[str, Any] = {"text_font_size": "10px", "text_color": "#222222", "text_baseline": "middle"}
        if name == "titles":
            tilt: dict[str, Any] = {
                "angle": 0.35,
                "text_font_style": "bold",
                "text_baseline": "bottom",
                "text_color": "#222222",
            }
            return Text(x="x", y="y", text="text", text_font_size="11px", x_offset=-6, **tilt), {}
        if name == "note":
            font |= {"text_color": "#666666", "text_baseline": "top"}
            return Text(x="x", y="y", text="text", **font), {}
        halo: dict[str, Any] = {"background_fill_color": "#FFFFFF", "background_fill_alpha": 0.75}
        return Text(x="x", y="y", text="text", x_offset=4, **font, **halo), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All axes, with room for their labels."""
        count = len(element.axes)
        return -0.25, ABSENT - 0.16, max(count - 0.25, 1.0), 1.38

    # -- what is brushed

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._brushes: dict[int, tuple[float, float]] = {}
        super()._init_glyphs(plot, element, ranges, source)
        brush = ColumnDataSource({name: [] for name in ("x0", "x1", "y0", "y1")})
        self.handles["brush_source"] = brush
        plot.js_on_event(SelectionGeometry, CustomJS(args={"brush": brush}, code=BRUSHED))
        plot.js_on_event(Tap, CustomJS(args={"brush": brush}, code=TAPPED))
        for tool in plot.select(BoxSelectTool):
            tool.renderers = []  # what a box means is decided here
        self.hear(brush, "data", self._brushed)

    def _brushed(self, attr: str, old: Any, new: Any) -> None:
        """A box on axes keeps the rows that pass through it; no box keeps none."""
        element = self.current_frame
        if element is None or element.selection is None:
            return
        if not len(new["x0"]):
            self._unbrush()
            if not self.handles["source"].selected.indices:
                element.selection.keep((), self._source(element))
            return
        (x0, x1), (y0, y1) = (sorted((float(new[f"{axis}0"][0]), float(new[f"{axis}1"][0]))) for axis in "xy")
        at = [axis for axis in range(len(element.axes)) if x0 - 0.1 <= axis <= x1 + 0.1]
        if at:
            self._brushes |= dict.fromkeys(at, (y0, y1))
            self.handles["brushes_source"].data = self._brush_columns()
            element.selection.keep(element.within(self._brushes), self._source(element))

    def _brush_columns(self) -> Columns:
        at = np.array(list(self._brushes), float)
        ends = np.array(list(self._brushes.values()), float).reshape(-1, 2)
        return {"left": at - 0.06, "right": at + 0.06, "bottom": ends[:, 0], "top": ends[:, 1]}

    def _unbrush(self) -> None:
        self._brushes = {}
        self.handles["brushes_source"].data = self._brush_columns()

    def _tapped(self, attr: str, old: Any, new: Any) -> None:
        self._unbrush()
        super()._tapped(attr, old, new)

    def _show(self, **selected: Any) -> None:
        element = self.current_frame
        if element is not None and self._brushes and set(element.within(self._brushes)) != set(element.selection.kept):
            self._unbrush()  # another view chose other rows
        super()._show(**selected)
        self._fade()

    def _fade(self) -> None:
        """Lines step back where some are kept; thousands of lines are thinner and paler than few."""
        count = len(self.handles["source"].data["name"])
        usual = float(np.clip((300 / max(count, 1)) ** 0.5, 0.25, 0.8))
        kept = len(self.handles["kept_source"].data["shade"])
        glyph = self.handles["glyph_renderer"].glyph
        glyph.update(line_alpha=0.1 * usual if kept else usual, line_width=1.2 if count < 1000 else 0.8)

    def annotate(self, element: Any) -> None:
        """Follow the element's selection, and its number of lines."""
        super().annotate(element)
        gone = [at for at in self._brushes if at >= len(element.axes)]
        for at in gone:
            del self._brushes[at]
        self._fade()

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("", "@id: @name"), ("", "@said{safe}")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension("line"), Dimension("value")


def _lines(element: Any, some: Any) -> Columns:
    """Corners of some lines, as lists: Bokeh sends an array per line as two messages of its own."""
    heights = np.round(element.heights[some], 4).tolist()
    return {"xs": [list(range(len(element.axes)))] * len(heights), "ys": heights}


def _told(titles: list[str], values: tuple[str, ...]) -> list[str]:
    return [f"{title}: {escape(value)}" for title, value in zip(titles, values, strict=True) if value]


def _short(name: str, most: int = LONG) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
