"""Bokeh plot of partial dependence."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, BasicTickFormatter, FixedTicker
from bokeh.models.annotations.legends import Legend, LegendItem
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import MultiLine, Patches, Quad, Scatter
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, line_properties

from .columns import Columns
from .cost_over_time_bokeh import COLORS
from .model_grid_bokeh import short
from .palettes import BLACK, ORANGE, cell_colors
from .row_linked_bokeh import RowLinkedPlot

FOOT = 0.18  # of the height: for the histogram
DASH = 0.22  # to each side of a category
NAME = 22  # characters of a model's name: two beside each other fit a narrow card


class PartialDependencePlot(RowLinkedPlot):
    """Curves with a colour and a name each; of more than seven models the better ones are darker.

    Of a feature that is no number each category has a dot on a dash, and no line joins them. Pointing at a curve shows
    the middle 80% of rows as a band. The histogram at the foot says where the data lie. Further layers: `band`, `dots`,
    `below`.
    """

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "multi_line"}

    def columns(self, element: Any) -> Columns:
        """One row per model."""
        number, names = element.dimension_values(1), element.dimension_values(2)
        return {**_lines(element, range(len(element))), "color": _colors(element), "number": number, "name": names}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """A colour per model."""
        mapping: dict[str, Any] = {"xs": "xs", "ys": "ys"}
        return mapping if "color" in style else mapping | {"line_color": "color"}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Histogram, dots, and what is selected."""
        return {
            "below": self._below(element),
            "band": self._band(element),
            **super().layers(element),
            "dots": self._dots(element),
        }

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The curves of the selected models."""
        return _lines(element, np.unique(element.marks[there]).tolist())

    def _band(self, element: Any) -> Columns:
        """Around the curve under the pointer; none where there are several."""
        ids = () if element.selection is None else element.selection.lit
        some = [element.curves[mark] for mark in np.unique(element.marks[element.mask_of(ids)])]
        if len(some) != 1:
            return {"xs": [], "ys": []}
        xs, low, high = (some[0][name].to_numpy() for name in ("value", "low", "high"))
        if element.categories:  # a box each
            x = np.add.outer(xs, [-DASH, DASH, DASH, -DASH, np.nan])
            return {"xs": [x.ravel()[:-1].tolist()], "ys": [_each(low, low, high, high)]}
        return {"xs": [[*xs, *xs[::-1]]], "ys": [[*low, *high[::-1]]]}

    def _dots(self, element: Any) -> Columns:
        if not element.categories:
            return {"x": [], "y": [], "color": []}
        colors = np.repeat(np.array(_colors(element), dtype=object), [len(curve) for curve in element.curves])
        x, y = (np.concatenate([np.zeros(0), *(curve[name] for curve in element.curves)]) for name in ("value", "mean"))
        return {"x": x, "y": y, "color": colors}

    def _below(self, element: Any) -> Columns:
        _, low, _, high = self.extents(element)
        tall = 0.8 * FOOT * (high - low) * element.counts / max(float(element.counts.max(initial=0)), 1.0)
        at = np.arange(len(element.counts))
        sides = (at - 0.4, at + 0.4) if element.categories else (element.edges[:-1], element.edges[1:])
        return {"left": sides[0], "right": sides[1], "bottom": np.full(len(at), low), "top": low + tall}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Curves, dots, bars, bands."""
        if name == "below":
            ink: dict[str, Any] = {"fill_color": "#D8D8D8", "line_color": "#FFFFFF", "line_width": 0.5}
            return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {"level": "underlay"}
        if name == "band":
            return Patches(xs="xs", ys="ys", fill_color=ORANGE, fill_alpha=0.15, line_color=None), {}
        if name == "dots":
            return Scatter(x="x", y="y", size=7, fill_color="color", line_color="#FFFFFF"), {}
        color, width = (BLACK, 3) if name == "kept" else (ORANGE, 4)
        return MultiLine(xs="xs", ys="ys", line_color=color, line_width=width), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All curves on one scale, above the histogram."""
        values = np.concatenate([curve["mean"] for curve in element.curves]) if element.curves else np.zeros(0)
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = (high - low) or abs(high) or 1.0
        x0, x1 = self._across(element)
        return x0, low - (FOOT + 0.05) * room, x1, high + 0.06 * room

    def _across(self, element: Any) -> tuple[float, float]:
        if element.categories:
            return -0.5, len(element.categories) - 0.5
        xs = [curve["value"] for curve in element.curves if len(curve)] + [element.edges]
        found = np.concatenate(xs)
        low, high = (float(found.min()), float(found.max())) if len(found) else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def annotate(self, element: Any) -> None:
        """Names of categories and of models, and what the axes are of."""
        super().annotate(element)
        axis, places = self.handles["xaxis"], list(range(len(element.categories)))
        ticker = FixedTicker(ticks=places) if places else BasicTicker(desired_num_ticks=5)
        names = {at: short(label, 14) for at, label in enumerate(element.categories)}
        axis.update(ticker=ticker, formatter=BasicTickFormatter(), major_label_overrides=names)
        axis.update(axis_label=element.feature, major_label_orientation=0.7 if len(places) > 5 else 0.0)
        self.handles["yaxis"].axis_label = _asked(element)
        glyph = self.handles["glyph_renderer"].glyph
        glyph.update(line_alpha=0.9, line_width=2 if len(element) <= len(COLORS) else 1.2)
        self._legend(element)

    def _legend(self, element: Any) -> None:
        if "legend" not in self.handles:
            font: dict[str, Any] = {"label_text_font_size": "11px", "padding": 0, "spacing": 3, "margin": 2}
            font |= {"glyph_height": 12, "label_height": 12, "orientation": "horizontal", "ncols": 2}
            self.handles["legend"] = Legend(location="left", border_line_color=None, **font)
            self.handles["plot"].add_layout(self.handles["legend"], "above")  # beside the curves, whatever they are
        renderer = self.handles["glyph_renderer"]
        names = element.dimension_values(2) if len(element) <= len(COLORS) else ()
        items = [
            LegendItem(label=short(str(each), NAME), renderers=[renderer], index=at) for at, each in enumerate(names)
        ]
        self.handles["legend"].update(items=items, visible=bool(items))

    def _show(self, **selected: Any) -> None:
        super()._show(**selected)
        if self.current_frame is not None:
            self.handles["band_source"].data = self._band(self.current_frame)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        return [("model", "@number: @name"), ("at", "$x{0.[000] a}"), ("mean", "$y{0.[0000] a}")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("curve", element.feature)), Dimension(("mean", _asked(element)))


def _asked(element: Any) -> str:
    """What the y axis shows: shares are taken for probabilities of a class."""
    if element.of == "prediction":
        return "mean prediction"
    shares = all(curve["mean"].between(0, 1).all() for curve in element.curves)
    return f"mean probability of {element.of}" if shares else f"mean prediction of {element.of}"


def _lines(element: Any, some: Any) -> Columns:
    """Corners of some curves; of categories, which have nothing between them, a dash each."""
    curves = [element.curves[at] for at in some]
    if element.categories:
        across = [np.add.outer(curve["value"].to_numpy(), [-DASH, DASH, np.nan]).ravel()[:-1] for curve in curves]
        return {
            "xs": [x.tolist() for x in across],
            "ys": [_each(curve["mean"].to_numpy(), curve["mean"].to_numpy()) for curve in curves],
        }
    return {"xs": [curve["value"].tolist() for curve in curves], "ys": [curve["mean"].tolist() for curve in curves]}


def _each(*corners: np.ndarray) -> list[float]:
    """The corners of one place after those of another, with a gap between them."""
    gap = np.full(len(corners[0]), np.nan)
    return np.column_stack([*corners, gap]).ravel()[:-1].tolist()


def _colors(element: Any) -> list[str]:
    """One per model; of many, shades by their place."""
    count = len(element)
    if count <= len(COLORS):
        return list(COLORS[:count])
    shades = cell_colors()
    return [shades[at] for at in np.linspace(255, 40, count).astype(int)]
