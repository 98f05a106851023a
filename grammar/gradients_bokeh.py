"""Bokeh plots of itemized gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param
from bokeh.models import CategoricalColorMapper, CustomJS, FixedTicker, HoverTool, LinearColorMapper
from bokeh.models.annotations import ColorBar, Legend, LegendItem, Span
from bokeh.models.glyph import Glyph
from bokeh.models.glyphs import Quad, Text, VStrip
from holoviews import Dimension
from holoviews.plotting.bokeh.selection import BokehOverlaySelectionDisplay
from holoviews.plotting.bokeh.styles import base_properties, fill_properties, line_properties
from holoviews.plotting.util import process_cmap

from .columns import Columns, all_dimensions, bars, describe, edges, farthest, flow_columns, lag_names, lag_sign, totals
from .highlight import LEAVE, MOVE, RENEW
from .layers_bokeh import LayeredPlot
from .palettes import BLUE, GREY, lag_greens
from .stacking import TRANSFORMS, default_floor, log_ticks

FEWER = {"+": "fewer later losses", "−": "fewer earlier losses", "±": "fewer losses"}
_STYLE = base_properties + fill_properties + line_properties


class _GradientPlot(LayeredPlot):
    """What both plots of itemized gradients share."""

    bar_width = param.Number(default=0.8, bounds=(0, 1), doc="Width of a bar, in steps.")

    selection_display = BokehOverlaySelectionDisplay()

    style_opts = [*_STYLE, "cmap"]

    _nonvectorized_styles = [*base_properties, "cmap"]

    _plot_methods = {"single": "quad"}

    def _hover_opts(self, element: Any) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        names = {d.name for d in element.vdims}
        value = element.vdims[0]
        tips = [("step", "@step"), ("lag", "@lag"), ("loss at step", "@loss_step")]
        tips += [("loss is about", "@symbol")] if "symbol" in names else []
        tips += [("loss", "@loss{%.3f} nats")] if "loss" in names else []
        tips += [(value.label, f"@value{{%.4g}} {value.unit or ''}")]
        return tips, {"formatters": {"@value": "printf", "@loss": "printf"}}


class GradientFlowPlot(_GradientPlot):
    """Hanging stacked bars, one per step. Further layers: `edge`, `edge_note`, `beyond`, `highlight`.

    With `transform="log"` the length of a bar is log10(1 + total / floor), shared by its segments in proportion; the
    axis shows true totals. See `stacking`.
    """

    ticks = 5

    transform: Any = param.Selector(default="linear", objects=list(TRANSFORMS), doc="What the length of a bar means.")

    floor = param.Number(
        default=None,
        bounds=(0, None),
        inclusive_bounds=(False, True),
        allow_None=True,
        doc="Total at which the log transform turns logarithmic; None: three decades under the batch's largest bar.",
    )

    show_beyond = param.Boolean(
        default=True, doc="Draw what was not told apart: a thin bar of its own for norms, stacked last for shares."
    )

    mark_edge = param.Boolean(default=True, doc="Mark the steps that have fewer later losses than lags are shown.")

    lag_legend = param.Boolean(default=True, doc="Show which colour stands for which lag, above the plot.")

    highlight = param.Boolean(default=True, doc="Highlight all segments of the loss under the pointer.")

    highlight_color = param.Color(default=BLUE, doc="Colour of highlighted segments.")

    def columns(self, element: Any) -> Columns:
        """One row per cell; `near` and `far` ends as `bottom` and `top`."""
        columns, _ = self._geometry(element)
        return columns

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """Colour by lag, unless a colour was asked for."""
        mapping = super().mapping(element, style)
        cmap = style.pop("cmap", None)
        if not {"color", "fill_color"} & set(style):
            mapping["fill_color"] = {"field": "distance", "transform": self._lag_mapper(element, cmap)}
        if "line_color" not in style:
            mapping["line_color"] = "white" if farthest(element) < 16 else None  # thin segments would be all outline
        return mapping

    def layers(self, element: Any) -> dict[str, Columns]:
        """Columns of the steps at the edge, what was not told apart, and (for the browser to fill) the highlight."""
        beyond = self._geometry(element)[1]
        at = edges(element) if self.mark_edge else []
        strip: Columns = {"x0": [x0 for x0, _ in at], "x1": [x1 for _, x1 in at]}
        layers: dict[str, Columns] = {
            "edge": strip,
            "edge_note": {"x": strip["x1"], "text": [FEWER[lag_sign(element)]] * len(strip["x1"])},
        }
        if self.show_beyond:
            layers["beyond"] = beyond
        if self.highlight and "highlight_source" not in self.handles:
            layers["highlight"] = {name: [] for name in ("left", "right", "top", "bottom", "step", "loss_step")}
        return layers

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """The glyphs of the layers."""
        ends: dict[str, Any] = {side: side for side in ("left", "right", "top", "bottom")}
        if name == "edge":
            hatch: dict[str, Any] = {
                "hatch_pattern": "right_diagonal_line",
                "hatch_color": "#B8B8B8",
                "hatch_scale": 10,
            }
            hatch |= {"hatch_weight": 0.6, "fill_color": "#F2F2F2", "line_color": None}
            return VStrip(x0="x0", x1="x1", **hatch), {"level": "underlay"}
        if name == "edge_note":
            place: dict[str, Any] = {
                "y": self._note_at(),
                "text_align": "right",
                "text_baseline": "bottom",
                "x_offset": -4,
            }
            return Text(x="x", text="text", text_font_size="10px", text_color="#555555", y_offset=-3, **place), {}
        if name == "beyond":
            return Quad(**ends, fill_color="#D0D0D0", line_color=GREY, line_width=1), {}
        return Quad(**ends, fill_color=self.highlight_color, line_color="white", line_width=0.5), {}

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All steps of the batch, and the longest bars with some air."""
        columns, beyond = self._geometry(element)
        ends = np.concatenate([columns["top"], columns["bottom"], beyond["top"] if self.show_beyond else []])
        low, high = min(0.0, ends.min(initial=0)), max(0.0, ends.max(initial=0))
        air = 0.05 * ((high - low) or 1.0)
        return -0.5, low - air if low else 0.0, (element.length or 1) - 0.5, high + air if high else 1.0

    def annotate(self, element: Any) -> None:
        """Axis labels of the log transform, legend of lags, position of the note."""
        floor = self._floor(element)
        if floor is not None:
            low, high = (float(x) for x in totals(element, self.show_beyond))
            if all(
                end is not None and math.isfinite(end) for end in self.ylim
            ):  # one scale for many batches: label what the axis spans
                low, high = (math.copysign(floor * (10.0 ** abs(end) - 1), end) for end in self.ylim)
            labels = log_ticks(low, high, floor)
            self.handles["yaxis"].update(ticker=FixedTicker(ticks=list(labels)), major_label_overrides=labels)
        if "lag_mapper" in self.handles and len(element):
            self._set_lags(element)
        if "edge_note_glyph" in self.handles:
            self.handles["edge_note_glyph"].y = float(self.get_extents(element, {})[3])

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        # HoloViews merges axes of one title: bars on a log scale need another than plain ones.
        value = element.vdims[0]
        title = value.label if self.transform == "linear" else f"{value.label}, log"
        return element.kdims[0], Dimension(("flow", title), unit=value.unit)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        plot.add_layout(Span(location=0, dimension="width", line_color="#555555", line_width=1))
        hover = self.handles.get("hover")
        if hover is not None and "beyond_renderer" in self.handles:
            plot.add_tools(self._beyond_hover(element))
        if self.lag_legend:
            self._add_legend(plot)
        if self.highlight:
            self._follow_pointer(plot)

    def _beyond_hover(self, element: Any) -> HoverTool:
        """Tooltips of what was not told apart: it belongs to no one loss."""
        value = element.vdims[0]
        tips = [("step", "@step"), ("losses", "@loss_step"), ("lag", "@lag")]
        tips += [(value.label, f"@value{{%.4g}} {value.unit or ''}")]
        renderers: list[Any] = [self.handles["beyond_renderer"]]
        formatters: dict[str, Any] = {"@value": "printf"}
        return HoverTool(renderers=renderers, tooltips=tips, formatters=formatters, visible=False)

    def _follow_pointer(self, plot: Any) -> None:
        sources = {"source": self.handles["source"], "highlight": self.handles["highlight_source"]}
        plot.js_on_event("mousemove", CustomJS(args=sources, code=MOVE))
        plot.js_on_event("mouseleave", CustomJS(args=sources, code=LEAVE))
        sources["source"].js_on_change("data", CustomJS(args=sources, code=RENEW))

    def _note_at(self) -> float:
        return float(self.get_extents(self.current_frame, {})[3])

    def _floor(self, element: Any) -> float | None:
        if self.transform == "linear":
            return None
        return self.floor or default_floor(float(np.abs(totals(element, self.show_beyond)).max()))

    def _geometry(self, element: Any) -> tuple[Columns, Columns]:
        """Columns of the segments and of what was not told apart."""
        cached = getattr(self, "_drawn", None)
        setting = (self.transform, self.floor, self.bar_width, self.show_beyond)
        if cached is None or cached[0] is not element or cached[1] != setting:
            columns = flow_columns(element, self.transform, self._floor(element), self.bar_width, self.show_beyond)
            self._drawn = (element, setting, columns)
        return self._drawn[2]

    def _lag_mapper(self, element: Any, cmap: Any) -> LinearColorMapper:
        if "lag_mapper" not in self.handles:
            self.handles["lag_mapper"] = LinearColorMapper(palette=lag_greens(1), low=-0.5, high=0.5)
        self._cmap = cmap
        self._set_lags(element)
        return self.handles["lag_mapper"]

    def _set_lags(self, element: Any) -> None:
        """Bring the colours of lags, and their legend, up to the number of lags."""
        mapper = self.handles["lag_mapper"]
        count = farthest(element) + 1
        if len(mapper.palette) != count or mapper.high != count - 0.5:
            palette = lag_greens(count) if self._cmap is None else process_cmap(self._cmap, count)
            mapper.update(palette=palette, low=-0.5, high=count - 0.5)
        if "lag_legend" in self.handles:
            self._set_legend(element)

    def _add_legend(self, plot: Any) -> None:
        if "lag_mapper" not in self.handles or any(isinstance(model, ColorBar) for model in plot.above):
            return
        mapper = CategoricalColorMapper(factors=["own loss"], palette=["black"])
        legend = ColorBar(
            color_mapper=mapper,
            orientation="horizontal",
            height=9,
            padding=2,
            label_standoff=3,
            major_tick_line_color=None,
            major_label_text_font_size="11px",
            bar_line_color=None,
            location="center_left",
            title=None,
        )
        plot.add_layout(legend, "above")
        self.handles["lag_legend"] = legend
        self._set_legend(self.current_frame)

    def _set_legend(self, element: Any) -> None:
        colors = self.handles["lag_mapper"].palette
        names = lag_names(len(colors), sign=lag_sign(element))
        factors = list(names.values())
        palette = [colors[lag] for lag in names]
        if self.show_beyond and any(d.name == "beyond" for d in element.vdims):
            factors, palette = [*factors, "beyond"], [*palette, "#D0D0D0"]
        legend = self.handles["lag_legend"]
        if legend.color_mapper.factors != factors or legend.color_mapper.palette != palette:
            legend.color_mapper.update(factors=factors, palette=palette)
            legend.width = 68 * len(factors)


class GradientHorizonPlot(_GradientPlot):
    """Upright bars of one loss. With `logy` the value axis is an ordinary log axis, since nothing is stacked."""

    ticks = 3

    captioned_in_browser = False  # a `LossLink` knows which loss is on show; Python does not

    @property
    def base(self) -> float:
        """Where the bars stand. A log axis has no 0; this is far below any axis."""
        return 1e-290 if self.logy else 0.0

    def columns(self, element: Any) -> Columns:
        """One row per step."""
        step, value, lag = (element.dimension_values(i).astype(float) for i in range(3))
        shape = bars(step, value, self.base, self.bar_width)
        known = {"step": step, "lag": lag, "loss_step": step + lag, "value": value}
        return all_dimensions(element) | shape | known

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """All steps of the batch, and the values its losses span."""
        value = np.nan_to_num(element.dimension_values(1))
        low, high = element.span or (value.min(initial=0), value.max(initial=0))
        if self.logy:
            least = element.least or float(value[value > 0].min(initial=high or 1.0))
            low, high = max(least, high * 1e-6) / 1.5, (high or 1.0) * 1.5
        else:
            low, high = low * 1.08, high * 1.08 or 1.0
        return -0.5, float(low), (element.length or 1) - 0.5, float(high)

    def annotate(self, element: Any) -> None:
        """Say which loss it is, on the side the bars leave free."""
        if "caption" in self.handles and not self.captioned_in_browser:
            self._caption(element)

    def _caption(self, element: Any) -> None:
        caption = self.handles["caption"]
        caption.items[0].label = {"value": describe(element)}
        steps = element.dimension_values(0)
        left = steps.min() if len(steps) else 0  # steps free on the left, and on the right of the bars
        right = (element.length or 1) - 1 - (element.loss_step or 0)
        caption.location = "top_left" if left > right else "top_right"

    def _get_axis_dims(self, element: Any) -> tuple[Dimension, Dimension]:
        # Upright bars cannot share the axis of hanging ones, hence another title. It is short: the plot is low.
        return element.kdims[0], Dimension(("horizon", "one loss"))

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        item = LegendItem(label={"value": ""}, renderers=[self.handles["glyph_renderer"]])
        caption = Legend(items=[item], border_line_color=None, background_fill_alpha=0.75)
        caption.update(
            padding=2, margin=4, glyph_width=12, glyph_height=12, label_text_font_size="11px", label_height=12
        )
        plot.add_layout(caption)
        self.handles["caption"] = caption
        self.annotate(element)
