"""Bokeh plot of disagreement."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, BasicTickFormatter, LinearColorMapper, NumeralTickFormatter
from bokeh.models.annotations import ColorBar
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .palettes import BLACK, ORANGE, cell_colors
from .row_linked_bokeh import RowLinkedPlot


class DisagreementPlot(RowLinkedPlot):
    """Bars, darker where fewer models are right, or where errors of numbers are larger.

    Selected rows are drawn over their bars: black when clicked, orange under the pointer. Further layer: `caption`.
    """

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per bar."""
        place, low, high, rows, right, truth, most = (element.dimension_values(at) for at in range(7))
        shape = {"left": place - rows / 2, "right": place + rows / 2, "bottom": np.zeros(len(place)), "top": high}
        told = {"true": truth, "said": most, "id": _ids(element), "value": right}
        labels = element.kind == "labels"
        told["shade"] = [f"{each:.0%} of models" if labels else figure(each) for each in right]
        return shape | told | {"far": [_span(a, b, labels) for a, b in zip(low, high, strict=True)]}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells who is right."""
        mapping = super().mapping(element, style)
        if "color_mapper" not in self.handles:
            self.handles["color_mapper"] = LinearColorMapper(palette=["#000000"], nan_color="#BBBBBB")
        shade = {"field": "value", "transform": self.handles["color_mapper"]}
        return mapping if "color" in style else mapping | {"fill_color": shade}

    def layers(self, element: Any) -> dict[str, Columns]:
        """How many rows are in dispute, and what is selected."""
        _, _, x1, y1 = self.extents(element)
        there = 1 if len(element.ids) else 0
        words = [f"models disagree in {element.disputed:,} of {len(element.ids):,} rows"] * there
        return {"caption": {"x": [x1] * there, "y": [y1] * there, "text": words}, **super().layers(element)}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Of each bar the part of the selected rows."""
        place, rows = element.dimension_values(0), element.dimension_values(3)
        high = np.zeros(len(place))
        np.maximum.at(high, element.marks[there], element.disagreements[there])
        some = np.flatnonzero(high)
        half = np.maximum(rows[some] / 2, 0.002 * element.disputed)  # one of many must still be seen
        sides = {"left": place[some] - half, "right": place[some] + half}
        return {**sides, "bottom": np.zeros(len(some)), "top": high[some]}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Bars, and small text."""
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_align": "right"}
            return Text(x="x", y="y", text="text", text_baseline="top", x_offset=-4, y_offset=3, **font), {}
        ink: dict[str, Any] = {"fill_color": BLACK if name == "kept" else ORANGE, "line_color": None}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bars, with room for a word above."""
        most = float(element.dimension_values(2).max(initial=0.0)) or 1.0
        return -0.5, 0.0, max(element.disputed - 0.5, 0.5), 1.18 * most

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        """Also without marks: there is still something to say."""
        if range_type in ("combined", "data"):
            return self.extents(element)
        return super()._get_range_extents(element, ranges, range_type, *dims)

    def annotate(self, element: Any) -> None:
        """What colours and bars mean."""
        super().annotate(element)
        labels = element.kind == "labels"
        shade = element.dimension_values(4)
        top = 1.0 if labels else float(shade[np.isfinite(shade)].max(initial=0.0)) or 1.0
        dark_is_wrong = cell_colors()[::-1] if labels else cell_colors()
        self.handles["color_mapper"].update(palette=dark_is_wrong, low=0.0, high=top)
        percent = NumeralTickFormatter(format="0%") if labels else BasicTickFormatter()
        self.handles["yaxis"].update(ticker=BasicTicker(desired_num_ticks=4), formatter=percent)
        if "colorbar" in self.handles:
            title = "share right" if labels else "mean error"
            self.handles["colorbar"].update(title=title, formatter=percent.clone())
        if self.ylabel is None:
            self.handles["yaxis"].axis_label = _far(element)
        if self.handles.get("hover") is not None:
            self.handles["hover"].tooltips = self._hover_opts(element)[0]

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        look: dict[str, Any] = {"width": 8, "padding": 2, "major_label_text_font_size": "10px"}
        ticker = BasicTicker(desired_num_ticks=3)
        bar = ColorBar(color_mapper=self.handles["color_mapper"], ticker=ticker, title_text_font_size="10px", **look)
        self.handles["colorbar"] = bar
        plot.add_layout(bar, "right")
        self.annotate(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        labels = element.kind == "labels"
        tips = [("row", "@id"), ("truth", "@true"), ("most say" if labels else "mean of the models", "@said")]
        shade = ("right", "@shade") if labels else ("mean absolute error", "@shade")
        return [*tips, ("others" if labels else "standard deviation", "@far"), shade], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("place", "rows, the most disputed first")), Dimension(("far", _far(element)))


def _far(element: Any) -> str:
    return "models that dissent" if element.kind == "labels" else "spread between models"


def _ids(element: Any) -> np.ndarray:
    """Of a bar of one row its id, of others how many there are."""
    text = np.array([f"{int(count):,} rows" for count in element.dimension_values(3)], dtype=object)
    alone = np.isin(element.marks, np.flatnonzero(element.dimension_values(3) == 1))
    text[element.marks[alone]] = [str(each) for each in element.ids[alone]]
    return text


def _span(low: float, high: float, share: bool) -> str:
    ends = [f"{each:.0%}" if share else figure(each) for each in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
