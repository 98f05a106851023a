"""Bokeh plot of a confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import CustomJS, FixedTicker, LinearColorMapper
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .palettes import BLACK, ORANGE, cell_colors
from .row_linked_bokeh import RowLinkedPlot

HALF = 0.47  # of a cell's side
# Numbers that their cell is too low for are left out: first how many rows, then the share. Of classes that are too
# close to each other every second, third, ... is named.
ROOM = """
const size = Math.max(Math.abs(y_range.end - y_range.start), 1)
const cell = figure.inner_height / size
text.text = {field: cell >= 34 ? "text" : "brief"}
renderer.visible = cell >= 15
for (const [axis, across, room] of [[x_axis, figure.inner_width, 20], [y_axis, figure.inner_height, 14]]) {
  const every = Math.max(1, Math.ceil(room * size / Math.max(across, 1)))
  const ticks = []
  for (let at = 0; at < size - 0.5; at += every) ticks.push(at)
  if (axis.ticker.ticks.length !== ticks.length) axis.ticker.ticks = ticks
}
"""
TICKS = 20  # classes that are named before the size of the plot is known
LONG = 14  # characters of a class's name at an axis; tooltips have all of it


class ConfusionMatrixPlot(RowLinkedPlot):
    """Cells, darker for a larger share of the true class, with the share and the number of rows in them.

    Rows that are selected show as a bar at the foot of their cell, as wide as their part of it: orange under the
    pointer, black when clicked. Further layer: `text`.
    """

    named = param.Integer(default=12, bounds=(0, None), doc="Most classes with numbers in the cells.")

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per cell."""
        x, y, count, share, precision = (element.dimension_values(i) for i in range(5))
        names = np.array(element.classes, dtype=object)
        shape = {"left": x - HALF, "right": x + HALF, "bottom": y - HALF, "top": y + HALF}
        told = {"of_truth": _percent(share), "of_said": _percent(precision)}
        return shape | told | {"count": count, "share": share, "said": names[x], "true": names[y]}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the share."""
        mapping = super().mapping(element, style)
        if "color_mapper" not in self.handles:
            palette = ["#FFFFFF", *cell_colors()]
            self.handles["color_mapper"] = LinearColorMapper(palette=palette, low=0, high=1, nan_color="#F4F4F4")
        shade = {"field": "share", "transform": self.handles["color_mapper"]}
        return mapping if "color" in style else mapping | {"fill_color": shade}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Numbers, and what is selected."""
        x, y, count, share = (element.dimension_values(i) for i in range(4))
        shown = np.flatnonzero(count > 0) if element.size <= self.named else np.zeros(0, int)
        brief = _percent(share[shown])
        text = [f"{each}\n{count[i]:,}" for i, each in zip(shown, brief, strict=True)]
        ink = np.where(share[shown] > 0.55, "#FFFFFF", "#222222")
        told = {"x": x[shown], "y": y[shown], "text": text, "brief": brief, "ink": ink}
        return {"text": told, **super().layers(element)}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """A bar at the foot of each cell that has some of the rows; of the kept ones below, of the lit ones above."""
        x, y, whole = (element.dimension_values(i) for i in range(3))
        counts = element.counts_of(there)
        some = np.flatnonzero(counts)
        wide = 2 * HALF * counts[some] / np.maximum(whole[some], 1)
        foot = y[some] + HALF - (0.0 if name == "kept" else 0.14)
        return {"left": x[some] - HALF, "right": x[some] - HALF + wide, "bottom": foot - 0.12, "top": foot}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Centred text; bars."""
        if name == "text":
            font: dict[str, Any] = {"text_font_size": "12px", "text_align": "center", "text_baseline": "middle"}
            return Text(x="x", y="y", text="text", text_color="ink", **font), {}
        ink: dict[str, Any] = {
            "fill_color": BLACK if name == "kept" else ORANGE,
            "line_color": "#FFFFFF",
            "line_width": 0.5,
        }
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        parts = {"text": self.handles["text_glyph"], "renderer": self.handles["text_renderer"]}
        axes = {"x_axis": self.handles["xaxis"], "y_axis": self.handles["yaxis"]}
        room = CustomJS(args={"figure": plot, "y_range": plot.y_range, **axes, **parts}, code=ROOM)
        plot.js_on_change("inner_height", room)
        plot.js_on_change("inner_width", room)
        plot.y_range.js_on_change("end", room)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells."""
        return -0.5, -0.5, element.size - 0.5, element.size - 0.5

    def annotate(self, element: Any) -> None:
        """Names of the classes at both axes."""
        super().annotate(element)
        ticks = list(range(0, element.size, max(1, int(np.ceil(element.size / TICKS)))))
        names = {at: _short(name) for at, name in enumerate(element.classes)}
        for axis in (self.handles["xaxis"], self.handles["yaxis"]):
            if axis.major_label_overrides != names:  # else the browser has thinned them already
                axis.update(ticker=FixedTicker(ticks=ticks), major_label_overrides=names)
        self.handles["xaxis"].major_label_orientation = 0.0 if element.size <= 5 else 0.7

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("truth", "@true"), ("prediction", "@said"), ("rows", "@count{0,0}")]
        return [*tips, ("of the true class", "@of_truth"), ("of those predicted so", "@of_said")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return element.kdims[0], element.kdims[1]


def _percent(share: np.ndarray) -> np.ndarray:
    """As text; nothing where there are no rows to have a share of."""
    return np.array(["" if np.isnan(each) else f"{each:.0%}" for each in share], dtype=object)


def _short(name: str) -> str:
    return name if len(name) <= LONG else name[: LONG - 1] + "…"
