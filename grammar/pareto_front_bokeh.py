"""Bokeh plot of scores against times."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import HSpan, Line, Text
from holoviews import Dimension

from ..kernels.figures import figure
from .columns import Columns
from .dots_bokeh import DotsPlot, baselines, widened, without_far
from .durations_bokeh import in_words, name_seconds
from .palettes import BLUE, GREY

CARD = (340, 220)  # px of a frame, at least: names have room in it
LETTER = (5.6, 13)  # px
LONG = 26  # characters of a name


class ParetoFrontPlot(DotsPlot):
    """Grey dots, blue ones on the front with the front as steps, and names where they do not run into each other.

    Values far worse than the others lie at the edge, as triangles.

    Further layers: `front`, `names`, `baseline`, `caption`.
    """

    def columns(self, element: Any) -> Columns:
        """One row per model."""
        places, on = self._places(element), self._on_front(element)
        took = [in_words(each) for each in element.dimension_values(0)]
        said = [figure(each, 5) for each in element.dimension_values(1)]
        names, number = element.dimension_values(3), element.dimension_values(2)
        color = np.where(on, BLUE, GREY).astype(object)
        marker = np.where(places["beyond"], "inverted_triangle" if element.larger else "triangle", "circle")
        return {**places, "color": color, "marker": marker, "took": took, "said": said, "name": names, "number": number}

    def _places(self, element: Any) -> Columns:
        seconds, value = element.dimension_values(0), element.dimension_values(1)
        _, low, _, high = self.extents(element)
        small = float(np.clip((500 / max(len(value), 1)) ** 0.5, 0.5, 1))
        size = np.where(self._on_front(element), 8.0, 6.0 * small)
        foot, head = (low * (high / low) ** at if self.logy else low + at * (high - low) for at in (0.03, 0.97))
        beyond = (value < low) | (value > high)
        return {"x": seconds, "y": np.where(beyond, np.clip(value, foot, head), value), "size": size, "beyond": beyond}

    def _on_front(self, element: Any) -> np.ndarray:
        on = np.zeros(len(element), bool)
        on[element.front] = True
        return on

    def layers(self, element: Any) -> dict[str, Columns]:
        """The front with names, the trivial predictor, and what is selected."""
        return {
            **baselines([element.baseline] if len(element) else (), self.extents(element)),
            "front": self._steps(element),
            "names": self._names(element),
            **super().layers(element),
        }

    def _steps(self, element: Any) -> Columns:
        at = element.front
        x, y = element.dimension_values(0)[at], element.dimension_values(1)[at]
        if not len(at):
            return {"x": np.zeros(0), "y": np.zeros(0)}
        return {"x": np.append(np.repeat(x, 2)[1:], element.dimension_values(0).max()), "y": np.repeat(y, 2)}

    def _names(self, element: Any) -> Columns:
        """Of the front, the best first, those whose names overlap no other name."""
        seconds, value, _, name = (element.dimension_values(i) for i in range(4))
        taken: list[tuple[float, float, float]] = []  # left, right and height in px
        shown = []
        spots = {at: self._pixels(element, seconds[at], value[at]) for at in element.front[::-1]}
        for at, (px, py) in spots.items():
            text = _short(str(name[at]))
            long = LETTER[0] * len(text) + 8
            left = px - long if px > long or any(px < x < px + long for x, _ in spots.values()) else px
            if left >= 0 and all(left > r or left + long < x or abs(py - y) > LETTER[1] for x, r, y in taken):
                taken.append((left, left + long, py))
                shown.append((seconds[at], value[at], text, *(("right", -4) if left < px else ("left", 4))))
        side = ("bottom", -3) if element.larger else ("top", 3)  # there, and to the left, are neither dots nor lines
        keys = ("x", "y", "text", "align", "aside", "side", "away")
        return {key: [(*each, *side)[i] for each in shown] for i, key in enumerate(keys)}

    @property
    def _wide(self) -> float:
        return CARD[0] if self.responsive or not self.width else self.width - 70

    def _pixels(self, element: Any, x: float, y: float) -> tuple[float, float]:
        """About where a point lies in the frame: of a card, where its size is not known."""
        x0, low, x1, high = self.extents(element)
        across = np.log(x / x0) / np.log(x1 / x0) if self.logx else (x - x0) / (x1 - x0)
        up = np.log(y / low) / np.log(high / low) if self.logy else (y - low) / (high - low)
        return float(across) * self._wide, float(up) * CARD[1]

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines and small text."""
        font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#222222", "text_baseline": "bottom"}
        halo = {"background_fill_color": "#FFFFFF", "background_fill_alpha": 0.7, "text_color": "#444444"}
        if name == "front":
            return Line(x="x", y="y", line_color=BLUE, line_width=2), {}
        if name == "names":
            return Text(
                x="x",
                y="y",
                text="text",
                text_align="align",
                x_offset="aside",
                y_offset="away",
                **{**font, "text_baseline": "side"},
            ), {}
        if name == "baseline":
            return HSpan(y="y", line_color="#444444", line_dash="dashed", line_width=1), {}
        if name == "caption":
            return Text(x="x", y="y", text="text", x_offset=6, y_offset=-2, **{**font, **halo}), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All models, but of values much worse than most only the edge."""
        seconds, value = element.dimension_values(0), element.dimension_values(1)
        if self.logy:
            value = value[value > 0]
        low, high = widened(*without_far(value, element.larger, self.logy), self.logy, 0.1)
        if not len(seconds):
            return 0.01, low, 10.0, high
        x0, x1 = widened(float(seconds.min()), float(seconds.max()), self.logx, 0.05)
        return x0, float(low), x1, float(high)

    def annotate(self, element: Any) -> None:
        """What the axes show, and times in words."""
        super().annotate(element)
        labels = [dimension.label for dimension in self._get_axis_dims(element)]
        self.handles["xaxis"].axis_label, self.handles["yaxis"].axis_label = labels
        name_seconds(self.handles["xaxis"], self.logx)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("model", "@number: @name"), ("score", "@said"), ("takes", "@took")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("seconds", element.price)), Dimension(("value", element.scored))


def _short(name: str) -> str:
    return name if len(name) <= LONG else name[: LONG - 1] + "…"
