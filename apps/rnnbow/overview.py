"""The strip of all recorded batches: point at one to preview it, click to select it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import holoviews as hv
import pandas as pd
from holoviews.streams import MouseLeave, PlotSize, PointerX, RangeX, Stream, Tap

import learnviews as lv
from learnviews.apps.rnnbow.views import per_unit_of_loss
from learnviews.grammar.layers_bokeh import BORDERS
from learnviews.grammar.palettes import DARK_BLUE, SKY_BLUE
from learnviews.grammar.serve import Session

Ends = tuple[float, float]
Grown = Stream.define("Grown", version=0)


class Overview:
    """One bar per batch (per pixel column, the loudest, where there are too many), with two marks on top.

    Parameters
    ----------
    session : Session
    frame : DataFrame
        As `Recording.overview` gives it.
    measure : str
        The column that is shown as height.
    height : int
        Pixels.
    preview, select : callables
        Called with the number of a batch; `preview` also with None when the pointer leaves.
    """

    def __init__(
        self,
        session: Session,
        frame: pd.DataFrame,
        measure: str,
        height: int,
        preview: Callable[[int | None], None],
        select: Callable[[int], None],
    ) -> None:
        self.frame, self.measure = frame, measure
        self._nats = bool(frame["loss"].notna().any())
        self._grown = Grown()
        self._viewers: list[Callable[[], None]] = []
        self._bars = self._element(frame)
        bars = hv.DynamicMap(lambda version: self._bars, streams=[self._grown])
        shown = self._aggregated = lv.aggregate_batches(bars)
        marks = [self._mark(None).opts(color=color, line_color=color, line_width=2, pin=True) for color in COLORS]
        view = shown * marks[0] * marks[1]
        view = view.opts(height=height, responsive=True, active_tools=["xpan", "xwheel_zoom"])
        PointerX(source=shown).add_subscriber(lambda x: preview(self._at(x)))
        MouseLeave(source=shown).add_subscriber(lambda **_: preview(None))
        Tap(source=shown).add_subscriber(lambda x, y: self._tapped(x, select))
        self._session = session
        self.plot = session.plot(view)
        self.plot.state.update(**BORDERS | {"min_border_right": 130})  # its frame under the frames of the batch
        self.plot.state.toolbar.logo = None
        self._fit()
        self._shown, self._selected, self._previewed = self.plot.subplots.values()

    @property
    def model(self) -> Any:
        """The Bokeh figure."""
        return self.plot.state

    def mark(self, selected: int, previewed: int | None) -> None:
        """Mark the two batches."""
        lv.patch(self._selected, self._mark(selected), fit=False)
        lv.patch(self._previewed, self._mark(previewed), fit=False)

    def grow(self, frame: pd.DataFrame) -> None:
        """Show a recording that has become longer."""
        view, before = self.plot.state.x_range, len(self.frame)
        whole = view.start <= 0 and view.end >= before - 1
        self.frame = frame
        self._bars = self._element(frame)
        if whole:
            self._fit()
            for stream in self._aggregated.streams:
                if isinstance(stream, RangeX):
                    stream.update(x_range=None)
        self._grown.event(version=self._grown.version + 1)
        if whole:
            self._fit()
        for changed in self._viewers:
            changed()

    def become(self, frame: pd.DataFrame) -> None:
        """Show other numbers of the same batches: patched, which HoloViews' redrawing would take far longer for."""
        self.frame, self._bars = frame, self._element(frame)
        self._grown.update(version=self._grown.version + 1)  # for whatever it draws next
        view, width = self._in_view()
        shown = lv.aggregate_batches(self._bars, x_range=view, width=width, dynamic=False)
        lv.patch(self._shown, shown, fit=False)
        _, low, _, high = self._shown.extents(shown)
        self.plot.state.y_range.update(start=low, end=high)

    def on_view(self, act: Callable[[Ends | None, int], None]) -> None:
        """Call `act` with the batches in view (None: all) and the pixels across, whenever they change."""

        def changed(**_: Any) -> None:
            act(*self._in_view())

        for stream in self._aggregated.streams:
            if isinstance(stream, RangeX | PlotSize):
                stream.add_subscriber(changed)
        self._viewers.append(changed)
        changed()

    def _in_view(self) -> tuple[Ends | None, int]:
        """Batches in view (None: all), and pixels across."""
        streams = self._aggregated.streams
        width = next((stream.width for stream in streams if isinstance(stream, PlotSize)), None)
        return next(stream.x_range for stream in streams if isinstance(stream, RangeX)), int(width or WIDTH)

    def look(self, x_range: Ends) -> None:
        """Show these batches: a figure that shares the axis was panned or zoomed."""
        for stream in self._aggregated.streams:
            if isinstance(stream, RangeX) and stream.x_range != x_range:
                stream.event(x_range=x_range)

    def _fit(self) -> None:
        """Show all batches, and let nobody pan past them."""
        ends = (-0.5, len(self.frame) - 0.5)
        view = self.plot.state.x_range
        view.bounds = None  # else the ends would be kept inside the old ones
        view.update(start=ends[0], end=ends[1], reset_start=ends[0], reset_end=ends[1], bounds=ends)

    def reveal(self, number: int) -> None:
        """Move the view, if it has to, so that it shows a batch."""
        view = self.plot.state.x_range
        if not view.start <= number <= view.end:
            half = (view.end - view.start) / 2
            middle = min(max(number, half - 0.5), len(self.frame) - 0.5 - half)
            view.update(start=middle - half, end=middle + half)

    def _tapped(self, x: float | None, select: Callable[[int], None]) -> None:
        """HoloViews calls back outside the document's lock, in which models may not be changed."""
        number = self._at(x)
        if number is not None:
            self._session.soon(lambda: select(number))

    def _at(self, x: float | None) -> int | None:
        """The batch drawn nearest to the pointer."""
        return None if x is None else self._shown.current_frame.nearest(x)

    def _element(self, frame: pd.DataFrame) -> lv.TrainingOverview:
        bars = per_unit_of_loss(lv.TrainingOverview(frame), self._nats)
        rest = [d for d in bars.vdims if d.name != self.measure]
        return bars.reindex(vdims=[bars.get_dimension(self.measure), *rest])

    def _mark(self, number: int | None) -> lv.TrainingOverview:
        rows = self.frame.loc[[] if number is None or number not in self.frame.index else [number]]
        return self._element(rows).clone(bar_width=self._bars.width())


WIDTH = 1000  # pixels, until the browser has told
COLORS = (DARK_BLUE, SKY_BLUE)
