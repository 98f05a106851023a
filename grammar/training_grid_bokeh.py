"""Bokeh plots of units and gates through a training: a strip of cells per row, under an axis of batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from bokeh.models import CustomJSTickFormatter, FixedTicker, LinearColorMapper
from bokeh.models.annotations import ColorBar, Title
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import HStrip, VSpan
from holoviews import Dimension
from holoviews.plotting.bokeh.selection import BokehOverlaySelectionDisplay
from holoviews.plotting.bokeh.styles import base_properties

from .columns import Columns
from .layers_bokeh import BORDERS, LayeredPlot
from .palettes import BLACK, DARK_BLUE, SKY_BLUE, cell_colors
from .stacking import TRANSFORMS, default_floor, length, log_ticks
from .text_room import cut

LOW = 1.0  # height of all rows that are not drawn high, as a share of those that are, at most
# What a place on the scale of colours stands for.
TRUE_VALUE = """
const value = floor > 0 ? Math.sign(tick) * floor * (10 ** Math.abs(tick) - 1) : tick
const end = !(percent && most > 0 && Math.abs(value) > 0.99 * most) ? "" : value > 0 ? "≥" : "≤"
return percent ? `${end}${Number((100 * value).toPrecision(2))}%`
  : value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(0) : `${Number(value.toPrecision(2))}`
"""
NAMES = 62  # pixels for the name of a row


class TrainingGridPlot(LayeredPlot):
    """Cells coloured by value, with a scale at the right. Layers: `selected`, `previewed` (batches), `chosen` (row).

    With `transform="log"` a colour tells log10(1 + value / floor), sign kept; the scale shows true values.
    """

    transform: Any = param.Selector(default="log", objects=list(TRANSFORMS), doc="What a step of colour means.")

    borders = BORDERS | {"min_border_right": 130}

    style_opts = [*base_properties, "cmap"]

    _nonvectorized_styles = [*base_properties, "cmap"]

    _plot_methods = {"single": "image"}

    selection_display = BokehOverlaySelectionDisplay()

    def __init__(self, *args: Any, **params: Any) -> None:
        super().__init__(*args, **params)
        self._marks: dict[str, list[int]] = {"selected": [], "previewed": []}

    def mark(self, selected: int | None, previewed: int | None = None) -> None:
        """Mark the selected and the previewed batch, or none."""
        for name, batch in (("selected", selected), ("previewed", previewed)):
            self._marks[name] = [] if batch is None else [int(batch)]
            self.handles[f"{name}_source"].data = {"x": self._marks[name]}

    def columns(self, element: Any) -> Columns:
        """An image per row that is drawn high, and one of all the others."""
        batches, _ = element.places()
        edges = element.row_edges()
        tops = row_tops(element)
        found: Columns = {name: [] for name in ("image", "x", "y", "dw", "dh", "name", "norm", "part", "at")}
        if not len(batches):
            return found
        value = element.cells(element.vdims[0])
        told = {name: element.cells(name) for name in ("norm", "part")}
        known = [d.name for d in element.vdims]
        told["at"] = element.cells("at") if "at" in known else np.broadcast_to(batches, value.shape)
        of = element.cells("of") if "of" in known else np.broadcast_to(edges[:-1, None], value.shape)
        shade = self._scaled(element, value)
        rest = int(np.searchsorted(edges, element.apart))
        rows = [slice(at, at + 1) for at in range(rest)] + ([slice(rest, len(value))] if rest < len(value) else [])
        keys = element.keys
        for row in rows:
            apart = row.stop <= rest
            found["image"].append(np.ascontiguousarray(shade[row], np.float32))
            found["x"].append(float(batches[0]) - 0.5)
            found["y"].append(float(tops[row.start]))
            found["dw"].append(float(len(batches) * element.span))
            found["dh"].append(float(tops[row.stop] - tops[row.start]) * (0.93 if apart else 1.0))
            names = element.names[edges[row.start]] if apart else np.asarray(keys)[of[row]].astype(np.int32)
            found["name"].append(names)
            for name, cells in told.items():
                kind = np.int32 if name == "at" else np.float32
                found[name].append(np.ascontiguousarray(cells[row], kind))
        return found

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Where the images go."""
        mapping = {name: name for name in ("image", "x", "y", "dw", "dh")}
        if "color_mapper" not in self.handles:
            self.handles["color_mapper"] = LinearColorMapper(palette=cell_colors(), low=0, high=1, nan_color="#FFFFFF")
        self._cmap = style.pop("cmap", None)
        return mapping | {"color_mapper": self.handles["color_mapper"]}

    def layers(self, element: Any) -> dict[str, Columns]:
        """Marked batches, the framed row, and a word where there is nothing to see."""
        strip: Columns = {"y0": [], "y1": []}
        if element.chosen is not None and element.chosen in element.keys:
            tops, edges = row_tops(element), element.row_edges()
            row = int(np.searchsorted(edges, element.keys.index(element.chosen), "right")) - 1
            strip = {"y0": [float(tops[row])], "y1": [float(tops[row + 1])]}
        marks = {name: {"x": batches} for name, batches in self._marks.items()}
        return {**marks, "chosen": strip}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """Lines from top to bottom, a frame from left to right."""
        if name == "chosen":
            return HStrip(y0="y0", y1="y1", fill_alpha=0, line_color=BLACK, line_width=1.5), {}
        color, width = (DARK_BLUE, 2) if name == "selected" else (SKY_BLUE, 2)
        return VSpan(x="x", line_color=color, line_width=width, line_alpha=0.8), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All batches, all rows."""
        batches, _ = element.places()
        low, high = (float(batches[0]), float(batches[-1])) if len(batches) else (0.0, 1.0)
        return low - 0.5, 0.0, high + element.span - 0.5, max(float(row_tops(element)[-1]), 1.0)

    def annotate(self, element: Any) -> None:
        """Names of rows, colours and their scale, and what is shown."""
        tops, edges = row_tops(element), element.row_edges()
        middle = (tops[1:] + tops[:-1]) / 2
        named = {
            float(middle[at]): cut(element.tick(int(edges[at])), NAMES, 10)
            for at in range(min(element.apart, len(middle)))
        }
        rest = len(element.names) - element.apart
        if rest > 0 and len(middle):
            named[float((tops[element.apart] + tops[-1]) / 2)] = f"{rest:,} more"
        self.handles["yaxis"].update(
            ticker=FixedTicker(ticks=list(named)),
            major_label_overrides=named,
            major_label_text_font_size="10px",
            major_label_standoff=2,
            major_tick_out=3,
            axis_label=None,
        )
        self._color(element)
        if "caption" in self.handles:
            self.handles["caption"].text = self._title(element)

    def row_at(self, y: float) -> int | None:
        """Place (in the whole) of the first unit or gate in the row drawn at a height; None outside."""
        element = self.current_frame
        at = int(np.searchsorted(row_tops(element), y, "right")) - 1
        edges = element.row_edges()
        return int(edges[at]) if 0 <= at < len(edges) - 1 else None

    def _title(self, element: Any) -> str:
        value = element.vdims[0]
        unit = f" ({value.unit})" if value.unit else ""
        what = f" of {element.what}" if element.what else ""
        log = ", log" if self.transform == "log" else ""
        return f"{element.caption()} · colour: {value.label}{what}{unit}{log}"

    def _scaled(self, element: Any, values: np.ndarray) -> np.ndarray:
        return length(values, self.transform, self._floor(element))

    def _floor(self, element: Any) -> float | None:
        return default_floor(max(map(abs, element.ends()))) if self.transform == "log" else None

    def _color(self, element: Any) -> None:
        low, high = element.ends()
        signed = low < 0
        ends = self._scaled(element, np.array([-max(-low, high) if signed else 0.0, max(-low, high)]))
        palette = self._cmap if isinstance(self._cmap, list | tuple) else cell_colors(signed, white=True)
        span = (float(ends[0]), float(ends[1]) or 1.0)
        self.handles["color_mapper"].update(palette=list(palette), low=span[0], high=span[1])
        if "color_bar" in self.handles:
            self.handles["color_bar"].ticker.ticks = self._scale_ticks(element)
            self.handles["color_bar"].formatter.args = {
                "floor": self._floor(element) or 0.0,
                "percent": element.kind == "share",
                "most": max(map(abs, element.ends())),
            }

    def _scale_ticks(self, element: Any) -> list[float]:
        """Places on the scale of colours that are named."""
        low, high = element.ends()
        most = max(-low, high)
        floor = self._floor(element)
        if floor is None:
            return [-most, 0.0, most] if low < 0 else [0.0, most / 2, most]
        return sorted(log_ticks(-most if low < 0 else 0.0, most, floor))  # in order, or Bokeh leaves some out

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        bar = ColorBar(
            color_mapper=self.handles["color_mapper"],
            ticker=FixedTicker(ticks=[]),
            formatter=CustomJSTickFormatter(code=TRUE_VALUE, args={"floor": 0.0, "percent": False, "most": 0.0}),
            width=8,
            padding=2,
            label_standoff=3,
            major_label_text_font_size="10px",
            major_tick_line_color="#777777",
            bar_line_color="#BBBBBB",
            title=None,
        )
        plot.add_layout(bar, "right")
        self.handles["caption"] = Title(text="", text_font_size="11px", text_font_style="normal", standoff=2)
        plot.add_layout(self.handles["caption"], "above")
        self.handles["color_bar"] = bar
        self.annotate(element)

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        tips = [(element.row_name, "@name"), ("batch", "@at{0,0}")]
        tips += [("gradient norm", f"@norm{{%.4g}} {element.get_dimension('norm').unit or ''}")]
        tips += [("part of |G|²", "@part{0.00%}")]
        return tips, {"formatters": {"@norm": "printf"}}

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        return element.kdims[0], Dimension((element.kdims[1].name, " "))


def row_tops(element: Any) -> np.ndarray:
    """(r + 1,) where rows begin, from the top: those apart 1 high, the others together no higher than those."""
    edges = element.row_edges()
    apart = min(element.apart, len(element.names))
    rest = max(len(element.names) - apart, 0)
    each = min(1.0, LOW * max(apart, 1) / rest) if rest else 1.0
    return np.where(edges <= apart, edges, apart + (edges - apart) * each).astype(float)
