"""Bokeh plot of cumulative gains and lift."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, NumeralTickFormatter
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import MultiLine, Scatter, Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, line_properties

from .columns import Columns
from .model_lines_bokeh import dash, ink, legend, legend_names
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot
from .streams import unsubscribe

POINTS = 400  # of a line that are drawn


class LiftCurvePlot(RowLinkedPlot):
    """Lines of models, each on a wide one that takes the pointer; where the cut-off ends is a dot, on a dashed line.

    Selected models have a wide edge: black when clicked, orange under the pointer. Further layers: `chance`,
    `lines`, `cut`, `dot`, `caption`.
    """

    borders = {"min_border_left": 60, "min_border_right": 12}

    style_opts = base_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "multi_line"}

    def columns(self, element: Any) -> Columns:
        """One row per model."""
        lines = [_thinned(element.points(at)[:2]) for at in range(len(element.names))]
        return {"xs": [line[0] for line in lines], "ys": [line[1] for line in lines], "name": list(element.names)}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Lines as such: how they look is a layer's business."""
        return {"xs": "xs", "ys": "ys"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Visible lines, chance, where the cut-off ends, and what is selected."""
        chance = [[0.0, 1.0]] if len(element.names) else []
        level = [[1.0, 1.0] if element.kind == "lift" else [0.0, 1.0]] * len(chance)
        selected = {"chance": {"xs": chance, "ys": level}, **super().layers(element)}
        return {**selected, "lines": self._lines(element), **self._cuts(element)}

    def _lines(self, element: Any) -> Columns:
        """Colour and pattern tell the models apart."""
        places = range(len(element.names))
        look: Columns = {"ink": [ink(at) for at in places], "dash": [dash(at, "solid") for at in places]}
        return self.columns(element) | look | {"name": legend_names(element.names)}

    def _cuts(self, element: Any) -> dict[str, Columns]:
        value = None if element.cutoff is None else element.cutoff.value
        x, y = np.zeros((2, 0)) if value is None else element.at_cutoff(value)
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        x, y, inks = x[known], y[known], [ink(int(at)) for at in known]
        words = _words(element, value, x, y)
        upper = element.kind == "lift"
        y0, y1 = self.extents(element)[1::2]
        corner = {"x": [1.0] * len(words), "y": [y1 if upper else y0] * len(words), "text": words}
        corner["base"] = ["top" if upper else "bottom"] * len(words)
        cut = {"x": x, "y0": np.full(len(x), y0), "y1": np.full(len(x), y1), "ink": inks}
        return {"cut": cut, "dot": {"x": x, "y": y, "ink": inks}, "caption": corner}

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The lines of the models."""
        lines = [_thinned(element.points(at)[:2]) for at in element.marks[there]]
        return {"xs": [line[0] for line in lines], "ys": [line[1] for line in lines]}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines, dots, and a word."""
        if name == "chance":
            return MultiLine(xs="xs", ys="ys", line_color="#999999", line_dash="dotted"), {"level": "underlay"}
        if name == "lines":
            return MultiLine(xs="xs", ys="ys", line_color="ink", line_dash="dash", line_width=2), {}
        if name == "cut":
            return Segment(x0="x", x1="x", y0="y0", y1="y1", line_color="ink", line_dash="dashed"), {}
        if name == "dot":
            return Scatter(x="x", y="y", size=8, fill_color="ink", line_color="#FFFFFF"), {}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_align": "right"}
            return Text(x="x", y="y", text="text", text_baseline="base", x_offset=-4, **font), {}
        wide: dict[str, Any] = {
            "line_width": 5 if name == "kept" else 9,
            "line_color": BLACK if name == "kept" else ORANGE,
        }
        return MultiLine(xs="xs", ys="ys", **wide), {"level": "underlay"}  # a model keeps its colour

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All lines."""
        if element.kind != "lift":
            return 0.0, 0.0, 1.0, 1.02
        lifts = element.dimension_values(2)
        return 0.0, 0.0, 1.0, 1.06 * float(max(lifts[np.isfinite(lifts)].max(initial=0.0), 1.0))

    def annotate(self, element: Any) -> None:
        """Shares at the axes, and the stream of cut-offs."""
        super().annotate(element)
        self._heed_cutoff(element)
        percent = NumeralTickFormatter(format="0%")
        self.handles["xaxis"].update(ticker=BasicTicker(desired_num_ticks=5), formatter=percent)
        over = NumeralTickFormatter(format="0.[0]") if element.kind == "lift" else percent
        self.handles["yaxis"].update(ticker=BasicTicker(desired_num_ticks=5), formatter=over)
        if self.ylabel is None:
            self.handles["yaxis"].axis_label = _over(element)
        if self.handles.get("hover") is not None:
            self.handles["hover"].tooltips = self._hover_opts(element)[0]

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        self.handles["legend"] = legend([self.handles["lines_renderer"]])
        plot.add_layout(self.handles["legend"], "above")

    def _heed_cutoff(self, element: Any) -> None:
        heeded = getattr(self, "_heeded_cutoff", None)
        if heeded is element.cutoff:
            return
        if heeded is not None:
            unsubscribe(heeded, self._show_cutoff)
        if element.cutoff is not None:
            element.cutoff.add_subscriber(self._show_cutoff)
        self._heeded_cutoff = element.cutoff

    def _show_cutoff(self, **cut: Any) -> None:
        """Mark where the cut-off is now; nothing else is redrawn."""
        if self.current_frame is not None:
            for name, columns in self._cuts(self.current_frame).items():
                self.handles[f"{name}_source"].data = columns

    def cleanup(self) -> None:
        """HoloViews' hook: the page is closed."""
        heeded = getattr(self, "_heeded_cutoff", None)
        if heeded is not None:
            unsubscribe(heeded, self._show_cutoff)
            self._heeded_cutoff = None
        super().cleanup()

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        over = ("lift", "$y{0.00}") if element.kind == "lift" else ("positives found", "$y{0.0%}")
        return [("model", "@name"), ("rows taken", "$x{0.0%}"), over], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return element.kdims[0], Dimension(("over", _over(element)))


def _over(element: Any) -> str:
    of = f"share of {element.positive!r} found" if element.positive else element.vdims[0].label
    return "lift" if element.kind == "lift" else of


def _words(element: Any, value: float | None, x: np.ndarray, y: np.ndarray) -> list[str]:
    """What the cut-off is and, of one model, what it gives."""
    if value is None or not len(x):
        return []
    if len(x) > 1:
        return [f"cut-off {value:.3g}"]
    gives = f"lift {y[0]:.2f}" if element.kind == "lift" else f"{y[0]:.0%} found"
    return [f"cut-off {value:.3g}: {x[0]:.0%} of rows, {gives}"]


def _thinned(line: np.ndarray) -> np.ndarray:
    """At most `POINTS` points of a line, evenly spread over the rows taken."""
    if line.shape[1] <= POINTS:
        return line
    at = np.searchsorted(line[0], np.linspace(line[0, 0], line[0, -1], POINTS))
    return line[:, np.unique(at)]
