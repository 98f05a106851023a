"""Bokeh plot of a histogram of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Step, Text, VSpan
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot

INK = "#444444"


class ValueHistogramPlot(RowLinkedPlot):
    """Bars; the reference as an outline; of each bar the part that is selected, from below.

    Selected rows are black when clicked, orange under the pointer. Further layers: `reference`, `zero`, `caption`.
    """

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per bar."""
        low, high, rows = (element.dimension_values(at) for at in range(3))
        other = [""] * len(rows) if element.reference is None else [f"{int(each):,}" for each in element.reference]
        return {
            "left": low,
            "right": high,
            "bottom": np.zeros(len(rows)),
            "top": rows.astype(float),
            "bin": np.array([f"{a:.4g} to {b:.4g}" for a, b in zip(low, high, strict=True)], dtype=object),
            "rows": rows,
            "other": np.array(other, dtype=object),
        }

    def layers(self, element: Any) -> dict[str, Columns]:
        """The reference, zero, means, and what is selected."""
        low, high = element.dimension_values(0), element.dimension_values(1)
        x, y = np.zeros(0), np.zeros(0)
        if element.reference is not None and len(low):
            x = np.concatenate([low[:1], low, high[-1:], high[-1:]])
            y = np.concatenate([[0.0], element.reference, element.reference[-1:], [0.0]])
        x0, _, _, y1 = self.extents(element)
        there = len(element) and element.reference is not None
        zero = np.zeros(1 if len(low) and low[0] < 0 < high[-1] else 0)
        return {
            **super().layers(element),
            "reference": {"x": x, "y": y},
            "zero": {"x": zero},
            "caption": {
                "x": [x0] if there else [],
                "y": [y1] if there else [],
                "text": [f"outline: {element.compared}"] if there else [],
            },
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Of each bar the part of the selected rows."""
        counts = element.counts_of(there)
        some = np.flatnonzero(counts)
        least = 0.01 * self.extents(element)[3]  # one of many must still be seen
        low, high = element.dimension_values(0)[some], element.dimension_values(1)[some]
        return {"left": low, "right": high, "bottom": np.zeros(len(some)), "top": np.maximum(counts[some], least)}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Bars, lines, small text."""
        if name == "reference":
            return Step(x="x", y="y", mode="after", line_color=INK, line_width=1.5), {}
        if name == "zero":
            return VSpan(x="x", line_color=INK, line_dash="dashed", line_width=1), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": INK, "text_baseline": "top"}
            return Text(x="x", y="y", text="text", x_offset=6, y_offset=4, **font), {}
        ink: dict[str, Any] = {"fill_color": BLACK if name == "kept" else ORANGE, "line_color": None}
        ink |= {"fill_alpha": 0.75 if name == "kept" else 1.0}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bars, and the outline."""
        low, high, rows = (element.dimension_values(at) for at in range(3))
        most = max(rows.max(initial=element.most), 0 if element.reference is None else element.reference.max(initial=0))
        if not len(low):
            return 0.0, 0.0, 1.0, 1.0
        return float(low[0]), 0.0, float(high[-1]), 1.15 * float(most or 1)

    def annotate(self, element: Any) -> None:
        """A patched element may be of another value."""
        super().annotate(element)
        if self.xlabel is None:
            self.handles["xaxis"].axis_label = element.what

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [(element.what, "@bin"), ("rows", "@rows{0,0}")]
        return tips + ([] if element.reference is None else [(element.compared, "@other")]), {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("low", element.what)), Dimension("rows")
