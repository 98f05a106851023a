"""Bokeh plot of what models are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import FixedTicker
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Scatter, Segment, Text
from holoviews import Dimension

from ..kernels.figures import figure
from .columns import Columns
from .model_grid_bokeh import ModelGridPlot
from .palettes import BLUE

HIGH = 3.0  # of the axis of scores above the matrix, in rows
GAP = 0.8  # between that axis and the matrix, in rows
TICKS = 3  # on that axis, about


class StepMatrixPlot(ModelGridPlot):
    """Dots in a grid, the scores on an axis of their own above; the column of a selected model is framed.

    Further layers: `dots`, `scores`, `ticks` of their axis, `rules` (between kinds of steps), `caption`.
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
        # The score belongs to the model's first cell, so that pointing at it tells of the model.
        return {**shape, **told, "bottom": np.where(y == 0, -0.5 - GAP - HIGH, shape["bottom"])}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Dots, scores, rules, and what is selected."""
        x, y, share = (element.dimension_values(i) for i in range(3))
        there = share > 0
        at, known = np.arange(len(element.names)), np.isfinite(element.scores)
        kinds = [kind for kind, _ in element.steps]
        rules = [row - 0.5 for row in range(1, len(kinds)) if kinds[row] != kinds[row - 1]]
        ticks = [_height(element, tick) for tick in score_ticks(element)]
        dots = {"x": x[there], "y": y[there], "size": 3 + 6 * np.sqrt(np.minimum(share[there], 1))}
        return {
            "rules": {"x0": [-0.5] * len(rules), "x1": [len(at) - 0.5] * len(rules), "y": rules},
            "ticks": {"x0": [-0.5] * len(ticks), "x1": [len(at) - 0.5] * len(ticks), "y": ticks},
            "scores": {"x": at[known], "y": _height(element, element.scores[known])},
            "dots": dots,
            "caption": {"x": [-0.5], "y": [-0.5 - GAP - HIGH - 0.3], "text": [_caption(element)]},
            **super().layers(element),
        }

    def reach(self, element: Any) -> tuple[float, float]:
        """Scores and cells."""
        return -0.5 - GAP - HIGH, len(element.steps) - 0.5

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Dots, thin lines, frames."""
        if name == "dots":
            return Scatter(x="x", y="y", size="size", fill_color=BLUE, line_color=None), {}
        if name == "scores":
            return Scatter(x="x", y="y", size=8, fill_color=BLUE, line_color="#FFFFFF"), {}
        if name in ("rules", "ticks"):
            color = "#888888" if name == "rules" else "#D5D5D5"
            return Segment(x0="x0", x1="x1", y0="y", y1="y", line_color=color, line_width=1), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "bottom"}
            return Text(x="x", y="y", text="text", **font), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells, with the scores and the caption above."""
        return -0.6, -0.5 - GAP - HIGH - 1.6, max(len(element.names), 1) - 0.4, len(element.steps) - 0.4

    def annotate(self, element: Any) -> None:
        """Names of the steps, numbers of the models, ticks of the scores."""
        super().annotate(element)
        self.name_axes(element, len(element.names), [_title(step) for step in element.steps])
        ticks = score_ticks(element)
        axis, told = self.handles["yaxis"], {_height(element, tick): text for tick, text in ticks.items()}
        axis.ticker = FixedTicker(ticks=[*told, *axis.ticker.ticks])
        axis.major_label_overrides = axis.major_label_overrides | told

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("model", "@number: @name"), ("score", "@score"), ("@step", "@has")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        more = f"; {element.left_out:,} more" if element.left_out else ""
        return Dimension(("model", f"models, best first{more}")), Dimension(("step", " "))


def score_ticks(element: Any) -> dict[float, str]:
    """Round numbers between the worst and the best score that is shown, or these two, and how they are written."""
    low, high = _span(element)
    if not high > low:
        return {}
    step = round_step((high - low) / TICKS)
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    ticks = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return {float(tick): f"{tick:.{digits}f}" for tick in ticks}


def round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten that is not below a number."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(each * power for each in (1, 2, 5, 10) if each * power >= wanted * (1 - 1e-9)))


def _span(element: Any) -> tuple[float, float]:
    """Ends of the axis of scores: with a little room, also where all are alike."""
    known = element.scores[np.isfinite(element.scores)]
    if not len(known):
        return 0.0, 0.0
    low, high = float(known.min()), float(known.max())
    room = 0.15 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room


def _height(element: Any, score: Any) -> Any:
    """Where a score lies above the matrix: the better the higher."""
    low, high = _span(element)
    part = (score - low) / ((high - low) or 1.0)
    return -0.5 - GAP - HIGH * (part if element.larger else 1 - part)


def _caption(element: Any) -> str:
    """What the axis above is of."""
    return str(element.scored) if np.isfinite(element.scores).any() else ""


def _title(step: tuple[str, str]) -> str:
    return step[1] if step[0] in ("", "model") else f"{step[0]}: {step[1]}"


def _has(share: float) -> str:
    return "yes" if share >= 1 else "no" if share <= 0 else f"{share:.0%} of the ensemble"
