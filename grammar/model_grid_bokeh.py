"""What plots with a column per model have in common: columns of selected models are framed, and named below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import FixedTicker
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns
from .palettes import BLACK, ORANGE
from .row_linked_bokeh import RowLinkedPlot

MOST = 45  # models whose numbers are written below their columns
LONG = 30  # characters of a row's name


class ModelGridPlot(RowLinkedPlot):
    """Cells of models (x) by something else (y), whose first two dimensions are whole numbers.

    Layers `kept` and `lit` frame columns: black when clicked, orange under the pointer.
    """

    borders = {"min_border_left": 60, "min_border_right": 10}

    style_opts = base_properties + fill_properties + line_properties

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def reach(self, element: Any) -> tuple[float, float]:
        """From where to where columns of models reach."""
        raise NotImplementedError

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """The columns of the selected models."""
        x = np.unique(element.dimension_values(0)[element.marks[there]])
        low, high = self.reach(element)
        return {"left": x - 0.5, "right": x + 0.5, "bottom": np.full(len(x), low), "top": np.full(len(x), high)}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Frames."""
        ink: dict[str, Any] = {"line_color": BLACK, "fill_color": None, "line_width": 1.5}
        if name == "lit":
            ink = {"line_color": ORANGE, "line_width": 1.5, "fill_color": ORANGE, "fill_alpha": 0.25}
        return Quad(left="left", right="right", bottom="bottom", top="top", **ink), {}

    def name_axes(self, element: Any, models: int, rows: Sequence[str]) -> None:
        """Numbers of the models below, as long as they can be read; names of the rows beside."""
        names = {row: short(name) for row, name in enumerate(rows)}
        self.handles["yaxis"].update(ticker=FixedTicker(ticks=list(names)), major_label_overrides=names)
        numbers = dict(zip(element.dimension_values(0).tolist(), element.ids, strict=True))
        below = {at: str(numbers.get(at, "")) for at in range(models if models <= MOST else 0)}
        axis = self.handles["xaxis"]
        axis.update(ticker=FixedTicker(ticks=list(below)), major_label_overrides=below)
        axis.major_label_orientation = 0.0 if models <= 15 else 1.57
        axis.major_label_text_font_size = "11px" if models <= 20 else "8px"


def short(name: str, most: int = LONG) -> str:
    """A name that fits, the rest of it cut off."""
    return name if len(name) <= most else name[: most - 1] + "…"
