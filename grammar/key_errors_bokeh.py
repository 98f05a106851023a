"""Bokeh plot of errors by key."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import FixedTicker
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Line, Text
from holoviews import Dimension

from .columns import Columns
from .dots_bokeh import DotsPlot
from .palettes import BLUE, GREY

TICKS = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
GROUPS = 6  # of keys alike in their ratings, whose mean error the line shows
FEWEST = 12  # keys from which on there is a line


class KeyErrorsPlot(DotsPlot):
    """Dots whose size tells of how many rows the error is; a line through the mean errors of keys alike in number.

    The axis of ratings is logarithmic, from 0. Further layers: `trend`, `caption`.
    """

    def columns(self, element: Any) -> Columns:
        """One row per key."""
        ratings, error, rows, key = (element.dimension_values(at) for at in range(4))
        return {
            **self._places(element),
            "color": np.full(len(key), BLUE, dtype=object),
            "marker": np.full(len(key), "circle", dtype=object),
            "key": key,
            "ratings": ratings,
            "error": error,
            "rows": rows,
        }

    def _places(self, element: Any) -> Columns:
        ratings, error, rows = (element.dimension_values(at) for at in range(3))
        small = float(np.clip((400 / max(len(rows), 1)) ** 0.5, 0.4, 1))
        size = small * np.clip(4 + 2.5 * np.log2(np.maximum(rows, 1)), 4, 16)
        return {"x": _x(ratings), "y": error, "size": size}

    def layers(self, element: Any) -> dict[str, Columns]:
        """The line, and what is selected."""
        x, y = self._trend(element)
        there = len(x) > 0
        x0, _, _, y1 = self.extents(element)
        caption = {
            "x": [x0] if there else [],
            "y": [y1] if there else [],
            "text": ["line: mean error"] if there else [],
        }
        return {"trend": {"x": x, "y": y}, "caption": caption, **super().layers(element)}

    def _trend(self, element: Any) -> tuple[np.ndarray, np.ndarray]:
        ratings, error, rows = (element.dimension_values(at) for at in range(3))
        if len(ratings) < FEWEST:
            return np.zeros(0), np.zeros(0)
        groups = np.array_split(np.argsort(ratings, kind="stable"), min(GROUPS, len(ratings) // 4))
        x = np.array([_x(ratings[at]).mean() for at in groups])
        return x, np.array([np.average(error[at], weights=np.maximum(rows[at], 1)) for at in groups])

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """A line, small text, rings."""
        if name == "trend":
            return Line(x="x", y="y", line_color=GREY, line_width=2), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "top"}
            return Text(x="x", y="y", text="text", x_offset=6, y_offset=4, **font), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All keys."""
        ratings, error = element.dimension_values(0), element.dimension_values(1)
        return -0.3, 0.0, float(_x(ratings).max(initial=1.0)) + 0.3, 1.12 * float(error.max(initial=element.most) or 1)

    def annotate(self, element: Any) -> None:
        """Whole numbers on the axis of ratings."""
        super().annotate(element)
        last = float(element.dimension_values(0).max(initial=1))
        names = {float(_x(np.array(each))): f"{each:,}" for each in TICKS if each <= last}
        axis = self.handles["xaxis"]
        axis.update(ticker=FixedTicker(ticks=list(names)), major_label_overrides=names)
        if self.xlabel is None:
            axis.axis_label = _called(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [(element.what, "@key"), ("ratings learned from", "@ratings{0,0}")]
        return [*tips, ("mean absolute error", "@error{0.[000]}"), ("of rows", "@rows{0,0}")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("ratings", _called(element))), Dimension(("error", "mean absolute error"))


def _called(element: Any) -> str:
    return f"ratings of each {element.what}"


def _x(ratings: np.ndarray) -> np.ndarray:
    return np.log2(1 + ratings)
