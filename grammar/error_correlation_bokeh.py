"""Bokeh plot of correlated errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import BasicTicker, FixedTicker, LinearColorMapper
from bokeh.models.annotations import ColorBar
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .model_lines_bokeh import short
from .palettes import BLACK, ORANGE, cell_colors
from .row_linked_bokeh import RowLinkedPlot

LONG = 26  # characters of a model's name at the axis; tooltips have all of it
HALF = 0.48  # of a cell's side


class ErrorCorrelationPlot(RowLinkedPlot):
    """Cells, blue-green where models err together and brown where one errs when the other does not.

    Selected models have a frame around their row and their column: black when clicked, orange under the pointer.
    Further layer: `text`.
    """

    named = param.Integer(default=12, bounds=(0, None), doc="Most models with numbers in the cells.")

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per cell."""
        x, y, value = (element.dimension_values(at) for at in range(3))
        names = np.array(element.names, dtype=object)
        sides = {"left": x - HALF, "right": x + HALF, "bottom": y - HALF, "top": y + HALF}
        told = {"one": names[x.astype(int)], "other": names[y.astype(int)], "value": value}
        return sides | told | {"said": [_number(each) or "unknown" for each in value]}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the correlation."""
        mapping = super().mapping(element, style)
        if "color_mapper" not in self.handles:
            self.handles["color_mapper"] = LinearColorMapper(
                palette=cell_colors(signed=True), low=-1, high=1, nan_color="#E4E4E4"
            )
        shade = {"field": "value", "transform": self.handles["color_mapper"]}
        return mapping if "color" in style else mapping | {"fill_color": shade}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Numbers where there is room, and what is selected."""
        x, y, value = (element.dimension_values(at) for at in range(3))
        shown = np.flatnonzero(np.isfinite(value) & (x != y)) if element.size <= self.named else np.zeros(0, int)
        ink = np.where(np.abs(value[shown]) > 0.6, "#FFFFFF", "#222222")
        digits = 2 if element.size <= 6 else 1
        text = [_number(each, digits) for each in value[shown]]
        return {"text": {"x": x[shown], "y": y[shown], "text": text, "ink": ink}, **super().layers(element)}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """A frame around the row, and one around the column, of every model."""
        at, end = element.marks[there], element.size - 0.5
        ends = np.full(len(at), end)
        return {
            "left": np.r_[np.full(len(at), -0.5), at - 0.5],
            "right": np.r_[ends, at + 0.5],
            "bottom": np.r_[at - 0.5, np.full(len(at), -0.5)],
            "top": np.r_[at + 0.5, ends],
        }

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Centred text; frames."""
        if name == "text":
            font: dict[str, Any] = {"text_font_size": "11px", "text_align": "center", "text_baseline": "middle"}
            return Text(x="x", y="y", text="text", text_color="ink", **font), {}
        line: dict[str, Any] = {"fill_color": None, "line_width": 2 if name == "kept" else 3}
        line["line_color"] = BLACK if name == "kept" else ORANGE
        return Quad(left="left", right="right", bottom="bottom", top="top", **line), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells."""
        return -0.5, -0.5, element.size - 0.5, element.size - 0.5

    def annotate(self, element: Any) -> None:
        """Names of the models at the left; below, their places."""
        super().annotate(element)
        every = max(1, int(np.ceil(element.size / 30)))
        at = list(range(0, element.size, every))
        names = {place: f"{short(element.names[place], LONG)}  {place + 1}" for place in at}
        self.handles["yaxis"].update(ticker=FixedTicker(ticks=at), major_label_overrides=names)
        places = {place: str(place + 1) for place in at}
        self.handles["xaxis"].update(ticker=FixedTicker(ticks=at), major_label_overrides=places)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        if "color_mapper" in self.handles:
            look: dict[str, Any] = {"width": 8, "padding": 2, "major_label_text_font_size": "10px"}
            ticker = BasicTicker(desired_num_ticks=4)
            plot.add_layout(ColorBar(color_mapper=self.handles["color_mapper"], ticker=ticker, **look), "right")

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("models", "@other"), ("and", "@one"), ("correlation of errors", "@said")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("x", "correlation of errors between models")), Dimension(("y", " "))


def _number(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else ""
