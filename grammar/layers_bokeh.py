"""What the Bokeh plots of this package share: a main glyph, further layers under and over it, and quick patching."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from bokeh.models import BasicTicker, BasicTickFormatter, ColumnDataSource, NumeralTickFormatter
from bokeh.models.glyph import Glyph
from holoviews.plotting.bokeh.element import ElementPlot

from .columns import Columns

# Borders wide enough for every axis of the package, so that frames stacked in a column line up to the pixel.
BORDERS = {"min_border_left": 24, "min_border_right": 100}


class LayeredPlot(ElementPlot):
    """A plot of several glyphs: the main one, which options and selections style, and layers with sources of their own.

    The source of layer `name` is the handle ``name + "_source"``, its glyph ``name + "_glyph"`` and its renderer
    ``name + "_renderer"``.
    """

    ticks = 4  # on the value axis

    borders = BORDERS

    def columns(self, element: Any) -> Columns:
        """The main glyph's columns."""
        raise NotImplementedError

    def mapping(self, element: Any, style: dict[str, Any]) -> dict[str, Any]:
        """The main glyph's properties that come from columns."""
        return {name: name for name in ("left", "right", "top", "bottom")}

    def layers(self, element: Any) -> dict[str, Columns]:
        """The layers' columns."""
        return {}

    def layer_glyph(self, name: str) -> tuple[Glyph, dict[str, Any]]:
        """The glyph of a layer, and what its renderer needs, such as a level."""
        raise NotImplementedError(name)

    def extents(self, element: Any) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) that show everything."""
        raise NotImplementedError

    def annotate(self, element: Any) -> None:
        """Bring axes, legends and captions up to date with the element."""

    def patch(self, element: Any, fit: bool = True) -> None:
        """Show another element at once, without HoloViews' redrawing; see `patch.patch`."""
        self.current_frame = element
        self.handles["source"].data = self.columns(element)
        self._fill_layers(element)
        self.annotate(element)
        if fit:
            self._fit(element)

    hearing = False  # while the browser's change is acted on

    def hear(self, model: Any, name: str, act: Callable[[str, Any, Any], None]) -> None:
        """Call `act` when the browser changes a property; in a notebook, too, what it does is shown at once."""

        def heard(attr: str, old: Any, new: Any) -> None:
            from panel.io.document import hold

            # Bokeh calls this when it holds no changes any more, and HoloViews sends only those that are held.
            with nullcontext() if self.comm is None else hold(self.document, comm=self.comm):
                self.hearing = True
                try:
                    act(attr, old, new)
                finally:
                    self.hearing = False

        model.on_change(name, heard)

    def get_data(self, element: Any, ranges: Any, style: dict[str, Any]) -> tuple[Columns, dict[str, Any], Any]:
        """HoloViews' hook: the main glyph's columns, the mapping to its properties, and its style."""
        return self.columns(element), self.mapping(element, style), style

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        for name, columns in self.layers(element).items():
            glyph, settings = self.layer_glyph(name)
            layer = ColumnDataSource(columns, name=f"layer {name}")  # a page has models of its own called "text"
            self.handles[f"{name}_source"] = layer
            self.handles[f"{name}_glyph"] = glyph
            self.handles[f"{name}_renderer"] = plot.add_glyph(layer, glyph, **settings)
        whole: dict[str, Any] = {"ticker": BasicTicker(min_interval=1), "formatter": NumeralTickFormatter(format="0,0")}
        self.handles["xaxis"].update(**whole)
        if not (self.logy or self.yticks):
            few: dict[str, Any] = {
                "ticker": BasicTicker(desired_num_ticks=self.ticks),
                "formatter": BasicTickFormatter(),
            }
            self.handles["yaxis"].update(**few)
        self.annotate(element)

    def _update_glyphs(self, element: Any, ranges: Any, style: Any) -> None:
        super()._update_glyphs(element, ranges, style)
        if not self.static_source:
            self._fill_layers(element)
            self.annotate(element)

    def _fill_layers(self, element: Any) -> None:
        for name, columns in self.layers(element).items():
            self.handles[f"{name}_source"].data = columns

    def _fit(self, element: Any) -> None:
        x0, y0, x1, y1 = self.get_extents(element, {})
        y_range = self.handles["y_range"]
        self._update_range(self.handles["x_range"], x0, x1, None, False, False, False)
        self._update_range(y_range, y0, y1, None, self._get_tag(y_range, "invert_yaxis"), False, self.logy)

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        if range_type in ("combined", "data") and len(element):
            return self.extents(element)
        return super()._get_range_extents(element, ranges, range_type, *dims)

    def _plot_properties(self, key: Any, element: Any) -> dict[str, Any]:
        properties = super()._plot_properties(key, element)
        return {**properties, **self.borders} if self.border == self.param.border.default else properties

    def _process_legend(self, *args: Any) -> None:
        """Captions and legends are this plot's own business."""
