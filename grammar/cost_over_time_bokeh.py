"""Bokeh plot of what studies found when."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, LogTicker, NumeralTickFormatter
from bokeh.models.annotations.legends import Legend, LegendItem
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import HSpan, MultiLine, Text, VSpan
from holoviews import Dimension

from ..kernels.figures import figure
from .columns import Columns
from .cost_over_time import KINDS
from .dots_bokeh import DotsPlot, baselines, widened, without_far
from .durations_bokeh import in_words, name_seconds
from .palettes import BLUE, BLUISH_GREEN, GREY, SKY_BLUE, VERMILLION

COLORS = (BLUE, VERMILLION, BLUISH_GREEN, "#CC79A7", SKY_BLUE, "#5D4B20", GREY)  # of studies
MARKERS = np.array(["circle", "circle", "star", "x"], dtype=object)  # by kind
SIZES = np.array([6.0, 3.0, 14.0, 7.0])


class CostOverTimePlot(DotsPlot):
    """Dots, small ones for trials on part of the data, stars for ensembles, crosses at the foot for failures.

    Values far worse than the others lie at the edge, as triangles. Further layers: `best` (a step line per study),
    `baseline`, `caption`, `pauses`.
    """

    def columns(self, element: Any) -> Columns:
        """One row per trial."""
        kind, study = element.dimension_values(3), element.dimension_values(4)
        places = self._places(element)
        marker = np.where(places["beyond"], "inverted_triangle" if element.larger else "triangle", MARKERS[kind])
        color = np.array(COLORS, dtype=object)[study % len(COLORS)]
        if len(element.studies) == 1:
            color = np.where(kind == KINDS.index("failed"), VERMILLION, color)
        value, reason = element.dimension_values(1), element.dimension_values(7)
        said = [figure(v, 5) if np.isfinite(v) else f"none: {r}" for v, r in zip(value, reason, strict=True)]
        names = np.array([*element.studies, ""], dtype=object)[study]
        told = {"name": element.dimension_values(6), "number": element.dimension_values(2), "said": said}
        took = [in_words(each) for each in element.dimension_values(5)]
        return {**places, **told, "marker": marker, "color": color, "took": took, "in_study": names}

    def _places(self, element: Any) -> Columns:
        ended, value, _, kind = (element.dimension_values(i) for i in range(4))
        _, low, _, high = self.extents(element)
        beyond = (value < low) | (value > high)
        foot, head = (low * (high / low) ** at if self.logy else low + at * (high - low) for at in (0.03, 0.97))
        y = np.where(beyond, np.clip(value, foot, head), np.where(np.isfinite(value), value, foot))
        size = SIZES[kind] * np.clip(np.sqrt(500 / max(len(value), 1)), 0.5, 1)  # of thousands each is small
        return {"x": ended, "y": y, "size": np.where(kind == KINDS.index("ensemble"), SIZES[2], size), "beyond": beyond}

    def layers(self, element: Any) -> dict[str, Columns]:
        """The best so far, the trivial predictor, pauses, and what is selected."""
        lines = [element.best(at) for at in range(len(element.studies))]
        there = [at for at, (x, _) in enumerate(lines) if len(x)]
        best = {
            "xs": [lines[at][0] for at in there],
            "ys": [lines[at][1] for at in there],
            "color": [COLORS[at % len(COLORS)] for at in there],
            "study": [element.studies[at] for at in there],
        }
        return {
            "pauses": {"x": element.pauses},
            **baselines(element.baselines if len(element) else (), self.extents(element)),
            "best": best,
            **super().layers(element),
        }

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Step lines, dashed and dotted lines, small text, rings."""
        if name == "best":
            return MultiLine(xs="xs", ys="ys", line_color="color", line_width=2), {}
        if name == "baseline":
            return HSpan(y="y", line_color="#444444", line_dash="dashed", line_width=1), {}
        if name == "pauses":
            return VSpan(x="x", line_color="#BBBBBB", line_dash="dotted", line_width=1), {"level": "underlay"}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "bottom"}
            font |= {"background_fill_color": "#FFFFFF", "background_fill_alpha": 0.7}
            return Text(x="x", y="y", text="text", x_offset=6, y_offset=-2, **font), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All trials, but of values much worse than most only the edge."""
        ended, value = element.dimension_values(0), element.dimension_values(1)
        known = value[np.isfinite(value)]
        if self.logy:
            known = known[known > 0]
        bases = [base for base in element.baselines if np.isfinite(base) and (base > 0 or not self.logy)]
        low, high = without_far(np.append(known, bases), element.larger, self.logy)
        last = ended.max(initial=1.0)
        first = ended[ended > 0].min(initial=last) / 1.1 if self.logx else 0.0
        low, high = widened(low, high, self.logy)
        return float(first), float(low), float(last * 1.03), float(high)

    def annotate(self, element: Any) -> None:
        """What the axes show, their ticks, and which study has which colour."""
        super().annotate(element)
        axis = self.handles["xaxis"]
        labels = [dimension.label for dimension in self._get_axis_dims(element)]
        axis.axis_label, self.handles["yaxis"].axis_label = labels
        if element.by == "time":
            name_seconds(axis, self.logx)
        else:
            ticker = LogTicker() if self.logx else BasicTicker(min_interval=1)
            axis.update(ticker=ticker, formatter=NumeralTickFormatter(format="0,0"))
        self._legend(element)

    def _legend(self, element: Any) -> None:
        names = self.handles["best_source"].data["study"]
        if "legend" not in self.handles:
            if len(element.studies) < 2:
                return
            font: dict[str, Any] = {"label_text_font_size": "11px", "padding": 4, "spacing": 0, "margin": 4}
            place: Any = "bottom_right" if element.larger else "top_right"
            self.handles["legend"] = Legend(location=place, background_fill_alpha=0.8, border_line_color=None, **font)
            self.handles["plot"].add_layout(self.handles["legend"])
        renderer = self.handles["best_renderer"]
        items = [LegendItem(label=str(name), renderers=[renderer], index=at) for at, name in enumerate(names)]
        self.handles["legend"].items = items if len(element.studies) > 1 else []

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("trial", "@number: @name"), ("score", "@said"), ("took", "@took")]
        return tips + ([("study", "@in_study")] if len(element.studies) > 1 else []), {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        label = "trial" if element.by == "number" else "time since the start, without pauses"
        return Dimension(("ended", label)), Dimension(("value", element.scored))
