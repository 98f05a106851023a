"""Bokeh plot of forecasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import (
    BasicTicker,
    BasicTickFormatter,
    DatetimeTicker,
    DatetimeTickFormatter,
)
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import MultiLine, Scatter, Text, VSpan
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .forecast_lines import thin
from .model_lines_bokeh import NAMED, dash, ink, legend, legend_names, short
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot
from .streams import unsubscribe

DOTS = 2000  # selected rows that are drawn one by one


class ForecastPlot(RowLinkedPlot):
    """Strips of time that take the pointer, over them the series and the dashed lines of the models.

    Selected rows are dots on all lines: black when clicked, orange under the pointer. Further layers: `truth`, `lines`,
    `origin`, `caption`.
    """

    borders = {"min_border_left": 60, "min_border_right": 12}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "vstrip"}

    def columns(self, element: Any) -> Columns:
        """One row per stretch of time."""
        firsts, counts = _firsts(element)
        times = _numbers(element.dimension_values(0))
        low, high = _ends(element, times, len(firsts))
        between = (high[:-1] + low[1:]) / 2
        outer = _half_step(low, high)
        told = {"left": np.r_[low[:1] - outer, between], "right": np.r_[between, high[-1:] + outer]}
        told["time"] = [_time_text(each) for each in element.dimension_values(0)[firsts]]
        told["id"] = [f"{n:,} rows" if n > 1 else str(element.ids[i]) for i, n in zip(firsts, counts, strict=True)]
        told["true"] = _means(element, element.dimension_values(1))
        for at in range(min(len(element.names), NAMED)):
            told[f"said_{at}"] = _means(element, element.dimension_values(4 + at))
        return told

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """The whole height."""
        return {"x0": "left", "x1": "right"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Lines, where the holdout begins, and what is selected."""
        origin = [] if element.origin is None else [float(_numbers(np.array([element.origin]))[0])]
        x0, _, x1, y1 = self.extents(element)
        words = [" holdout "] if origin else []
        side = ["right" if each > (x0 + 2 * x1) / 3 else "left" for each in origin]
        return {
            "lines": self._lines(element),
            "truth": self._truth(element),
            "origin": {"x": origin},
            "caption": {"x": origin, "y": [y1] * len(origin), "text": words, "side": side},
            **super().layers(element),
        }

    def _truth(self, element: Any) -> Columns:
        """Two lines per series: of the holdout with the point before it, and of what comes before."""
        found: Columns = {"xs": [], "ys": [], "ink": [], "name": []}
        for rows in _series(element):
            held, values = element.dimension_values(2)[rows] > 0, element.dimension_values(1)[rows]
            joined = held | np.r_[held[1:], False][: len(held)]
            for part, color in ((joined, "#333333"), (~held, "#9A9A9A")):
                if part.any():
                    _add(found, element, rows, np.where(part, values, np.nan))
                    found["ink"].append(color)
                    found["name"].append("truth")
        return found

    def _lines(self, element: Any) -> Columns:
        """A line per model and series."""
        found: Columns = {name: [] for name in ("xs", "ys", "ink", "dash", "name")}
        names = legend_names(element.names)
        for at in range(len(names)):
            for rows in _series(element):
                _add(found, element, rows, element.dimension_values(4 + at)[rows])
                found["ink"].append(ink(at))
                found["dash"].append(dash(at))
                found["name"].append(names[at])
        found["wide"], found["clear"] = self._weights(element)
        return found

    def _weights(self, element: Any) -> tuple[list[float], list[float]]:
        """Width and opacity of each line: those of selected models are bold, the others step back."""
        bold = np.repeat(_bold(element), len(_series(element)))
        return np.where(bold, 3.5, 1.7).tolist(), np.where(bold | (not bold.any()), 1.0, 0.45).tolist()

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Dots of the rows on all lines; of very many rows one per stretch of time."""
        rows = np.flatnonzero(there)
        if len(rows) > DOTS:
            rows = rows[np.unique(element.marks[rows], return_index=True)[1]]
        x = _numbers(element.dimension_values(0)[rows])
        lines = [1, *range(4, 4 + min(len(element.names), NAMED))]
        y = np.concatenate([element.dimension_values(at)[rows] for at in lines]) if len(rows) else np.zeros(0)
        known = np.isfinite(y)
        return {"x": np.tile(x, len(lines))[known] if len(rows) else y, "y": y[known]}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines, dots and small text."""
        if name == "truth":
            return MultiLine(xs="xs", ys="ys", line_color="ink", line_width=1.5), {}
        if name == "lines":
            look: dict[str, Any] = {"line_color": "ink", "line_dash": "dash", "line_width": "wide"}
            return MultiLine(xs="xs", ys="ys", line_alpha="clear", **look), {}
        if name == "origin":
            return VSpan(x="x", line_color="#777777", line_dash="dotted"), {"level": "underlay"}
        if name == "caption":
            font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "top"}
            return Text(x="x", y="y", text="text", text_align="side", y_offset=3, **font), {}
        color = BLACK if name == "kept" else ORANGE
        return Scatter(x="x", y="y", size=6 if name == "kept" else 9, fill_color=color, line_color="#FFFFFF"), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All lines, with room for a word above."""
        values = [element.dimension_values(at) for at in (1, *range(4, 4 + len(element.names)))]
        known = np.concatenate([each[np.isfinite(each)] for each in values])
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = (high - low) or abs(high) or 1.0
        times = _numbers(element.dimension_values(0))
        x0, x1 = (float(times.min()), float(times.max())) if len(times) else (0.0, 1.0)
        side = 0.01 * (x1 - x0) or 0.5
        return x0 - side, low - 0.06 * room, x1 + side, high + 0.14 * room

    def annotate(self, element: Any) -> None:
        """Times at the axis, models in the tooltip and the legend, and the models' own selection."""
        super().annotate(element)
        self._heed_models(element)
        dated = element.dimension_values(0).dtype.kind == "M"
        axis: dict[str, Any] = {"ticker": BasicTicker(desired_num_ticks=5), "formatter": BasicTickFormatter()}
        if dated:
            axis = {"ticker": DatetimeTicker(desired_num_ticks=5), "formatter": DatetimeTickFormatter()}
        elif np.abs(_numbers(element.dimension_values(0))).max(initial=0) < 1e7:
            axis["formatter"].use_scientific = False
        self.handles["xaxis"].update(**axis)
        for side, given, label in (("x", self.xlabel, _time_label(element)), ("y", self.ylabel, _value_label(element))):
            if given is None:
                self.handles[f"{side}axis"].axis_label = label
        if self.handles.get("hover") is not None:
            self.handles["hover"].tooltips = self._hover_opts(element)[0]

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        self.handles["legend"] = legend([self.handles["truth_renderer"], self.handles["lines_renderer"]])
        plot.add_layout(self.handles["legend"], "above")

    def _heed_models(self, element: Any) -> None:
        heeded = getattr(self, "_heeded_models", None)
        if heeded is element.model_selection:
            return
        if heeded is not None:
            unsubscribe(heeded, self._show_models)
        if element.model_selection is not None:
            element.model_selection.add_subscriber(self._show_models)
        self._heeded_models = element.model_selection

    def _show_models(self, **selected: Any) -> None:
        """Make the lines of selected models bold; where the lines are stays as it is."""
        if self.current_frame is not None:
            wide, clear = self._weights(self.current_frame)
            whole = slice(0, len(wide))
            self.handles["lines_source"].patch({"wide": [(whole, wide)], "clear": [(whole, clear)]})

    def cleanup(self) -> None:
        """HoloViews' hook: the page is closed."""
        heeded = getattr(self, "_heeded_models", None)
        if heeded is not None:
            unsubscribe(heeded, self._show_models)
            self._heeded_models = None
        super().cleanup()

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("row", "@id"), (element.kdims[0].label, "@time"), ("truth", "@true{0,0.[0000]}")]
        said = [(short(name), f"@said_{at}{{0,0.[0000]}}") for at, name in enumerate(element.names[:NAMED])]
        return [*tips, *said], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("when", _time_label(element))), Dimension(("what", _value_label(element)))


# -- what is drawn of an element


def _numbers(times: np.ndarray) -> np.ndarray:
    """Times as Bokeh has them: datetimes as milliseconds since 1970."""
    if times.dtype.kind == "M":
        return times.astype("datetime64[ns]").astype(np.int64) / 1e6
    return np.asarray(times, dtype=float)


def _time_text(time: Any) -> str:
    if isinstance(time, np.datetime64):
        return str(pd.Timestamp(time)).removesuffix(" 00:00:00")
    return f"{time:.10g}"


def _time_label(element: Any) -> str:
    label = str(element.kdims[0].pprint_label)
    return f"{label} ({element.left_out:,} more series are not shown)" if element.left_out else label


def _value_label(element: Any) -> str:
    return str(element.vdims[0].pprint_label)


def _series(element: Any) -> list[np.ndarray]:
    """Positions of the rows of each series."""
    codes = element.dimension_values(3)
    return np.split(np.arange(len(codes)), np.flatnonzero(np.diff(codes)) + 1) if len(codes) else []


def _add(found: Columns, element: Any, rows: np.ndarray, values: np.ndarray) -> None:
    """One more line, of no more points than the eye can tell apart."""
    kept = thin(element.marks[rows], values)
    kept = kept if 2 * len(kept) < len(rows) else np.arange(len(rows))
    found["xs"].append(_numbers(element.dimension_values(0)[rows[kept]]))
    found["ys"].append(values[kept])


def _firsts(element: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of each stretch of time the position of one of its rows, and how many it has."""
    _, firsts, counts = np.unique(element.marks, return_index=True, return_counts=True)
    return firsts, counts


def _ends(element: Any, times: np.ndarray, stretches: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.full(stretches, np.inf), np.full(stretches, -np.inf)
    np.minimum.at(low, element.marks, times)
    np.maximum.at(high, element.marks, times)
    return low, high


def _half_step(low: np.ndarray, high: np.ndarray) -> float:
    """How far the outermost stretches reach past their rows."""
    return float(high[-1] - low[0]) / max(len(low) - 1, 1) / 2 or 0.5 if len(low) else 0.5


def _means(element: Any, values: np.ndarray) -> np.ndarray:
    """The mean of each stretch of time; nan where nothing is known."""
    known = np.isfinite(values)
    stretches = int(element.marks.max(initial=-1)) + 1
    sums = np.bincount(element.marks[known], values[known], stretches)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / np.bincount(element.marks[known], minlength=stretches))


def _bold(element: Any) -> np.ndarray:
    """Which models are selected. (models,) bool"""
    selection = element.model_selection
    if selection is None or not len(element.numbers):
        return np.zeros(len(element.names), dtype=bool)
    return np.asarray(selection.mask(element.numbers, "kept") | selection.mask(element.numbers, "lit"))
