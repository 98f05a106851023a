"""Bokeh plot of series in tracks: as many points as there are pixels, more of them where one zooms in."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import (
    BasicTicker,
    BasicTickFormatter,
    CustomJS,
    DatetimeTicker,
    DatetimeTickFormatter,
    FixedTicker,
    RangeTool,
    TapTool,
)
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import MultiLine, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.links import LinkCallback
from holoviews.plotting.bokeh.styles import base_properties, line_properties
from holoviews.plotting.links import Link

from ..kernels.figures import figures
from ..kernels.search.decimation import decimated
from .columns import Columns
from .growing_bokeh import GrowingPlot
from .palettes import BLACK, BLUE, BLUISH_GREEN, GREY, ORANGE, SKY_BLUE, VERMILLION
from .still_bokeh import add_still_ranges

CLASSES = (BLUE, VERMILLION, BLUISH_GREEN, "#CC79A7", SKY_BLUE, "#999933", "#882255", GREY)
FILLED = 0.78  # of a track's height, between its least and its largest value
MOST_RULES = 400  # rows shown as marks at their times
POINTS = 120_000  # drawn of all lines together
# The line under the pointer, and where on it: told when either changes by what can be seen.
POINTED = """
const mark = cb_data.index.indices.length > 0 ? cb_data.index.indices[0] : -1
const x = cb_data.geometry.x, pixel = Math.abs(x_range.end - x_range.start) / 1000
if (source._mark === mark && (mark < 0 || Math.abs(source._x - x) < pixel)) return
source._mark = mark; source._x = x
pointed.data = {mark: mark < 0 ? [] : [mark], x: mark < 0 ? [] : [x]}
"""


class SeriesTracksPlot(GrowingPlot):
    """A line per series, coloured by its class, in tracks one below the other; the figure is as high as they need.

    Of more points than pixels the least and the largest of each pixel are drawn, anew when one zooms in. Further
    layers: `names`, `classes`; further handle: `wide_renderer`, which the pointer hits.
    """

    track_height = param.Integer(default=72, bounds=(20, None), doc="Pixels of a track.")
    buckets = param.Integer(default=1000, bounds=(10, None), doc="Parts of the axis of which a line has two points.")

    borders = {"min_border_left": 70, "min_border_right": 12, "min_border_top": 4}

    style_opts = base_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "multi_line"}

    def columns(self, element: Any) -> Columns:
        """One row per line."""
        xs, ys = self._drawn(element)
        return {
            "xs": xs,
            "ys": ys,
            "ink": np.array([self._color(element, line.label) for line in element.shown], dtype=object),
            "track": np.array([line.track for line in element.shown], dtype=object),
            "name": np.array([line.name for line in element.shown], dtype=object),
            "label": np.array([line.label or "none" for line in element.shown], dtype=object),
            "points": element.dimension_values(2),
            "span": np.array([" to ".join(figures(ends)) for ends in _ends(element)], dtype=object),
        }

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the class."""
        ink = {} if "color" in style or "line_color" in style else {"line_color": "ink"}
        return {"xs": "xs", "ys": "ys", **ink}

    def _color(self, element: Any, label: str) -> str:
        if not element.stacked and not label:
            return GREY
        return CLASSES[element.labels.index(label) % len(CLASSES)] if label else BLUE

    def _drawn(self, element: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Times and heights of the points to draw."""
        low, high = self._window(element)
        buckets = max(20, min(self.buckets, POINTS // (2 * max(len(element.shown), 1))))
        scales = {track: (*element.scale_of(track), self._floor(element, track)) for track in element.tracks}
        xs, ys = [], []
        for line in element.shown:
            at = decimated(line.x, line.y, low, high, buckets)
            least, most, floor = scales[line.track]
            xs.append(line.x[at])
            ys.append(floor + FILLED * (line.y[at] - least) / (most - least))
        return xs, ys

    def _floor(self, element: Any, track: str) -> float:
        """Where a track's least value lies; tracks are 1 high and go downwards."""
        return -float(element.tracks.index(track)) - 0.95 if element.stacked else -0.9

    def _window(self, element: Any) -> tuple[float, float]:
        """What is drawn of the time: all, or where one zoomed in three times what is seen."""
        seen = getattr(self, "_seen", None)
        if seen is None:
            return element.extent
        low, high = seen
        return low - (high - low), high + (high - low)

    def layers(self, element: Any) -> dict[str, Columns]:
        """Names of tracks and of classes, and what is selected."""
        return {"names": self._names(element), "classes": self._classes(element), **super().layers(element)}

    def _names(self, element: Any) -> Columns:
        text = [_short(name, 60) for name in element.tracks if element.stacked]
        text = text if len(element.shown) else ["no series of numbers"]
        y = -np.arange(len(text)) - 0.01
        return {"x": np.full(len(text), 0.005), "y": y, "text": np.array(text, dtype=object)}

    def _classes(self, element: Any) -> Columns:
        """At the top, from the right."""
        labels = element.labels[: len(CLASSES)] if element.stacked else []
        more = len(element.labels) - len(labels)
        text = [_short(label, 16) for label in labels] + ([f"and {more} more"] if more and labels else [])
        ink = [self._color(element, label) for label in labels] + [GREY] * (len(text) - len(labels))
        return {
            "x": np.ones(len(text)) * 0.995,
            "y": np.full(len(text), -0.01),
            "offset": -np.array([8.0 * sum(len(each) + 2 for each in text[at + 1 :]) for at in range(len(text))]),
            "text": np.array(text, dtype=object),
            "ink": np.array(ink, dtype=object),
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Whole lines, or a mark through the track at the time of a row."""
        xs, ys = [], []
        data = self.handles["source"].data if "source" in self.handles else self.columns(element)
        for at, line in enumerate(element.shown):
            if line.by_point:
                times = line.x[there[line.rows]]
                times = times[:: -(-len(times) // MOST_RULES)] if len(times) else times
                floor = self._floor(element, line.track)
                xs += [np.array([each, each]) for each in times]
                ys += [np.array([floor - 0.02, floor + FILLED + 0.04])] * len(times)
            elif there[line.rows].any() and at < len(data["xs"]):
                xs.append(data["xs"][at])
                ys.append(data["ys"][at])
        return {"xs": xs, "ys": ys}

    def _show(self, **selected: Any) -> None:
        """Columns of arrays of several lengths: told apart one by one."""
        if self.current_frame is None:
            return
        for name in ("kept", "lit"):
            columns, source = self._shares(self.current_frame, name), self.handles[f"{name}_source"]
            if not (_alike(columns["xs"], source.data["xs"]) and _alike(columns["ys"], source.data["ys"])):
                source.data = columns

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Small texts at the sides, wherever one zooms to; lines."""
        if name in ("names", "classes"):
            font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "top"}
            if name == "classes":
                font |= {"text_color": "ink", "text_align": "right", "x_offset": "offset"}
            return Text(x="x", y="y", text="text", **font), self._still
        ink: dict[str, Any] = {"line_color": BLACK if name == "kept" else ORANGE, "line_width": 2.5}
        return MultiLine(xs="xs", ys="ys", **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All tracks, over all of the time."""
        low, high = element.extent
        return low, -float(max(len(element.tracks), 1) if element.stacked else 1), high, 0.0

    def high(self, element: Any) -> int:
        """So many tracks, and an axis."""
        return self.track_height * (max(len(element.tracks), 1) if element.stacked else 1) + 52

    def annotate(self, element: Any) -> None:
        """Least and largest values at the left, times below."""
        super().annotate(element)
        ticks: dict[float, str] = {}
        for track in element.tracks if element.stacked and len(element.shown) else []:
            floor, (low, high) = self._floor(element, track), element.scale_of(track)
            written = figures((low, high))
            ticks |= {round(floor, 3): written[0], round(floor + FILLED, 3): written[1]}
        self.handles["yaxis"].update(ticker=FixedTicker(ticks=list(ticks)), major_label_overrides=ticks)
        axis: Any = {"ticker": BasicTicker(), "formatter": BasicTickFormatter(use_scientific=False)}
        if element.dated:
            axis = {"ticker": DatetimeTicker(), "formatter": DatetimeTickFormatter()}
        self.handles["xaxis"].update(**axis)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._seen: tuple[float, float] | None = None
        self._still = {"x_range_name": add_still_ranges(plot)["x_range_name"]}
        super()._init_glyphs(plot, element, ranges, source)
        wide = MultiLine(xs="xs", ys="ys", line_width=14, line_alpha=0)
        hit = plot.add_glyph(self.handles["source"], wide, nonselection_glyph=None, selection_glyph=None)
        self.handles["wide_renderer"] = hit
        pointed, x_range = self.handles["pointed_source"], self.handles["x_range"]
        pointed.data = {"mark": [], "x": []}
        hover = self.handles.get("hover")
        if hover is not None:
            args = {"source": self.handles["source"], "pointed": pointed, "x_range": x_range}
            hover.update(renderers=[hit], callback=CustomJS(args=args, code=POINTED), line_policy="nearest")
        for tap in plot.select({"type": TapTool}):
            tap.renderers = [hit]
        for name in ("start", "end"):
            self.hear(x_range, name, self._zoomed)

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        element, self._at = self.current_frame, next(iter(new.get("x", ())), None)
        if element is not None and element.selection is not None:
            ids = element.rows_of([int(mark) for mark in new["mark"]], self._at)
            element.selection.light(ids, self._source(element))

    def _tapped(self, attr: str, old: Any, new: Any) -> None:
        """A click keeps the line's row, or that of the point the pointer was told to be at."""
        element = self.current_frame
        if element is not None and element.selection is not None:
            ids = element.rows_of([int(mark) for mark in new], getattr(self, "_at", None))
            element.selection.keep(ids, self._source(element))

    def _zoomed(self, attr: str, old: Any, new: Any) -> None:
        """More points where one zooms in; as long as what is drawn serves, nothing is sent."""
        element, x_range = self.current_frame, self.handles["x_range"]
        if element is None or x_range.start is None or x_range.end is None:
            return
        low, high = float(x_range.start), float(x_range.end)
        if not high > low or not (element.dimension_values(2) > 2 * self.buckets).any():
            return
        drawn, whole = self._window(element), element.extent
        inside = max(low, whole[0]) >= drawn[0] and min(high, whole[1]) <= drawn[1]
        if inside and (drawn[1] - drawn[0]) < 6 * (high - low):
            return
        self._seen = (low, high)
        xs, ys = self._drawn(element)
        self.handles["source"].data = {**self.handles["source"].data, "xs": xs, "ys": ys}
        self._show()

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once; see `patch.patch`."""
        if fit:
            self._seen = None
        super().patch(element, fit)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        time = "$x{%F %T}" if element.dated else "$x{0.[000]}"
        tips = [("series", "@name"), ("class", "@label"), (element.time or "time", time), ("values", "@span")]
        return [*tips, ("points", "@points{0,0}")], {"formatters": {"$x": "datetime"}} if element.dated else {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("at", element.time or "time")), Dimension(("height", "value"))


def _ends(element: Any) -> Any:
    return zip(element.dimension_values(3), element.dimension_values(4), strict=True)


def _alike(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: letters - 1] + "…"


class TimeLink(Link):
    """From an overview of tracks (source) to the tracks (target): a box in the one is what the other shows."""

    _requires_target = True


class TimeLinkCallback(LinkCallback):
    """Puts the box into the overview; all of it goes on in the browser."""

    def __init__(self, root_model: Any, link: Any, source_plot: Any, target_plot: Any) -> None:
        x_range = target_plot.handles["x_range"]
        tool = RangeTool(x_range=x_range, start_gesture="pan")
        tool.overlay.update(fill_color=SKY_BLUE, fill_alpha=0.2, line_color=BLUE, use_handles=False)
        source_plot.state.add_tools(tool)


TimeLink.register_callback("bokeh", TimeLinkCallback)
