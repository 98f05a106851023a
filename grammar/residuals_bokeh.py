"""Bokeh plot of residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import HSpan, Quad, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot


class ResidualsPlot(RowLinkedPlot):
    """Bars from zero, or from the least to the largest of several rows; lines at plus and minus the mean error.

    Selected rows are drawn over their bars: black when clicked, orange under the pointer. Further layers: `mean`,
    `caption`.
    """

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per bar."""
        place, low, high, rows, true, said = (element.dimension_values(i) for i in range(6))
        return {
            "left": place - rows / 2,
            "right": place + rows / 2,
            "bottom": np.minimum(low, 0),
            "top": np.maximum(high, 0),
            "low": low,
            "high": high,
            "rows": rows,
            "true": true,
            "said": said,
            "id": self._ids(element),
            "error": [_span(a, b) for a, b in zip(low, high, strict=True)],
        }

    def _ids(self, element: Any) -> np.ndarray:
        """Of a bar of one row its id, of others how many there are."""
        text = np.array([f"{int(count):,} rows" for count in element.dimension_values(3)], dtype=object)
        for mark, id_ in zip(element.marks, element.ids, strict=True):
            if mark >= 0 and text[mark] == "1 rows":
                text[mark] = str(id_)
        return text

    def layers(self, element: Any) -> dict[str, Columns]:
        """Mean error, what it is, and what is selected."""
        error = element.mean_error
        there = np.isfinite(error) and len(element)
        x0, _, _, y1 = self.extents(element)
        words = [f"mean absolute error {figure(error)}"] if there else []
        return {
            "mean": {"y": np.array([-error, error] if there else [])},
            "caption": {"x": [x0] if there else [], "y": [y1] if there else [], "text": words},
            **super().layers(element),
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Of each bar the part of the selected rows."""
        place, rows = element.dimension_values(0), element.dimension_values(3)
        low, high = np.full(len(place), np.inf), np.full(len(place), -np.inf)
        np.minimum.at(low, element.marks[there], element.residuals[there])
        np.maximum.at(high, element.marks[there], element.residuals[there])
        some = np.flatnonzero(high >= low)
        half = np.maximum(rows[some] / 2, 0.002 * len(element.ids))  # one of many must still be seen
        sides = {"left": place[some] - half, "right": place[some] + half}
        return {**sides, "bottom": np.minimum(low[some], 0), "top": np.maximum(high[some], 0)}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Bars, dashed lines, small text."""
        if name == "mean":
            return HSpan(y="y", line_color="#444444", line_dash="dashed", line_width=1), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "top"}
            return Text(x="x", y="y", text="text", x_offset=6, y_offset=4, **font), {}
        ink: dict[str, Any] = {"fill_color": BLACK if name == "kept" else ORANGE, "line_color": None}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bars, with zero in the middle."""
        most = (
            float(max(np.abs(element.residuals).max(initial=element.reach), np.nan_to_num(element.mean_error))) or 1.0
        )
        rows = float(np.sum(element.dimension_values(3)))
        return -0.5, -1.15 * most, max(rows - 0.5, 0.5), 1.15 * most

    def annotate(self, element: Any) -> None:
        """A patched element may be in another order."""
        super().annotate(element)
        if self.xlabel is None:
            self.handles["xaxis"].axis_label = _way(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("row", "@id"), ("truth", "@true{0.[000] a}"), ("prediction", "@said{0.[000] a}")]
        return [*tips, ("prediction - truth", "@error")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("place", _way(element))), Dimension(("low", "prediction - truth"))


def _way(element: Any) -> str:
    way = {"size": "by size of the error", "row": "in their order"}.get(element.order, f"by {element.order}")
    return f"rows, {way}"


def _span(low: float, high: float) -> str:
    return " to ".join(dict.fromkeys(figure(each, sign=True) for each in (low, high)))
