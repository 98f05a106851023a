"""Bokeh plot of a query map."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import ColumnDataSource, CustomJS, CustomJSHover, LinearColorMapper
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .cube_bokeh import NUMBER
from .layers_bokeh import LayeredPlot
from .palettes import VERMILLION, cell_colors

# Python is told of the row under the pointer once per row, not once per move.
HOVER = """
const row = cb_data.index.indices.length > 0 ? cb_data.index.indices[0] : -1
if (source._row !== row) { source._row = row; pointed.data = {row: row < 0 ? [] : [row]} }
"""


NEAR = 0.05  # of the map's width and height: names closer together would cover each other


class QueryMapPlot(LayeredPlot):
    """Points, larger and darker for larger values; single bins are outlined and, where there is room, named.

    Further handles: `name_source`, `pointed_source`.
    """

    sizes = param.NumericTuple(default=(5, 22), length=2, doc="Diameters of the smallest and largest value, pixels.")

    named = param.Integer(default=31, bounds=(0, None), doc="Most single bins to name.")

    borders = {"min_border_left": 52, "min_border_right": 12}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "scatter"}

    def columns(self, element: Any) -> Columns:
        """One row per selection, the large ones first: small ones lie on top of them."""
        x, y, value = (element.dimension_values(i).astype(float) for i in range(3))
        known = {d.name for d in element.vdims}
        label = element.dimension_values("label") if "label" in known else np.full(len(x), "", dtype=object)
        bins = element.dimension_values("bins") if "bins" in known else np.ones(len(x), int)
        far = np.abs(np.nan_to_num(value))
        share = far / (far.max(initial=0) or 1.0)
        least, most = self.sizes
        alone = bins == 1
        return {
            "x": x,
            "y": y,
            "value": value,
            "label": label,
            "bins": bins,
            "size": least + (most - least) * np.sqrt(share),
            "edge": np.where(alone, "#111111", "#FFFFFF"),
            "strength": np.where(alone, 0.95, 0.6),
        }

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Place, size and colour."""
        if "color_mapper" not in self.handles:
            self.handles["color_mapper"] = LinearColorMapper(palette=cell_colors(), nan_color="#DDDDDD")
        self._set_colors(element)
        color = {"field": "value", "transform": self.handles["color_mapper"]}
        ink = {"fill_color": color, "fill_alpha": "strength", "line_color": "edge", "line_alpha": "strength"}
        return {"x": "x", "y": "y", "size": "size", **({} if "color" in style else ink)}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Names of single bins."""
        columns = self.columns(element)
        alone = np.flatnonzero(np.asarray(columns["bins"]) == 1)
        alone = alone[apart(columns["x"][alone], columns["y"][alone])][: self.named]
        text = [str(columns["label"][i]).rpartition(" is ")[2] for i in alone]
        return {"name": {"x": columns["x"][alone], "y": columns["y"][alone], "text": text}}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Small text beside the point."""
        font: dict[str, Any] = {"text_font_size": "10px", "text_color": "#222222", "text_baseline": "middle"}
        return Text(x="x", y="y", text="text", x_offset=9, **font), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All points with room for their size and names."""
        x, y = (element.dimension_values(i) for i in range(2))
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        if not len(x) or not len(y):
            return 0.0, 0.0, 1.0, 1.0
        wide, high = np.ptp(x) or 1.0, np.ptp(y) or 1.0
        return (
            float(x.min() - 0.06 * wide),
            float(y.min() - 0.08 * high),
            float(x.max() + 0.12 * wide),
            float(y.max() + 0.08 * high),
        )

    def annotate(self, element: Any) -> None:
        """Colours."""
        self._set_colors(element)

    def _set_colors(self, element: Any) -> None:
        value = element.dimension_values(2).astype(float)
        finite = value[np.isfinite(value)]
        low, high = float(finite.min(initial=0)), float(finite.max(initial=0))
        if low < 0:
            high = max(-low, high)
            low = -high
        palette, mapper = cell_colors(low < 0), self.handles["color_mapper"]
        mapper.update(low=low, high=high if high > low else low + 1.0, palette=palette)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        value = element.vdims[0]
        tips = [("selection", "@label"), (value.label, f"@value{{custom}} {value.unit or ''}")]
        return tips, {"formatters": {"@value": CustomJSHover(code=NUMBER)}}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        own = element.attribute or "selections"
        return Dimension(f"across {own}"), Dimension(f"up {own}")

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        plot.toolbar.logo = None
        renderer = self.handles["glyph_renderer"]
        renderer.selection_glyph = renderer.glyph.clone(fill_color=VERMILLION, fill_alpha=0.95)
        renderer.nonselection_glyph = renderer.glyph.clone()
        self.handles["pointed_source"] = ColumnDataSource({"row": []})
        if element.choice is not None:
            self._listen()

    def _listen(self) -> None:
        hover = self.handles.get("hover")
        if hover is not None:
            args = {"source": self.handles["source"], "pointed": self.handles["pointed_source"]}
            hover.update(renderers=[self.handles["glyph_renderer"]], callback=CustomJS(args=args, code=HOVER))
        self.hear(self.handles["source"].selected, "indices", self._chosen)
        self.hear(self.handles["pointed_source"], "data", self._pointed)

    def _chosen(self, attr: str, old: Any, new: Any) -> None:
        if self.current_frame is not None and self.current_frame.choice is not None:
            self.current_frame.choice.choose([int(row) for row in new])

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        if self.current_frame is not None and self.current_frame.choice is not None:
            self.current_frame.choice.preview(int(new["row"][0]) if len(new["row"]) else None)


def apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points (n,) to name: each that no named one before it is close to."""
    wide, high = (np.ptp(each[np.isfinite(each)]) if np.isfinite(each).any() else 0.0 for each in (x, y))
    kept: list[int] = []
    for i in range(len(x)):
        near = np.abs(x[kept] - x[i]) < 1.5 * NEAR * (wide or 1.0)
        if not (near & (np.abs(y[kept] - y[i]) < NEAR * (high or 1.0))).any():
            kept.append(i)
    return np.array(kept, int)
