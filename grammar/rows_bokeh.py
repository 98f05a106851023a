"""Bokeh plots of symbols and of a whole training."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Text, VSpan
from holoviews import Dimension
from holoviews.core.util import dimension_sanitizer
from holoviews.plotting.bokeh.selection import BokehOverlaySelectionDisplay
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties

from .columns import Columns, all_dimensions, bars
from .layers_bokeh import LayeredPlot
from .palettes import BLUISH_GREEN, GREY, VERMILLION

_STYLE = base_properties + fill_properties + line_properties


class SymbolRowsPlot(LayeredPlot):
    """Cells of symbols; a wrong prediction is filled and outlined, not only coloured. Further layer: `text`."""

    right_color = param.Color(default=BLUISH_GREEN, doc="Colour of predictions that came true.")

    wrong_color = param.Color(default=VERMILLION, doc="Colour of predictions that did not.")

    font_size = param.String(default=None, allow_None=True, doc="Size of symbols; None: as the number of steps allows.")

    selection_display = BokehOverlaySelectionDisplay()

    style_opts = _STYLE

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per cell: the true symbols, then the predicted ones."""
        step = element.dimension_values(0)
        wrong = ~element.dimension_values(3).astype(bool)
        row = np.repeat([1.0, 0.0], len(step))
        twice = {name: np.concatenate([values, values]) for name, values in all_dimensions(element).items()}
        marked = np.concatenate([np.zeros(len(step), bool), wrong])
        shape = {"left": twice_of(step - 0.44), "right": twice_of(step + 0.44), "bottom": row - 0.44, "top": row + 0.44}
        ink = {
            "edge_color": np.where(marked, self.wrong_color, "#DDDDDD"),
            "cell_color": np.where(marked, "#FBE3D6", "#FFFFFF"),
            "verdict": np.where(twice_of(_blank(element)), "not known", np.where(twice_of(wrong), "wrong", "right")),
        }
        return twice | shape | ink

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Outline and fill tell right from wrong, unless a colour was asked for."""
        mapping = super().mapping(element, style)
        if "color" not in style:
            mapping |= {"fill_color": "cell_color", "line_color": "edge_color"}
        return mapping

    def layers(self, element: Any) -> dict[str, Columns]:
        """The symbols themselves."""
        step, true, predicted, correct = (element.dimension_values(i) for i in range(4))
        told = np.where(correct.astype(bool), self.right_color, self.wrong_color)
        return {
            "text": {
                "x": twice_of(step),
                "y": np.repeat([1.0, 0.0], len(step)),
                "text": np.concatenate([true, predicted]).astype(str),
                "color": np.concatenate([np.full(len(step), "#222222"), told]),
                "style": np.concatenate(
                    [np.full(len(step), "normal"), np.where(correct.astype(bool), "normal", "bold")]
                ),
            }
        }

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Text in a font of one width."""
        font: dict[str, Any] = {"text_font": {"value": "monospace"}, "text_font_size": self.font_size or "14px"}
        place: dict[str, Any] = {"text_align": "center", "text_baseline": "middle"}
        return Text(x="x", y="y", text="text", text_color="color", text_font_style="style", **font, **place), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All steps, both rows."""
        return -0.5, -0.5, float(element.dimension_values(0).max(initial=0)) + 0.5, 1.5

    def annotate(self, element: Any) -> None:
        """Make the font fit the steps."""
        if self.font_size is None:
            steps = len(element)
            self.handles["text_glyph"].text_font_size = f"{int(np.clip(900 / max(steps, 1), 5, 15))}px"

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        names = [d.name for d in element.dimensions()]
        step, symbol, predicted, _, probability = (_column(name) for name in names[:5])
        tips = [("step", f"@{step}"), ("true", f"@{symbol}"), ("predicted", f"@{predicted}, @verdict")]
        tips += [("probability", f"@{probability}{{0.0%}}")]
        tips += [("most probable", "@alternatives")] if "alternatives" in names else []
        return tips, {}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return element.kdims[0], Dimension("symbol_row")


class TrainingOverviewPlot(LayeredPlot):
    """Bars, one per recorded batch. With `logy` an ordinary log axis. Further layer: `pin`."""

    pin = param.Boolean(
        default=False, doc="Draw a line from top to bottom behind every bar, to find the few there are."
    )

    selection_display = BokehOverlaySelectionDisplay()

    style_opts = _STYLE

    _nonvectorized_styles = [*base_properties]

    _plot_methods = {"single": "quad"}

    def columns(self, element: Any) -> Columns:
        """One row per batch."""
        batch, value = element.dimension_values(0), np.nan_to_num(element.dimension_values(1).astype(float))
        columns = bars(batch, value, 1e-290 if self.logy else 0.0, element.width())
        middle = (batch[1:] + batch[:-1]) / 2  # bars never overlap: the pointer is over one
        columns["right"][:-1] = np.minimum(columns["right"][:-1], middle)
        columns["left"][1:] = np.maximum(columns["left"][1:], middle)
        return all_dimensions(element) | columns

    def layers(self, element: Any) -> dict[str, Columns]:
        """Where the lines go."""
        return {"pin": {"x": element.dimension_values(0)}} if self.pin else {}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines in the colour of the bars."""
        color = self.style[self.cyclic_index].get("color", GREY)
        return VSpan(x="x", line_color=color, line_width=3, line_alpha=0.45), {"level": "underlay"}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All batches, and the largest bar with some air."""
        columns = self.columns(element)
        top, high = columns["top"], float(columns["top"].max(initial=0)) or 1.0
        low = float(top[top > 0].min(initial=high)) / 1.5 if self.logy else 0.0
        return float(columns["left"].min()), low, float(columns["right"].max()), high * (1.5 if self.logy else 1.05)

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        value = element.vdims[0]  # without its unit, which tooltips tell: the plot is low
        return element.kdims[0], Dimension((value.name, value.label))

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        whole = {"batch", "step", "position"}
        tips = []
        for d in element.dimensions():
            column = _column(d.name)
            tips.append((d.pprint_label, f"@{column}{{0,0}}" if d.name in whole else f"@{column}{{0.000 a}}"))
        return tips, {}


def _blank(element: Any) -> np.ndarray:
    """Steps of which the prediction is not known."""
    return element.dimension_values(2) == ""


def twice_of(values: np.ndarray) -> np.ndarray:
    """The values, and once more."""
    return np.concatenate([values, values])


def _column(name: str) -> str:
    return f"{{{dimension_sanitizer(name)}}}"
