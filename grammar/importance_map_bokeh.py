"""Bokeh plot of what models lean on."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import LinearColorMapper
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Text
from holoviews import Dimension

from ..kernels.figures import figure
from .columns import Columns
from .model_grid_bokeh import ModelGridPlot, short
from .palettes import GREY, cell_colors

WIDE = 0.25  # of the bars beside the map, as a share of its width


class ImportanceMapPlot(ModelGridPlot):
    """Cells, darker for a feature that the model leans on more; bars of the mean over all models at the right.

    Further layers: `overall`, `shares`.
    """

    def columns(self, element: Any) -> Columns:
        """One row per cell."""
        x, y, share, loss, low, high = (element.dimension_values(i) for i in range(6))
        names, features = (np.array(each, dtype=object) for each in (element.names, element.features))
        shape = {"left": x - 0.48, "right": x + 0.48, "bottom": y - 0.48, "top": y + 0.48}
        said = [_said(*each) for each in zip(loss, low, high, strict=True)]
        told = {"number": element.ids, "name": names[x], "feature": features[y], "said": said}
        return {**shape, **told, "share": share, "part": [f"{each:.1%}" for each in share]}

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour tells the share."""
        mapping = super().mapping(element, style)
        if "color_mapper" not in self.handles:
            palette = ["#FFFFFF", *cell_colors()]
            self.handles["color_mapper"] = LinearColorMapper(palette=palette, low=0, high=1)
        shade = {"field": "share", "transform": self.handles["color_mapper"]}
        return mapping if "color" in style else mapping | {"fill_color": shade}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Bars with their numbers, and what is selected."""
        row, foot = np.arange(len(element.features)), len(element.names) - 0.3
        most = float(element.overall.max(initial=0)) or 1.0
        long = element.overall / most * WIDE * max(len(element.names), 1)
        text = [f"{each:.0%}" for each in element.overall]
        return {
            "overall": {"left": np.full(len(row), foot), "right": foot + long, "bottom": row - 0.4, "top": row + 0.4},
            "shares": {"x": foot + long, "y": row, "text": text},
            **super().layers(element),
        }

    def reach(self, element: Any) -> tuple[float, float]:
        """All features."""
        return -0.5, len(element.features) - 0.5

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Bars, numbers, frames."""
        if name == "overall":
            return Quad(left="left", right="right", bottom="bottom", top="top", fill_color=GREY, line_color=None), {}
        if name == "shares":
            font: dict[str, Any] = {"text_font_size": "10px", "text_color": "#444444", "text_baseline": "middle"}
            return Text(x="x", y="y", text="text", x_offset=3, **font), {}
        return super().layer_glyph(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All cells, with the bars and room for "100%" beside the longest."""
        models = max(len(element.names), 1)
        return -0.6, -0.6, models * (1 + 2 * WIDE) - 0.3, max(len(element.features), 1) - 0.4

    def annotate(self, element: Any) -> None:
        """Names of the features, numbers of the models; the darkest cell is the largest share there is."""
        super().annotate(element)
        self.name_axes(element, len(element.names), [short(feature, 24) for feature in element.features])
        most = float(np.max(element.dimension_values(2), initial=0)) if len(element) else 0.0
        self.handles["color_mapper"].high = most or 1.0

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        loss = f"loss of {element.metric} without it" if element.metric else "loss without it"
        tips = [("model", "@number: @name"), ("feature", "@feature"), (loss, "@said")]
        return [*tips, ("share of the model", "@part")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        more = f"; {element.left_out:,} more features" if element.left_out else ""
        return Dimension(("model", f"models, mean at the right{more}")), Dimension(("feature", " "))


def _said(loss: float, low: float, high: float) -> str:
    if np.isnan(loss):
        return "not used"
    return figure(loss) + (f" ({figure(low)} to {figure(high)})" if np.isfinite(low) and np.isfinite(high) else "")
