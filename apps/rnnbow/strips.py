"""Strips of cells through the training, over the strip of all batches: gates, and units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.events import RangesUpdate
from holoviews.streams import MouseLeave, PointerXY, Tap

import learnviews as lv
from learnviews.grammar.serve import Session

SETTLED_MS = 60

Cell = tuple[int, Any]  # batch, and what the row stands for


class Strip:
    """A `UnitFlow` or `GateFlow` that shares its axis of batches with the overview.

    Parameters
    ----------
    session : Session
    preview : callable
        Called with the batch of the cell under the pointer, or None.
    tapped : callable
        Called with batch and key of the row that was clicked.
    moved : callable
        Called with the batches in view after they were panned or zoomed here.
    """

    def __init__(
        self,
        session: Session,
        preview: Callable[[int | None], None],
        tapped: Callable[[int, Any], None],
        moved: Callable[[tuple[float, float]], None],
    ) -> None:
        self.session, self._preview, self._tapped = session, preview, tapped
        self.element: Any = None
        self.plot: Any = None
        self._view: tuple[Any, int] = (None, 1000)
        self._drawn: Any = None
        self._range = (0.0, 1.0)
        self._settled = session.rest(lambda: moved(self._range), SETTLED_MS)

    def forget(self) -> None:
        """The next element is drawn anew."""
        self.plot, self._drawn = None, None

    def show(self, element: Any, x_range: Any, height: int, transform: str) -> Any | None:
        """Show an element; the Bokeh figure where a new one was needed."""
        self.element = element
        drawn = (x_range, height, transform, element.kind)
        if self.plot is not None and drawn == self._drawn:
            lv.patch(self.plot, self._aggregated(height), fit=False)
            return None
        self._drawn = drawn
        shown = self._aggregated(height).opts(
            height=height, transform=transform, xaxis=None, toolbar=None, active_tools=["xpan", "xwheel_zoom"]
        )
        PointerXY(source=shown).add_subscriber(self._pointed)
        MouseLeave(source=shown).add_subscriber(lambda **_: self._preview(None))
        Tap(source=shown).add_subscriber(self._clicked)
        self.plot = self.session.plot(shown)
        self.plot.state.x_range = x_range  # one axis for all: panned and zoomed together in the browser
        self.plot.state.on_event(RangesUpdate, self._ranged)  # told only to the figure under the pointer
        return self.plot.state

    def look(self, view: Any, width: int) -> None:
        """Other batches came into view, or the page became wider."""
        if (view, width) == self._view:
            return
        self._view = (view, width)
        if self.plot is not None:
            lv.patch(self.plot, self._aggregated(self._drawn[1]), fit=False)

    def mark(self, selected: int | None, previewed: int | None) -> None:
        """Mark two batches."""
        if self.plot is not None:
            self.plot.mark(selected, previewed)

    def choose(self, key: Any) -> None:
        """Frame a row, or none."""
        if self.element is not None and self.element.chosen != key:
            self.element = self.element.clone(chosen=key)
            if self.plot is not None:
                lv.patch(self.plot, self._aggregated(self._drawn[1]), fit=False)

    def _ranged(self, event: Any) -> None:
        self._range = (event.x0, event.x1)
        self._settled.start()

    def _aggregated(self, height: int) -> Any:
        view, width = self._view
        return lv.aggregate_cells(self.element, x_range=view, width=width, height=height, dynamic=False)

    def _cell(self, x: float | None, y: float | None) -> Cell | None:
        place = None if x is None or y is None or self.plot is None else self.plot.row_at(y)
        found = None if place is None else self.plot.current_frame.cell(x, place)
        return None if found is None else (found[0], self.element.keys[found[1]])

    def _pointed(self, x: float | None, y: float | None) -> None:
        cell = self._cell(x, y)
        self._preview(None if cell is None else cell[0])

    def _clicked(self, x: float | None, y: float | None) -> None:
        """HoloViews calls back outside the document's lock, in which models may not be changed."""
        cell = self._cell(x, y)
        if cell is not None:
            self.session.soon(lambda: self._tapped(*cell))
