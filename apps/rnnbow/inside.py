"""The panel inside the cell: how the gradient divides over gates and units, and one unit's own bars."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import Button, Div, Select, Spacer

import learnviews as lv
from learnviews.apps.jobs import Jobs
from learnviews.apps.rnnbow.choosers import Choosers
from learnviews.apps.rnnbow.library import Library
from learnviews.apps.rnnbow.strips import Strip
from learnviews.apps.rnnbow.unit_bars import UnitBars
from learnviews.apps.rnnbow.views import BatchViews, per_unit_of_loss
from learnviews.grammar.serve import Session
from learnviews.grammar.strand_words import kind_of
from learnviews.grammar.unit_flow import CUES

HEIGHT, HEAD, BARS = 508, 34, 142  # pixels: of the panel, its widgets, the stacked bars
ROW, DENSE, FEW, ROWS = 14, 10, 8, 226  # of a row of gates, few or many; of all of them at most
NAMED = 12  # of a unit that has its name beside it
PAUSE = 5  # times as long as reading took, before it is done again for new batches
TOGETHER = "all together"
STYLE = ":host { font-size: 12.5px; color: #33454f; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }"
EMPTY = {
    "display": "flex",
    "align-items": "center",
    "justify-content": "center",
    "color": "#4c5f69",
    "background": "#f6f8f7",
    "border-radius": "4px",
}

Rows = list[tuple[str, str | None]]


class Inside:
    """Strips of gates and units over the overview, and stacked bars of what is looked at.

    Parameters
    ----------
    session : Session
    library : Library
    preview, select : callables
        As for `Overview`.
    choose : callable taking a parameter and a gate
        Has another gradient shown.
    """

    def __init__(
        self,
        session: Session,
        library: Library,
        preview: Callable[[int | None], None],
        select: Callable[[int], None],
        choose: Callable[[str, str | None], None],
    ) -> None:
        self.session, self.library = session, library
        self._select, self._choose = select, choose
        self.jobs = Jobs(session, self._failed)
        self.order = Select(options=list(CUES.items()), value="share", width=190, margin=0)
        self.unit = Select(options=[("", TOGETHER)], value="", width=150, margin=0)
        self.cancel = Button(label="Cancel", width=70, margin=(0, 8, 0, 0), visible=False)
        self.said = Div(sizing_mode="stretch_width", margin=(6, 0, 0, 8), stylesheets=[STYLE])
        words = [
            Div(text=text, margin=(6, 6, 0, 10), styles={"color": "#4c5f69"}) for text in ("Units by", "Bars of unit")
        ]
        head = row(words[0], self.order, words[1], self.unit, self.cancel, self.said, sizing_mode="stretch_width")
        head.styles = {"height": f"{HEAD}px", "overflow": "hidden"}
        self.places = {
            name: column(Spacer(), sizing_mode="stretch_width", margin=0) for name in ("bars", "units", "gates")
        }
        self.model = column(head, *self.places.values(), sizing_mode="stretch_width", visible=False)
        self.bars = UnitBars(session, BARS, self._say, self.jobs)
        self.units = Strip(session, preview, self._tapped_unit, self._moved)
        self.gates = Strip(session, preview, self._tapped_gate, self._moved)
        self.recording: Any = None
        self._setting = False
        self._overview: Any = None
        self._views: Any = None
        self._batch: Any = None
        self._view: tuple[str, str | None] = ("", None)
        self._rows: Rows = []
        self._words = ""
        self._read: Any = None  # what the units on show were read for
        self._both: Any = None  # (norm, share) of the units
        self._parts: dict[Any, Any] = {}  # (norm, share) of every row of gates
        self._started: float | None = None  # since when units are being read
        self._finished, self._spent = 0.0, 0.0  # when they had been, and seconds it took
        self.order.on_change("value", lambda attr, old, new: self.refresh())
        self.unit.on_change("value", lambda attr, old, new: self._chose_unit())
        self.cancel.on_click(self._cancelled)

    # -- what the page tells ----------------------------------------------------------------------------------------

    def open(self, recording: Any) -> None:
        """Go over to another recording."""
        self.recording, self._read, self._both, self._batch, self._parts = recording, None, None, None, {}
        self._started = None
        self._view, self._views = ("", None), None
        for strip in (self.units, self.gates):
            strip.forget()
            strip.element = None
        for kind in ("units", "gates"):
            self.jobs.cancel(kind)
        self.bars.open(recording)
        self._set_unit("", [])
        for place in self.places.values():
            place.children = [Spacer()]

    def draw(self, views: BatchViews, batch: Any, overview: Any, choosers: Choosers) -> None:
        """Show a choice of gradient and options."""
        view = choosers.chosen()
        if view != self._view:
            self._both, self._read = None, None
        self._batch, self._view, self._rows, self._words = batch, view, choosers.rows(), choosers.words()
        if self._views is not views:
            self._views = views
            self.places["bars"].children = [self.bars.draw(self._own_scale(), batch)]
        if self._overview is not overview:
            self._overview = overview
            overview.on_view(self._look)
        self.refresh()
        self._show_bars()

    def refresh(self) -> None:
        """Read units and gates where that has not been done, or there are more batches by now."""
        if not self.model.visible or self.recording is None or self._views is None:
            return
        if len(self.recording.parameters) < 2:
            self._tell_absent()
            return
        wanted = (self._view, tuple(self._rows), len(self.recording))
        if wanted != self._read:
            self._read, self._both = wanted, None
            if len(self._rows) > 1:
                self.jobs.start("gates", self._sums, self._gates_read)
        else:
            self._show_gates()
        if self.units.plot is None:
            self._empty("units", self._units_height(), "Reading what moved each unit …")
        self._read_units()

    def grow(self) -> None:
        """Follow a recording that is being written, without reading it over and over where that takes long."""
        rested = self._started is None and time.monotonic() - self._finished > PAUSE * self._spent
        if rested and self._read and self._read[2] != len(self.recording):
            self.refresh()

    def show(self, batch: Any, selected: bool) -> None:
        """Another batch is selected, or only looked at for a moment."""
        if selected:
            moved = self._batch is None or batch.number != self._batch.number
            self._batch = batch
            if moved or not self._unit():
                self._show_bars()
        elif self._unit() is None:
            self.bars.show(batch)

    def mark(self, selected: int, previewed: int | None) -> None:
        """Mark two batches in all strips."""
        for strip in (self.units, self.gates):
            strip.mark(selected, previewed)

    # -- units ------------------------------------------------------------------------------------------------------

    def _read_units(self) -> None:
        """Have a thread read the units and put them in order."""
        asked = (self._both, self.recording, self._view)
        look = {"by": self.order.value, "kind": self._views.kind, "apart": self._names_shown(), "what": self._words}
        self._started = time.monotonic()
        self.jobs.start("units", partial(_unit_flow, *asked, look), self._units_made)

    def _units_made(self, made: tuple[Any, lv.UnitFlow], version: int) -> None:
        self._both, element = made
        self._over()
        unit = self._unit()
        self._show_strip(
            "units", self.units, element.clone(chosen=unit) if unit is not None else element, self._units_height()
        )
        self._set_unit(self.unit.value, _unit_options(element))

    def _over(self) -> None:
        """Reading has come to an end."""
        self._finished = time.monotonic()
        self._spent, self._started = self._finished - (self._started or self._finished), None

    def _names_shown(self) -> int:
        return max((self._units_height() - 24) // (2 * NAMED), 3)

    def _unit(self) -> int | None:
        return int(self.unit.value) if self.unit.value else None

    def _set_unit(self, value: str, options: list[tuple[str, str]]) -> None:
        self._setting = True
        self.unit.options = [("", TOGETHER), *options]
        self.unit.value = value
        self._setting = False

    def _chose_unit(self) -> None:
        if self._setting:
            return
        self.units.choose(self._unit())
        if self._views.span is not None:
            self.places["bars"].children = [self.bars.draw(self._own_scale(), self._batch)]
        self._show_bars()

    def _tapped_unit(self, batch: int, unit: int) -> None:
        if self._batch is not None and batch != self._batch.number:
            self.bars.stop()
            self._setting = True  # the batch comes with the unit: computed once
            self.unit.value = str(unit)
            self._setting = False
            self.units.choose(unit)
            self._select(batch)
        else:
            self.unit.value = str(unit)

    # -- gates ------------------------------------------------------------------------------------------------------

    def _sums(self) -> dict[Any, Any]:
        """In a thread."""
        kind = kind_of(self._view[0])
        recording, rows = self.recording, list(self._rows)
        return {(s, gate): self.library.sums(recording, f"{kind}_{s}", gate) for s, gate in rows}

    def _gates_read(self, parts: Any, version: int) -> None:
        self._parts = parts
        self._show_gates()

    def _show_gates(self) -> None:
        parts = self._parts
        if not parts or list(parts) != self._rows or not self.model.visible:
            self.places["gates"].visible = len(self._rows) > 1
            return
        parameter, gate = self._view
        chosen = (parameter.removeprefix(f"{kind_of(parameter)}_"), gate)
        cell = self.recording.settings["cell"]
        counts = {len(norm) for norm, _ in parts.values()}
        if len(counts) > 1:  # some were read before a batch came, some after it
            parts = {key: tuple(values[: min(counts)] for values in pair) for key, pair in parts.items()}
        element = lv.GateFlow.from_parts(
            parts, kind=self._views.kind, cell=cell, chosen=chosen if chosen in parts else None, what=kind_of(parameter)
        )
        self._show_strip("gates", self.gates, element, self._gates_height())

    def _tapped_gate(self, batch: int, key: tuple[str, str | None]) -> None:
        strand, gate = key
        parameter = f"{kind_of(self._view[0])}_{strand}"
        self._select(batch)
        self._choose(parameter, None if (parameter, gate) == self._view else gate)  # a second click takes it back

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _show_strip(self, name: str, strip: Strip, element: Any, height: int) -> None:
        element = per_unit_of_loss(element, not np.isnan(self._batch.loss).all())
        figure = strip.show(element, self._overview.plot.state.x_range, height, self._transform())
        if figure is not None:
            self.places[name].children = [figure]
            self.places[name].visible = True
        self.mark(self._batch.number, None)

    def _transform(self) -> str:
        """Norms differ by magnitudes from batch to batch; parts of the whole do not."""
        return "log" if self._views.kind == "norm" else self._views.transform

    def _gates_height(self) -> int:
        count = len(self._rows)
        return min(24 + (ROW if count <= FEW else DENSE) * count, ROWS) if count > 1 else 0

    def _units_height(self) -> int:
        return HEIGHT - HEAD - BARS - self._gates_height()

    def _look(self, view: Any, width: int) -> None:
        for strip in (self.units, self.gates):
            strip.look(view, width)

    def _moved(self, x_range: tuple[float, float]) -> None:
        if self._overview is not None:
            self._overview.look(x_range)

    def _empty(self, name: str, height: int, text: str) -> None:
        style = EMPTY | {"height": f"{height - 12}px"}
        self.places[name].children = [Div(text=escape(text), sizing_mode="stretch_width", margin=6, styles=style)]
        self.places[name].visible = True

    def _tell_absent(self) -> None:
        """An older recording, or one made without."""
        self._empty(
            "units",
            self._units_height(),
            "This recording holds one parameter as a whole, and nothing of its gates and units. "
            "Choose a unit above to have its bars computed.",
        )
        self.places["gates"].visible = False
        hidden = int(self.recording.settings["hidden"])
        self._set_unit(self.unit.value, [(str(unit), str(unit)) for unit in range(hidden)])

    # -- bars -------------------------------------------------------------------------------------------------------

    def _own_scale(self) -> BatchViews:
        """One unit has a small part of the whole: a scale for the bars of all would hide it."""
        return self._views if self._unit() is None else self._views.with_own_scale()

    def _show_bars(self) -> None:
        unit, batch = self._unit(), self._batch
        if batch is None or not self.model.visible:
            return
        self.bars.stop()
        self.cancel.visible = False
        if unit is None:
            self.bars.show(batch)
            self._say("bars: all units together · click a cell to see its unit alone")
            return
        self.bars.ask(batch, *self._view, unit, partial(self._show_unit, batch, unit))
        self.cancel.visible = self.bars.busy

    def _show_unit(self, batch: Any, unit: int, flow: Any) -> None:
        self.cancel.visible = False
        self.bars.show(batch, flow)
        self._say(f"bars: <b>unit {unit}</b> alone, batch {batch.number:,}")

    def _cancelled(self) -> None:
        self.bars.stop()
        self.unit.value = ""

    def _failed(self, message: str) -> None:
        self._over()
        self.cancel.visible = False
        self.bars.stop()
        if self._batch is not None:
            self.bars.show(self._batch)
        message = message.removeprefix(f"{self.recording.path}: ")
        self._say(f'<b title="{escape(message)}">{escape(message[:1].upper() + message[1:])}</b>')

    def _say(self, html: str) -> None:
        self.said.text = html


def _unit_flow(
    both: Any, recording: Any, view: tuple[str, str | None], look: dict[str, Any]
) -> tuple[Any, lv.UnitFlow]:
    """In a thread: (norm, share) of the units, read if they are not known, and the element they make."""
    both = recording.units(*view) if both is None else both
    return both, lv.UnitFlow.from_units(*both, **look)


def _unit_options(element: lv.UnitFlow) -> list[tuple[str, str]]:
    """What to choose a unit from: number, and what the units are ordered by."""
    shown = "{:.2g}" if element.by == "norm" else "{:.1%}"
    return [
        (str(unit), f"{unit} · {shown.format(score)}") for unit, score in zip(element.keys, element.scores, strict=True)
    ]
