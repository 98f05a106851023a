"""What plots of a dot per row have in common: rings around those that are selected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Scatter
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot


class DotsPlot(RowLinkedPlot):
    """A dot per mark. Subclasses' `columns` have x, y, size, color and marker.

    Layers `kept` and `lit` are rings around dots: black when clicked, orange under the pointer.
    """

    borders = {"min_border_left": 60, "min_border_right": 26}  # half of a tick's label reaches beyond the frame

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "scatter"}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Places, sizes, shapes and colours come from columns."""
        mapping = {"x": "x", "y": "y", "size": "size", "marker": "marker"}
        return mapping if "color" in style else mapping | {"fill_color": "color", "line_color": "color"}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The dots of the selected rows."""
        places = self._places(element)
        some = np.unique(element.marks[there])
        return {axis: places[axis][some] for axis in ("x", "y", "size")} | {"ring": places["size"][some] + 4}

    def _places(self, element: Any) -> Columns:
        """Columns x, y and size of the dots; of a plot whose columns take long a part of them."""
        return self.columns(element)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Rings."""
        if name == "lit":
            return Scatter(x="x", y="y", size="ring", fill_color=ORANGE, line_color="#FFFFFF", line_width=1), {}
        return Scatter(x="x", y="y", size="ring", fill_color=None, line_color=BLACK, line_width=2), {}


def baselines(known: Iterable[float], extents: tuple[float, float, float, float]) -> dict[str, Columns]:
    """Layers `baseline` and `caption` of trivial predictors; of those beyond the axis only the caption, at its end."""
    x0, low, _, high = extents
    values = sorted({float(each) for each in known if np.isfinite(each)})
    inside = [each for each in values if low <= each <= high]
    room = 0.08 * (high - low)
    y = [float(np.clip(each, low, high - room)) for each in values]
    words = [f"trivial predictor {figure(each)}" + ("" if each in inside else ", not on this axis") for each in values]
    return {"baseline": {"y": np.array(inside)}, "caption": {"x": [x0] * len(values), "y": y, "text": words}}


def widened(low: float, high: float, log: bool, share: float = 0.06) -> tuple[float, float]:
    """A range with room at both ends; also of one number, or none."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return (0.1, 1.0) if log else (0.0, 1.0)
    if log:
        low = low if low > 0 else (high / 1000 if high > 0 else 0.1)
        ratio = max(high / low, 1.2) ** share
        return low / ratio, max(high, low) * ratio
    room = share * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room


def without_far(values: np.ndarray, larger: bool, log: bool) -> tuple[float, float]:
    """Least and greatest value, at the bad end none farther than three box lengths from the box."""
    if not len(values):
        return float("nan"), float("nan")
    low, q1, q3, high = np.quantile(values, [0, 0.25, 0.75, 1])
    if log or q3 == q1:
        return low, high
    return (max(low, q1 - 3 * (q3 - q1)), high) if larger else (low, min(high, q3 + 3 * (q3 - q1)))
