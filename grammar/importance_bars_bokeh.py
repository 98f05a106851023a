"""Bokeh plot of the importance of hyper-parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import BasicTicker, FixedTicker, NumeralTickFormatter
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Segment, Text
from holoviews import Dimension
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .layers_bokeh import LayeredPlot
from .model_grid_bokeh import short


class ParameterImportancePlot(LayeredPlot):
    """Lying bars with the spread of the forest's trees. Layers: `spread`, `caption`."""

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per parameter."""
        place, share, low, high, trials = (element.dimension_values(i) for i in range(5))
        shape = {"left": np.zeros(len(place)), "right": share, "bottom": place - 0.4, "top": place + 0.4}
        said = [f"{a:.1%} ({b:.1%} to {c:.1%})" for a, b, c in zip(share, low, high, strict=True)]
        told = {"parameter": np.array(element.parameters, dtype=object), "said": said, "trials": trials}
        return {**shape, **told, "best": [each or "not active" for each in element.best]}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Spread, and how much to believe."""
        place, _, low, high = (element.dimension_values(i) for i in range(4))
        more = f"{element.left_out} more not shown" if element.left_out else ""
        text = "; ".join(each for each in (element.note, more) if each)
        foot = len(place) - 0.4 if len(place) else 0.5
        return {
            "spread": {"x0": low, "x1": high, "y": place},
            "caption": {"x": [0.0], "y": [foot], "text": ["\n".join(_wrapped(text))]},
        }

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Thin lines, small text."""
        if name == "spread":
            return Segment(x0="x0", x1="x1", y0="y", y1="y", line_color="#222222", line_width=1.5), {}
        font: dict[str, Any] = {"text_font_size": "11px", "text_color": "#444444", "text_baseline": "top"}
        return Text(x="x", y="y", text="text", x_offset=4, **font), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All bars, with the caption below."""
        most = float(np.nanmax(element.dimension_values(3), initial=0.0)) or 1.0
        count = len(element)
        return 0.0, -0.6, 1.05 * most, count - 0.4 + max(0.2 * count, 1.0)

    def annotate(self, element: Any) -> None:
        """Names of the parameters."""
        names = {at: short(name, 24) for at, name in enumerate(element.parameters)}
        self.handles["yaxis"].update(ticker=FixedTicker(ticks=list(names)), major_label_overrides=names)
        percent = NumeralTickFormatter(format="0%")
        self.handles["xaxis"].update(ticker=BasicTicker(desired_num_ticks=5), formatter=percent)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [("parameter", "@parameter"), ("explains", "@said"), ("in the best trial", "@best")]
        return [*tips, ("trials that have it", "@trials{0,0}")], {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return Dimension(("importance", "share of the cost's variation")), Dimension(("place", " "))


def _wrapped(text: str, width: int = 52) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)
