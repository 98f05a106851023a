"""Bokeh plot of what models are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Scatter, Segment, Text
from holoviews import Dimension

from ..kernels.figures import figure
from .columns import Columns
from .model_grid_bokeh import ModelGridPlot
from .palettes import BLUE, SKY_BLUE

HIGH = 3.0  # of the bars above the matrix, in rows
GAP = 0.8  # between bars and matrix, in rows


class StepMatrixPlot(ModelGridPlot):
    """Dots in a grid, bars of the scores above; the column of a selected model is framed.

    Further layers: `dots`, `bars`, `rules` (between kinds of steps), `caption`.
    """

    def columns(self, element: Any) -> Columns:
        """One row per cell, dot or no dot."""
        x, y, share = (element.dimension_values(i) for i in range(3))
        steps = np.array([_title(step) for step in element.steps], dtype=object)
        names = np.array(element.names, dtype=object)
        score = np.array([figure(each, 5) if np.isfinite(each) else "" for each in element.scores], dtype=object)
        has = np.array([_has(each) for each in share], dtype=object)
        shape = {"left": x - 0.5, "right": x + 0.5, "bottom": y - 0.5, "top": y + 0.5}
        told = {"number": element.ids, "name": names[x], "score": score[x], "step": steps[y], "has": has}
        # The bar belongs to the model's first cell, so that pointing at it tells of the model.
        return {**shape, **told, "bottom": np.where(y == 0, -0.5 - GAP - HIGH, shape["bottom"])}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Dots, bars, rules, and what is selected."""
        x, y, share = (element.dimension_values(i) for i in range(3))
        there = share > 0
        at, tall = np.arange(len(element.names)), _tall(element.scores, element.larger)
        kinds = [kind for kind, _ in element.steps]
        rules = [row - 0.5 for row in range(1, len(kinds)) if kinds[row] != kinds[row - 1]]
        foot = -0.5 - GAP
        dots = {"x": x[there], "y": y[there], "size": 3 + 6 * np.sqrt(np.minimum(share[there], 1))}
        return {
            "rules": {"x0": [-0.5] * len(rules), "x1": [len(at) - 0.5] * len(rules), "y": rules},
            "bars": {"left": at - 0.4, "right": at + 0.4, "bottom": np.full(len(at), foot), "top": foot - HIGH * tall},
            "dots": dots,
            "caption": {"x": [-0.5], "y": [foot - HIGH - 0.3], "text": [_caption(element)]},
            **super().layers(element),
        }

    def reach(self, element: Any) -> tuple[float, float]:
        """Bars and cells."""
        return -0.5 - GAP - HIGH, len(element.steps) - 0.5

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Dots, bars, thin lines, frames."""
        if name == "dots":
            return Scatter(x="x", y="y", size="size", fill_color=BLUE, line_color=None), {}
        if name == "bars":
            return Quad(
                left="left", right="right", bottom="bottom", top="top", fill_color=SKY_BLUE, line_color=None
            ), {}
        if name == "rules":
            return Segment(x0="x0", x1="x1", y0="y", y1="y", line_color="#888888", line_width=1), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "bottom"}
            return Text(x="x", y="y", text="text", **font), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells, with the bars and the caption above."""
        return -0.6, -0.5 - GAP - HIGH - 1.6, max(len(element.names), 1) - 0.4, len(element.steps) - 0.4

    def annotate(self, element: Any) -> None:
        """Names of the steps, numbers of the models."""
        super().annotate(element)
        self.name_axes(element, len(element.names), [_title(step) for step in element.steps])

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("model", "@number: @name"), ("score", "@score"), ("@step", "@has")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        more = f"; {element.left_out:,} more" if element.left_out else ""
        return Dimension(("model", f"models, best first{more}")), Dimension(("step", " "))


def _tall(scores: np.ndarray, larger: bool) -> np.ndarray:
    """Heights of bars from 0.1 for the worst to 1 for the best; 0 without a score."""
    known = np.where(np.isfinite(scores), scores if larger else -scores, np.nan)
    if np.isnan(known).all():
        return np.zeros(len(scores))
    low, high = np.nanmin(known), np.nanmax(known)
    return np.nan_to_num(0.1 + 0.9 * (known - low) / (high - low) if high > low else known * 0 + 1)


def _caption(element: Any) -> str:
    """What the bars say: they start at the worst model that is shown, not at zero."""
    known = element.scores[np.isfinite(element.scores)]
    if not len(known):
        return ""
    worst, best = (known.min(), known.max()) if element.larger else (known.max(), known.min())
    return f"{figure(best)} to {figure(worst)}, {element.scored}"


def _title(step: tuple[str, str]) -> str:
    return step[1] if step[0] in ("", "model") else f"{step[0]}: {step[1]}"


def _has(share: float) -> str:
    return "yes" if share >= 1 else "no" if share <= 0 else f"{share:.0%} of the ensemble"
