"""Bokeh plot of the histograms of all columns: one figure, one source, one message per highlight."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import ColumnDataSource, CustomJS, CustomJSHover, TapTool
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from ..kernels.figures import figure
from .columns import Columns
from .growing_bokeh import GrowingPlot
from .overlay_bokeh import lift, patch_columns
from .palettes import BLACK, GREY, ORANGE, SKY_BLUE
from .text_room import cut, wide

TITLE, FOOT, GAP = 17, 17, 6  # pixels above the bars, below them, and between histograms
OTHERS = "others"  # what a profile calls the bin of all rarer labels
SPACE = 10.0  # pixels between the texts at the foot
BREAK = 5.0  # pixels from the lower to the upper end of a gap across a bar that is cut
THIN = 1.5  # pixels of a bar with a single row
LAID = "wide.data = {width: [figure.inner_width]}"
# How many of a bar's rows are selected is looked up when it is asked for: the totals' source stays as it is.
PART = """
const count = (format === "kept" ? kept : lit).data.count[value], rows = totals.data.rows[value]
return count ? `${count.toLocaleString("en")} (${(100 * count / rows).toPrecision(3)}%)` : "none"
"""


class ColumnHistogramsPlot(GrowingPlot):
    """Small multiples, as many side by side as the figure's width holds; the figure is as high as they need.

    Bars are scaled to the highest of their histogram. Rows that are selected show as a part of each bar: outlined and
    darker when clicked, orange under the pointer. The whole height of a bin answers the pointer. Further layers:
    `breaks`, `cells`, `text`; further handles: `slot_renderer`, `wide_source`.
    """

    cell_width = param.Integer(default=150, bounds=(40, None), doc="Least pixels across of a histogram.")
    cell_height = param.Integer(default=96, bounds=(50, None), doc="Pixels of a histogram from top to bottom.")
    scale: Any = param.Selector(default="linear", objects=["linear", "root"], doc="root: few of many rows are seen")

    borders = {"min_border_left": 4, "min_border_right": 4, "min_border_top": 2, "min_border_bottom": 2}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per bar, with the whole of its bin's place (`floor` to `ceiling`)."""
        (column, _, rows), share = element.places, element.dimension_values(3)
        top = self.heights(element, rows)
        named = [(each.name, label) for each in element.bins for label in each.labels]
        unnamed = {"missing", OTHERS}
        return {
            **self._sides(element),
            "top": top,
            "ceiling": self._floor(column) + self._room,
            "rows": rows,
            "share": np.array([f"{figure(each, 3)}%" for each in 100 * share], dtype=object),
            "column": np.array([name for name, _ in named], dtype=object),
            "bin": np.array([label for _, label in named], dtype=object),
            "ink": np.array([GREY if label in unnamed else SKY_BLUE for _, label in named], dtype=object),
        }

    def heights(self, element: Any, counts: np.ndarray) -> np.ndarray:
        """Where bars of so many rows end: on the scale of their column's highest bar, one with any rows to be seen.

        All rarer labels together may be many times as frequent as any: their bar ends where the highest does, and has
        a break across it.
        """
        part = counts / self._whole(element)
        part = np.sqrt(part) if self.scale == "root" else part
        return self._floor(element.places[0]) + np.where(counts > 0, np.maximum(part * self._room, THIN), 0)

    def _whole(self, element: Any) -> np.ndarray:
        """Of each bar, the rows that would make it as high as can be."""
        column, _, rows = element.places
        most = self._highest(element)[column]
        return np.maximum(np.where(_of_others(element), np.maximum(most, rows), most), 1)

    def _highest(self, element: Any) -> np.ndarray:
        """Of each column the rows of its highest bar, that of all rarer labels aside."""
        column, _, rows = element.places
        others, most = _of_others(element), np.zeros(len(element.bins))
        np.maximum.at(most, column, np.where(others, 0, rows))
        return most

    @property
    def _room(self) -> int:
        return self.cell_height - TITLE - FOOT - GAP

    def _floor(self, column: np.ndarray) -> np.ndarray:
        """Where the bars of columns stand; upwards is a pixel a unit."""
        return -(column // self.across + 1.0) * self.cell_height + FOOT + GAP

    def _sides(self, element: Any) -> Columns:
        column, bin, _ = element.places
        wide = (1 - 2 * self._margin) / np.array([max(len(each), 1) for each in element.bins] or [1])
        left = column % self.across + self._margin + bin * wide[column]
        gap = 0.06 * wide[column]
        return {"left": left + gap, "right": left + wide[column] - gap, "bottom": self._floor(column)}

    @property
    def _margin(self) -> float:
        return min(0.2, 8 / self._pixels)

    @property
    def across(self) -> int:
        """Histograms side by side."""
        wide = getattr(self, "_wide", None) or self.frame_width or self.width or self.min_width or self.cell_width
        return max(1, int(wide) // self.cell_width)

    @property
    def _pixels(self) -> float:
        """Across, of a histogram, at least."""
        return max(getattr(self, "_wide", None) or self.cell_width * self.across, self.cell_width) / self.across

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells bins of values from those of what is missing, and of all other labels."""
        mapping = super().mapping(element, style)
        return mapping if "color" in style or "fill_color" in style else mapping | {"fill_color": "ink"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Grounds of the histograms, their texts, and what is selected."""
        return {
            "cells": self._cells(element),
            "text": self._texts(element),
            **super().layers(element),
            "breaks": self._breaks(element),
        }

    def _cells(self, element: Any) -> Columns:
        at = np.arange(len(element.bins))
        left, top = at % self.across + self._margin / 2, -(at // self.across) * float(self.cell_height) - GAP / 2
        marked = [column.name in element.marked for column in element.bins]
        return {
            "left": left,
            "right": left + 1 - self._margin,
            "top": top,
            "bottom": top - self.cell_height + GAP,
            "ground": np.array(["#FFF3D6" if each else "#F7F7F7" for each in marked], dtype=object),
        }

    def _breaks(self, element: Any) -> Columns:
        """Slanted gaps across bars that would not fit on their histogram's scale."""
        column, _, rows = element.places
        cut_off = np.flatnonzero(rows > self._highest(element)[column])
        sides, slant = self._sides(element), BREAK / 2
        y = (self._floor(column) + 0.72 * self._room)[cut_off]
        y = np.concatenate([y - 1.5 * slant, y + 1.5 * slant])
        left, right = (np.tile(sides[name][cut_off], 2) for name in ("left", "right"))
        over = 0.15 * (right - left)
        return {"x0": left - over, "y0": y - slant, "x1": right + over, "y1": y + slant}

    def _texts(self, element: Any) -> Columns:
        """Name above each histogram, ends below; where there is none, what is missing."""
        if not element.bins:
            return _rows([(0.02, -12.0, "no columns of numbers, times or labels", "left", "#444444")])
        room = self._pixels * (1 - 2 * self._margin)
        found, totals = [], element.profile.totals
        for at, column in enumerate(element.bins):
            left, top = at % self.across + self._margin, -(at // self.across) * float(self.cell_height)
            name = f"{column.name} (target)" if column.name in element.marked else column.name
            found.append((left, top - TITLE, cut(name, room), "left", BLACK))
            first, last = _ends(column, element.ends)
            last = f"{OTHERS} {totals[column.name][column.labels.index(OTHERS)]:,}" if last == OTHERS else last
            for text, side in zip(_fitted(first, last, room), ("left", "right"), strict=True):
                x = left if side == "left" else left + 1 - 2 * self._margin
                found.append((x, top - self.cell_height + GAP + 2, text, side, "#666666"))
        return _rows(found)

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Of each bar the part of the selected rows; `there`: a mask or positions."""
        return self._parts(element, element.counts_of(there))

    def _parts(self, element: Any, counts: np.ndarray) -> Columns:
        return {**self._sides(element), "top": self._tops(element, counts), "count": counts}

    def _tops(self, element: Any, counts: np.ndarray) -> np.ndarray:
        """As `heights`; a part without rows is not drawn at all, so that it has no outline either."""
        return np.where(counts > 0, self.heights(element, counts), np.nan)

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Rectangles, texts."""
        if name == "text":
            font: dict[str, Any] = {"text_font_size": "11px", "text_baseline": "bottom", "text_align": "align"}
            return Text(x="x", y="y", text="text", text_color="ink", **font), {}
        if name == "breaks":
            return Segment(x0="x0", y0="y0", x1="x1", y1="y1", line_color="#F7F7F7", line_width=2.5), {}
        sides: dict[str, Any] = {"left": "left", "right": "right", "bottom": "bottom", "top": "top"}
        if name == "cells":
            return Quad(**sides, fill_color="ground", line_color=None), {"level": "underlay"}
        ink: dict[str, Any] = {"fill_color": ORANGE, "line_color": None}
        if name == "kept":
            ink = {"fill_color": BLACK, "fill_alpha": 0.35, "line_color": BLACK, "line_width": 1.2}
        return Quad(**sides, **ink), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All histograms."""
        return 0.0, -float(self._high(element)), float(self.across), 0.0

    def high(self, element: Any) -> int:
        """So many lines of histograms."""
        return self._high(element) + 4

    def _high(self, element: Any) -> int:
        return self.cell_height * max(1, -(-len(element.bins) // self.across))

    # -- pointing

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        self._seen: dict[str, tuple[Any, np.ndarray]] = {}
        self._own: dict[str, np.ndarray] = {}
        super()._init_glyphs(plot, element, ranges, source)
        slot = Quad(left="left", right="right", bottom="bottom", top="ceiling", fill_alpha=0, line_alpha=0)
        renderer = plot.add_glyph(self.handles["source"], slot, nonselection_glyph=None, selection_glyph=None)
        self.handles["slot_renderer"] = renderer
        lift(plot, [self.handles[f"{name}_renderer"] for name in ("lit", "kept", "breaks")])
        for tap in plot.select({"type": TapTool}):
            tap.renderers = [renderer]
        hover = self.handles.get("hover")
        if hover is not None:
            hover.renderers = [renderer]
            named = {"lit": self.handles["lit_source"], "kept": self.handles["kept_source"]}
            hover.formatters = {"$index": CustomJSHover(args=named | {"totals": self.handles["source"]}, code=PART)}
        self._follow_width(plot)

    def _follow_width(self, plot: Any) -> None:
        wide = ColumnDataSource({"width": []})
        self.handles["wide_source"] = wide
        plot.js_on_change("inner_width", CustomJS(args={"wide": wide, "figure": plot}, code=LAID))
        self.hear(wide, "data", self._widened)

    def _widened(self, attr: str, old: Any, new: Any) -> None:
        """Another number of histograms fits side by side: lay them out anew."""
        before = self.across, self._pixels
        self._wide = int(new["width"][0])
        if (self.across != before[0] or abs(self._pixels - before[1]) > SPACE) and self.current_frame is not None:
            self.patch(self.current_frame)

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once; see `patch.patch`."""
        if element is not self.current_frame:
            self._seen.clear()
        super().patch(element, fit)

    def _shares(self, element: Any, name: str) -> Columns:
        return self._parts(element, self._counted(element, name))

    def _counted(self, element: Any, name: str) -> np.ndarray:
        """Rows of each bar that are lit, or kept: counted once for the same ids."""
        ids = np.zeros(0) if element.selection is None else getattr(element.selection, name)
        if name in self._own:
            self._seen[name] = ids, self._own[name]
        elif name not in self._seen or self._seen[name][0] is not ids:
            if element.selection is None and name in self._seen:
                return self._seen[name][1]
            self._seen[name] = ids, element.counts_of(element.positions(ids))
        return self._seen[name][1]

    def _show(self, **selected: Any) -> None:
        if self.current_frame is not None:
            for name in ("kept", "lit"):
                self._paint(self.current_frame, name)

    def _paint(self, element: Any, name: str) -> None:
        counts = self._counted(element, name)
        source = self.handles[f"{name}_source"]
        if not np.array_equal(source.data["count"], counts):
            patch_columns(source, {**source.data, "top": self._tops(element, counts), "count": counts})

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        """What a bar's rows are in other columns needs no ids; others hear them where they are not too many."""
        element = self.current_frame
        if element is None:
            return
        marks = [int(mark) for mark in new["mark"] if 0 <= mark < len(element)]
        counts = element.counts_alike(marks[0]) if marks else np.zeros(len(element), np.int64)
        few = bool(marks) and element.places[2][marks[0]] <= element.told
        self._tell(element, "lit", counts, element.rows_of(marks) if few else None)

    def _tapped(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is None:
            return
        at = element.positions_in(int(mark) for mark in new if 0 <= mark < len(element))
        self._tell(element, "kept", element.counts_of(at), element.ids[at])

    def _tell(self, element: Any, name: str, counts: np.ndarray, ids: Any) -> None:
        self._own[name] = counts
        try:
            if element.selection is not None:
                act = element.selection.light if name == "lit" else element.selection.keep
                act(ids, self._source(element))
            self._paint(element, name)
        finally:
            self._own.pop(name)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("column", "@column"), ("values", "@bin"), ("rows", "@rows{0,0} (@share)")]
        return [*tips, ("lit", "$index{lit}"), ("kept", "$index{kept}")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("place_x", "columns")), Dimension(("place_y", "rows"))


def _rows(found: list[tuple[float, float, str, str, str]]) -> Columns:
    names = ("x", "y", "text", "align", "ink")
    return {name: np.array(values, dtype=None if name in "xy" else object) for name, values in _turned(names, found)}


def _turned(names: tuple[str, ...], found: list[tuple[Any, ...]]) -> Any:
    return zip(names, zip(*found, strict=True), strict=True)


def _of_others(element: Any) -> np.ndarray:
    """Which bars are of all rarer labels. (bars,) bool"""
    return np.array([label == OTHERS for each in element.bins for label in each.labels], dtype=bool)


def _ends(column: Any, known: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """What stands below the first and the last bar."""
    if column.name in known:
        return known[column.name]
    labels = column.labels[: len(column) - column.missing]
    if not labels:
        return "nothing known", ""
    first, last = labels[0], labels[-1] if len(labels) > 1 else ""
    if column.kind == "labels":
        return first, last
    return first.split(" to ")[0], labels[-1].split(" to ")[-1]


def _fitted(first: str, last: str, room: float) -> tuple[str, str]:
    """Two texts on one line with a gap between them: the longer one is cut, but not how many others there are."""
    room -= SPACE
    if last.startswith(f"{OTHERS} "):
        return cut(first, room - wide(last)), last
    longest = max(room / 2, room - min(wide(first), wide(last)))
    return cut(first, longest), cut(last, longest)
