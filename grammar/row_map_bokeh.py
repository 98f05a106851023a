"""Bokeh plot of rows as dots; of many rows an image of them, made where it is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.events import RangesUpdate
from bokeh.models import BasicTicker, BasicTickFormatter, ColumnDataSource, CustomJS
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import ImageRGBA, Scatter, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .fitted_bokeh import fit_label
from .palettes import BLACK, BLUE, BLUISH_GREEN, GREY, ORANGE, SKY_BLUE, VERMILLION, cell_colors
from .row_linked_bokeh import RowLinkedPlot
from .row_map import MANY
from .still_bokeh import add_still_ranges

CLASSES = (BLUE, VERMILLION, BLUISH_GREEN, "#CC79A7", SKY_BLUE, "#999933", "#882255", "#44AA99", "#AA4499", "#661100")
VERDICTS = {"right": BLUISH_GREEN, "wrong": VERMILLION}
NAMED = 8  # labels in the legend
MOST_DOTS = 5000  # of selected rows
INK = "#444444"  # of the legend's words
GRID = (420, 320)  # of the image
REACH = 10  # pixels from the pointer to a dot
# An image has no dots to hit: Python is told where the pointer is, a few times a second, with how long a pixel is.
MOVED = """
if (raster.data.image.length === 0) return
const {x, y} = cb_obj, now = Date.now()
if (kind === "at" && now - (to._told ?? 0) < 60) return
to._told = now
const w = Math.abs(x_range.end - x_range.start) / figure.inner_width
const h = Math.abs(y_range.end - y_range.start) / figure.inner_height
to.data = {x: [x], y: [y], w: [w], h: [h]}
"""
LEFT = "if (to.data.x.length) to.data = {x: [], y: [], w: [], h: []}"


class RowMapPlot(RowLinkedPlot):
    """Dots coloured by label or value; of more than `many` rows an image, darker where there are more of them.

    The image is made anew where one zooms in. Selected rows, or a part of many, lie on top: orange under the pointer,
    outlined in black when clicked. Further layers: `raster`, `names`, `told`.
    """

    many = param.Integer(default=MANY, bounds=(0, None), doc="Rows beyond which an image is drawn.")

    borders = {"min_border_left": 30, "min_border_right": 8}

    style_opts = [*base_properties, *fill_properties, *line_properties, "size"]

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "scatter"}

    def columns(self, element: Any) -> Columns:
        """One row per dot; none where an image is drawn."""
        if self._is_image(element):
            return {name: np.zeros(0) for name in ("x", "y")} | {name: np.zeros(0, object) for name in _TOLD}
        x, y = element.points.T
        said = np.array([element.told(at) for at in range(len(element))], dtype=object)
        names = np.array([str(each) for each in element.ids], dtype=object)
        return {"x": x, "y": y, "ink": self._inks(element), "id": names, "said": said}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the label or the value."""
        ink = {} if "color" in style or "fill_color" in style else {"fill_color": "ink"}
        return {"x": "x", "y": "y", **ink}

    def _is_image(self, element: Any) -> bool:
        return len(element) > self.many

    def _inks(self, element: Any) -> np.ndarray:
        value = element.dimension_values(2)
        if element.labels:
            return np.array([*(_ink(element, at) for at in range(len(element.labels))), "#BBBBBB"], dtype=object)[value]
        low, high = element.ends
        palette = np.array([*cell_colors(), "#BBBBBB"], dtype=object)
        place = np.clip((value - low) / ((high - low) or 1.0), 0, 1) * 255
        return palette[np.where(np.isnan(place), 256, np.nan_to_num(place)).astype(int)]

    def layers(self, element: Any) -> dict[str, Columns]:
        """The image, the legend, what is selected, and the row under the pointer."""
        nothing: Columns = {"x": np.zeros(0), "y": np.zeros(0), "text": np.zeros(0, object)}
        raster = self._raster(element, self.extents(element))
        return {"raster": raster, "names": self._names(element), **super().layers(element), "told": nothing}

    def _raster(self, element: Any, window: tuple[float, float, float, float]) -> Columns:
        """The rows inside a window (x0, y0, x1, y1) as an image."""
        if not self._is_image(element):
            return {"image": [], "x": np.zeros(0), "y": np.zeros(0), "w": np.zeros(0), "h": np.zeros(0)}
        x0, y0, x1, y1 = window
        place = {"x": np.array([x0]), "y": np.array([y0]), "w": np.array([x1 - x0]), "h": np.array([y1 - y0])}
        return {"image": [shaded(element, window, [_ink(element, at) for at in range(len(element.labels))])], **place}

    def _names(self, element: Any) -> Columns:
        """Labels in their colours, or the ends of the values, at the top from the left."""
        words = [(element.by, INK)] if element.by else []
        if element.labels and (element.by or len(element.labels) > 1):
            for at, name in enumerate(element.labels[:NAMED]):
                words += [("●", _ink(element, at)), (_short(name), INK)]
            more = len(element.labels) - NAMED
            words += [(f"and {more} more", INK)] if more > 0 else []
        elif not element.labels and len(element):
            low, high = element.ends
            words += [("●", cell_colors()[0]), (figure(low), INK), ("●", cell_colors()[-1]), (figure(high), INK)]
        words = words if len(element) else [("no rows", INK)]
        long = np.array([14.0 if text == "●" else 6.2 * len(text) + 10 for text, _ in words])
        return {
            "x": np.full(len(words), 0.005),
            "y": np.full(len(words), 0.97),
            "offset": np.concatenate([[0], np.cumsum(long)[:-1]]) if words else np.zeros(0),
            "text": np.array([text for text, _ in words], dtype=object),
            "ink": np.array([ink for _, ink in words], dtype=object),
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Dots of the selected rows; of too many some, evenly spread."""
        at = np.flatnonzero(there)
        at = at[np.linspace(0, len(at) - 1, MOST_DOTS).astype(int)] if len(at) > MOST_DOTS else at
        return {"x": element.points[at, 0], "y": element.points[at, 1]}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """An image, texts, dots."""
        if name == "raster":
            return ImageRGBA(image="image", x="x", y="y", dw="w", dh="h"), {"level": "image"}
        font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "middle"}
        if name == "names":
            return Text(x="x", y="y", text="text", text_color="ink", x_offset="offset", **font), self._still
        if name == "told":
            back: dict[str, Any] = {"background_fill_color": "#FFFFFF", "background_fill_alpha": 0.9}
            return Text(x="x", y="y", text="text", x_offset=8, y_offset=-6, **back, **font), {"level": "overlay"}
        if name == "lit":
            return Scatter(x="x", y="y", size=8, fill_color=ORANGE, line_color="#FFFFFF", line_width=0.8), {}
        return Scatter(x="x", y="y", size=9, fill_alpha=0, line_color=BLACK, line_width=1.6), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All rows, with a little room."""
        if not len(element):
            return 0.0, 0.0, 1.0, 1.0
        (x0, y0), (x1, y1) = element.points.min(axis=0), element.points.max(axis=0)
        dx, dy = (0.04 * (b - a) or 0.5 for a, b in ((x0, x1), (y0, y1)))
        return float(x0 - dx), float(y0 - dy), float(x1 + dx), float(y1 + 2.5 * dy)

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        return self.extents(element)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._still = add_still_ranges(plot)
        super()._init_glyphs(plot, element, ranges, source)
        ranges = {name: self.handles[name] for name in ("x_range", "y_range")}
        for name, event in (("at", "mousemove"), ("tapped", "tap")):
            to = ColumnDataSource({"x": [], "y": [], "w": [], "h": []})
            self.handles[f"{name}_place"] = to
            args = {"to": to, "figure": plot, "kind": name, "raster": self.handles["raster_source"], **ranges}
            plot.js_on_event(event, CustomJS(args=args, code=MOVED))
        plot.js_on_event("mouseleave", CustomJS(args={"to": self.handles["at_place"]}, code=LEFT))
        plot.on_event(RangesUpdate, self._zoomed)
        self.hear(self.handles["at_place"], "data", self._moved)
        self.hear(self.handles["tapped_place"], "data", self._tapped_at)

    def annotate(self, element: Any) -> None:
        """Titles and ticks of the axes: those of a patched element may be others."""
        super().annotate(element)
        for axis, title in zip(("xaxis", "yaxis"), element.titles, strict=True):
            self.handles[axis].update(ticker=BasicTicker(desired_num_ticks=5), formatter=BasicTickFormatter())
            fit_label(self.handles["plot"], self.handles[axis], title, title.replace(" of the variation", ""))

    def _zoomed(self, event: Any) -> None:
        """Another image, of what is seen now."""
        if self.current_frame is not None and self._is_image(self.current_frame):
            window = (event.x0, event.y0, event.x1, event.y1)
            self.handles["raster_source"].data = self._raster(self.current_frame, window)

    def _near(self, place: dict[str, Any]) -> list[int]:
        """The dot near the pointer, if there is one."""
        element = self.current_frame
        if element is None or not len(place["x"]):
            return []
        x, y, w, h = (float(place[name][0]) for name in ("x", "y", "w", "h"))
        found = element.nearest(x, y, (REACH * w, REACH * h))
        return [] if found is None else [found]

    def _moved(self, attr: str, old: Any, new: Any) -> None:
        near = self._near(new)
        if list(self.handles["pointed_source"].data["mark"]) == near:
            return
        self.handles["pointed_source"].data = {"mark": near}
        element = self.current_frame
        told = [f"{element.ids[at]}: {element.told(at)}" if element.by else str(element.ids[at]) for at in near]
        x, y = element.points[near].T
        self.handles["told_source"].data = {"x": x, "y": y, "text": np.array(told, dtype=object)}

    def _tapped_at(self, attr: str, old: Any, new: Any) -> None:
        super()._tapped("indices", [], self._near(new))

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("row", "@id"), (element.by or "value", "@said")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("x", element.titles[0])), Dimension(("y", element.titles[1]))


_TOLD = ("ink", "id", "said")


def shaded(element: Any, window: tuple[float, float, float, float], inks: list[str]) -> np.ndarray:
    """Rows inside a window as an image, from below, (height, width) uint32: colour by label or mean value.

    The more rows a pixel has, the less transparent it is.
    """
    import datashader as ds
    import pandas as pd
    from datashader import transfer_functions as tf

    x0, y0, x1, y1 = window
    canvas = ds.Canvas(*GRID, x_range=(x0, x1), y_range=(y0, y1))
    value = element.dimension_values(2)
    frame = pd.DataFrame({"x": element.points[:, 0], "y": element.points[:, 1]})
    if element.labels:
        names = [*range(len(element.labels)), -1]
        frame["value"] = pd.Categorical(value, categories=names)
        counts = canvas.points(frame, "x", "y", ds.by("value", ds.count()))
        image = tf.shade(counts, color_key=dict(zip(names, [*inks, "#BBBBBB"], strict=True)), min_alpha=70)
    else:
        frame["value"] = value
        means = canvas.points(frame, "x", "y", ds.mean("value"))
        image = tf.shade(means, cmap=cell_colors(), how="linear", span=element.ends)
    return np.ascontiguousarray(tf.dynspread(image, threshold=0.4, max_px=2).to_numpy())


def _ink(element: Any, at: int) -> str:
    if element.by == "" and element.labels == ["rows"]:
        return BLUE
    return VERDICTS.get(element.labels[at]) or (CLASSES[at % len(CLASSES)] if at < 2 * len(CLASSES) else GREY)


def _short(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"
