"""Plots that are as high as what they show needs: the page, or the card they are in, scrolls."""

from __future__ import annotations

from typing import Any

from .row_linked_bokeh import RowLinkedPlot


class GrowingPlot(RowLinkedPlot):
    """A plot of rows whose height follows from the element; the options `height` and `aspect` do not count."""

    def high(self, element: Any) -> int:
        """Pixels from top to bottom, axes and all."""
        raise NotImplementedError

    def annotate(self, element: Any) -> None:
        """Grow or shrink."""
        super().annotate(element)
        grown = self._grown(element)
        if any(getattr(self.handles["plot"], name) != value for name, value in grown.items()):
            self.handles["plot"].update(**grown)

    def _plot_properties(self, key: Any, element: Any) -> dict[str, Any]:
        return {**super()._plot_properties(key, element), **self._grown(element)}

    def _grown(self, element: Any) -> dict[str, Any]:
        high = self.high(element)
        return {"height": high, "min_height": high, "sizing_mode": "stretch_width" if self.responsive else "fixed"}

    def _get_range_extents(self, element: Any, ranges: Any, range_type: str, *dims: Any) -> tuple[float, ...]:
        return self.extents(element)  # without rows, too
