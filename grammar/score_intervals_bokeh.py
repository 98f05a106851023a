"""Bokeh plot of scores and their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, BasicTickFormatter, FixedTicker, LogTicker
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Scatter, Segment, Text, VSpan, VStrip
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .model_lines_bokeh import short
from .palettes import BLACK, BLUE, ORANGE
from .row_linked_bokeh import RowLinkedPlot

LONG = 26  # characters of a model's name at the axis; tooltips have all of it
NAMED = 40  # models with names


class ScoreIntervalsPlot(RowLinkedPlot):
    """A row per model that takes the pointer, over it a dot and the line of its interval; the baseline is a band.

    Further layers: `band`, `baseline`, `caption`, `interval`, `dot`.
    """

    borders = {"min_border_left": 60, "min_border_right": 12}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "hstrip"}

    def columns(self, element: Any) -> Columns:
        """One row per model."""
        place, value, low, high = (element.dimension_values(i) for i in range(4))
        told = {"name": np.array(element.names, dtype=object), "said": [figure(each) for each in value]}
        between = [f"{figure(a)} to {figure(b)}" if b >= a else "unknown" for a, b in zip(low, high, strict=True)]
        rank = [f"{at + 1} of {len(place) + element.left_out}" for at in range(len(place))]
        return {"low": place - 0.5, "high": place + 0.5, **told, "between": between, "rank": rank}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """The whole width of a row."""
        return {"y0": "low", "y1": "high"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Intervals and dots, the baseline, and what is selected."""
        place, value, low, high = (element.dimension_values(i) for i in range(4))
        base, least, most = self._baseline(element)
        some = np.flatnonzero(np.isfinite(base))
        words = [f" trivial {figure(each)} " for each in base]
        x0, _, x1, _ = self.extents(element)
        middle = np.sqrt(x0 * x1) if self.logx else (x0 + x1) / 2
        side = ["right" if each > middle else "left" for each in base]
        return {
            "band": {"x0": least[some], "x1": most[some]},
            "baseline": {"x": base[some]},
            "caption": {
                "x": base[some],
                "y": np.full(len(some), -0.5),
                "text": [words[at] for at in some],
                "side": [side[at] for at in some],
            },
            **super().layers(element),
            "interval": {"x0": low, "x1": high, "y": place},
            "dot": {"x": value, "y": place},
        }

    def _baseline(self, element: Any) -> np.ndarray:
        """(3, 0 or 1) value, low and high; an interval that is not known has no width."""
        if element.baseline is None:
            return np.zeros((3, 0))
        value, low, high = (float(each) for each in element.baseline)
        return np.array([value, low if low <= value else value, high if high >= value else value])[:, None]

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The rows of the models."""
        some = np.flatnonzero(element.counts_of(there))
        value, low, high = (element.dimension_values(i)[some] for i in (1, 2, 3))
        return {"x0": low, "x1": high, "x": value, "y": some.astype(float)}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Bands and lines; a selected model's dot has a ring around it."""
        if name == "band":
            return VStrip(x0="x0", x1="x1", fill_color="#EDEDED", line_color=None), {"level": "underlay"}
        if name == "baseline":
            return VSpan(x="x", line_color="#666666", line_dash="dashed"), {"level": "underlay"}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "bottom"}
            return Text(x="x", y="y", text="text", text_align="side", y_offset=-2, **font), {}
        if name == "interval":
            return Segment(x0="x0", x1="x1", y0="y", y1="y", line_color=BLUE, line_width=2), {}
        if name == "dot":
            return Scatter(x="x", y="y", size=7, fill_color=BLUE, line_color="#FFFFFF"), {}
        ring: dict[str, Any] = {"fill_color": "#FFFFFF", "line_width": 3 if name == "kept" else 6}
        return Scatter(x="x", y="y", size=13, line_color=BLACK if name == "kept" else ORANGE, **ring), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All intervals and the baseline, with a row above for its caption."""
        ends = np.concatenate([*(element.dimension_values(i) for i in (1, 2, 3)), *self._baseline(element)])
        ends = ends[np.isfinite(ends) & ((ends > 0) | (not self.logx))]
        low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.1, 1.0)
        if self.logx:
            wide = (high / low) ** 0.05 if high > low else 1.1
            low, high = low / wide, high * wide
        else:
            wide = 0.06 * (high - low) or 0.05 * abs(high) or 0.05
            low, high = low - wide, high + wide
        above = 0.0 if element.baseline is None else max(0.8, 0.08 * len(element))
        return low, -0.5 - above, high, max(len(element), 1) - 0.5 + (element.left_out > 0)

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        """Also without marks: there is still something to say."""
        if range_type in ("combined", "data"):
            return self.extents(element)
        return super()._get_range_extents(element, ranges, range_type, *dims)

    def annotate(self, element: Any) -> None:
        """Names of the models, how many are left out, and what the score is."""
        super().annotate(element)
        every = max(1, int(np.ceil(len(element) / NAMED)))
        names = {at: short(element.names[at], LONG) for at in range(0, len(element), every)}
        if element.left_out:
            names[len(element)] = f"and {element.left_out:,} more"
        self.handles["yaxis"].update(ticker=FixedTicker(ticks=list(names)), major_label_overrides=names)
        ticker = LogTicker(desired_num_ticks=4) if self.logx else BasicTicker(desired_num_ticks=4)
        self.handles["xaxis"].update(ticker=ticker, formatter=BasicTickFormatter(precision="auto"))
        if self.xlabel is None:
            self.handles["xaxis"].axis_label = _title(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("model", "@name"), ("score", "@said"), ("95% interval", "@between"), ("place", "@rank")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("value", _title(element))), Dimension(("place", " "))


def _title(element: Any) -> str:
    return f"{element.metric} ({'larger' if element.larger_is_better else 'smaller'} is better)"
