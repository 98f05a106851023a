"""Bokeh plots of rows: pointing and clicking are told to a `RowSelection`, and what it says is drawn at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS
from holoviews.core.data import disable_pipeline

from .columns import Columns
from .layers_bokeh import LayeredPlot
from .streams import unsubscribe

# Python is told of the mark under the pointer once per mark, not once per move; of marks that are crossed quickly it is
# told the last one only, so that its answers keep up with the pointer. That the pointer left is told a little later,
# and not at all where it has gone to another figure of the page, which tells what is under it now.
HOVER = """
const mark = cb_data.index.indices.length > 0 ? cb_data.index.indices[0] : -1
const tell = () => {
  const page = source.document
  if (source._told === source._mark && page._pointing === source) return
  source._told = source._mark
  source._when = Date.now()
  if (source._mark >= 0) page._pointing = source
  else if (page._pointing !== source) return
  pointed.data = source._mark < 0 ? {mark: [], when: []} : {mark: [source._mark], when: [source._when]}
}
if ((source._mark ?? -1) !== mark) {
  source._mark = mark
  clearTimeout(source._telling)
  source._telling = setTimeout(tell, mark < 0 ? 80 : Math.max(0, 40 - (Date.now() - (source._when ?? 0))))
}
"""


class RowLinkedPlot(LayeredPlot):
    """A plot whose marks stand for rows. Layers `kept` and `lit` show which part of each mark is selected.

    Subclasses say how, with `shares`, and draw both layers with `layer_glyph`. Further handle: `pointed_source`.
    """

    def shares(self, element: Any, there: np.ndarray, name: str) -> Columns:
        """Columns of a layer ("kept" or "lit"); `there`: which of the element's rows (rows,) are."""
        raise NotImplementedError

    def layers(self, element: Any) -> dict[str, Columns]:
        """What is selected of each mark."""
        return {name: self._shares(element, name) for name in ("kept", "lit")}

    def _shares(self, element: Any, name: str) -> Columns:
        ids = () if element.selection is None else getattr(element.selection, name)
        return self.shares(element, element.mask_of(ids), name)

    def _init_glyphs(self, plot: Any, element: Any, ranges: Any, source: Any) -> None:
        super()._init_glyphs(plot, element, ranges, source)
        renderer = self.handles["glyph_renderer"]
        renderer.nonselection_glyph = renderer.selection_glyph = None  # the layers tell what is selected
        self.handles["pointed_source"] = ColumnDataSource({"mark": []})
        self._heeded: Any = None
        self._told: dict[str, tuple[Any, Any]] = {}  # element and ids that each layer shows
        self._heed(element)
        hover = self.handles.get("hover")
        if hover is not None:
            args = {"source": self.handles["source"], "pointed": self.handles["pointed_source"]}
            hover.update(renderers=[renderer], callback=CustomJS(args=args, code=HOVER))
        self.hear(self.handles["pointed_source"], "data", self._pointed)
        self.hear(self.handles["source"].selected, "indices", self._tapped)

    def annotate(self, element: Any) -> None:
        """Follow the element's selection: a patched one may have another."""
        self._heed(element)

    def _heed(self, element: Any) -> None:
        heeded = getattr(self, "_heeded", None)
        if heeded is element.selection:
            return
        if heeded is not None:
            unsubscribe(heeded, self._show)
        if element.selection is not None:
            element.selection.add_subscriber(self._show)
        self._heeded = element.selection

    def _show(self, **selected: Any) -> None:
        """Draw what is selected now; nothing else is redrawn, and nothing where nothing changed."""
        if self.current_frame is None:
            return
        with disable_pipeline():  # HoloViews' notes on every look at an element take most of the time
            for name in ("kept", "lit"):
                ids = getattr(self.current_frame.selection, name, None)
                frame, before = self._told.get(name, (None, None))
                if frame is not self.current_frame or before is not ids:
                    self._told[name] = self.current_frame, ids
                    self._draw(name)

    def _draw(self, name: str) -> None:
        columns = self._shares(self.current_frame, name)
        source = self.handles[f"{name}_source"]
        if any(not np.array_equal(source.data[key], values) for key, values in columns.items()):
            source.data = columns

    def _pointed(self, attr: str, old: Any, new: Any) -> None:
        element = self.current_frame
        if element is not None and element.selection is not None:
            element.selection.light(element.rows_of(int(mark) for mark in new["mark"]), self._source(element))

    def _tapped(self, attr: str, old: Any, new: Any) -> None:
        """A click keeps the rows of a mark; one beside all marks keeps none. Shift adds."""
        element = self.current_frame
        if element is not None and element.selection is not None:
            element.selection.keep(element.rows_of(int(mark) for mark in new), self._source(element))

    def _source(self, element: Any) -> str:
        return element.label or type(element).__name__

    def cleanup(self) -> None:
        """HoloViews' hook: the page is closed."""
        if self._heeded is not None:
            unsubscribe(self._heeded, self._show)
            self._heeded = None
        super().cleanup()
