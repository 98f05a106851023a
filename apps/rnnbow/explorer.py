"""The RNNbow page: which loss moves which step, batch by batch through a recorded training."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

import holoviews as hv
import pandas as pd
from bokeh.layouts import column
from bokeh.models import Div, Spacer

from learnviews.apps.messages import show_message, shown_in_page
from learnviews.apps.rnnbow.choosers import Choosers
from learnviews.apps.rnnbow.controls import PANELS, Controls
from learnviews.apps.rnnbow.inside import Inside
from learnviews.apps.rnnbow.library import Library
from learnviews.apps.rnnbow.overview import Overview
from learnviews.apps.rnnbow.readout import STYLE, describe
from learnviews.apps.rnnbow.scale import shared_span
from learnviews.apps.rnnbow.views import BatchViews
from learnviews.grammar.serve import Session

hv.extension("bokeh", logo=False)

HEIGHTS = {"rows": 66, "flow": 312, "horizon": 130, "overview": 150}
PLAY_MS, LIVE_MS = 300, 1000


@lru_cache(maxsize=1)
def library(paths: tuple[str, ...]) -> Library:
    """The one library of this server process."""
    return Library(paths)


class Explorer:
    """Views, controls and events of one session.

    Parameters
    ----------
    session : Session
    recordings : Library
    live : bool
        Whether to watch recordings grow.
    """

    def __init__(self, session: Session, recordings: Library, live: bool = True) -> None:
        self.session, self.library = session, recordings
        self.controls, self.choosers = Controls(), Choosers(self._changed_view)
        self.inside = Inside(session, recordings, self.preview, self.select, self.choosers.choose)
        self.message, self.text, self.words = (
            Div(sizing_mode="stretch_width", margin=2, stylesheets=[STYLE]) for _ in range(3)
        )
        self.message.visible = False
        self.batch_place, self.overview_place = (column(Spacer(), sizing_mode="stretch_width") for _ in range(2))
        self.recording: Any = None
        self._path = ""
        self.frame = pd.DataFrame()
        self.selected, self.previewed = 0, None
        self.views: BatchViews | None = None
        self.overview: Overview | None = None
        self._playing: Any = None
        self._drawing_soon = False
        self._stream: int | None = None  # characters of one of the streams that the sequences are read from
        self._batch = lru_cache(maxsize=512)(lambda recording, number, *view: recording.view(number, *view))
        self._list_recordings()
        self._listen()
        if not live:
            self.open(self.controls.recording.value)
        places = {"message": self.message, "text": self.text, "views": self.batch_place, "strip": self.overview_place}
        places |= {"words": self.words, "inside": self.inside.model}
        session.add(**self.controls.placed(), **self.choosers.placed(), **places)
        if live:
            session.soon(lambda: self.open(self.controls.recording.value))  # while the browser loads its scripts
            session.doc.add_periodic_callback(self._look_for_more, LIVE_MS)

    def tell(self, message: str = "") -> None:
        """Show a message above the views, or take it away."""
        show_message(self.message, message)

    @shown_in_page
    def open(self, path: str) -> None:
        """Show another recording, from its last batch with gradients on show."""
        self.controls.play.active = False
        self.recording, self.overview, self.views = None, None, None
        self.batch_place.children, self.overview_place.children = [Spacer()], [Spacer()]
        self.text.text = self.words.text = ""
        self.controls.enable(False)
        self.choosers.enable(False)
        if not path:
            self.tell("No recording found. Make one with: learnviews record")
            return
        self.recording = self.library.recording(path)
        self.choosers.fit(self.recording, keep=path == self._path)
        self._path = path
        self.inside.open(self.recording)
        self.frame = self._overview_numbers()
        if self.frame.empty:
            self.tell(f"{self.controls.recording.value}: no batch recorded yet. They appear here as they come.")
            return
        self._start()

    @shown_in_page
    def redraw(self, *_: Any) -> None:
        """Draw the views of a batch anew, after an option changed."""
        if self.overview is None:
            return
        chosen = self.controls.chosen()
        shared = bool(chosen.pop("shared"))
        span = shared_span(self._batch_at, self.frame, str(chosen["kind"])) if shared else None
        vocabularies = self.recording.symbols, self.recording.target_symbols
        self.views = BatchViews(self.session, vocabularies, HEIGHTS, span=span, **chosen)  # type: ignore[arg-type]
        self._draw_panel()
        self._describe()

    def _draw_panel(self) -> None:
        """Draw what is on show; the other panel is drawn when it is opened."""
        if self.inside.model.visible:
            self._draw_inside()
        elif self.views is not None:
            self.batch_place.children = [self.views.draw(self._shown_batch())]

    @shown_in_page
    def redraw_overview(self, *_: Any) -> None:
        """Draw the strip of batches anew, after its measure changed."""
        if self.recording is None or self.frame.empty:
            return
        measure = self.controls.measure.value
        self.overview = Overview(self.session, self.frame, measure, HEIGHTS["overview"], self.preview, self.select)
        self.overview_place.children = [self.overview.model]
        self.overview.mark(self.selected, None)
        if self.views is not None and self.inside.model.visible:
            self._draw_inside()

    def _draw_inside(self) -> None:
        selected = self._batch_at(self.selected)
        self.inside.draw(self.views, selected, self.overview, self.choosers)  # type: ignore[arg-type]
        self.inside.mark(self.selected, self.previewed)

    @shown_in_page
    def _changed_view(self) -> None:
        """Another gradient is shown, of the same batch."""
        if self.recording is None or self.overview is None:
            return
        self.frame = self._overview_numbers()
        with self.session.together():
            self.overview.become(self.frame)
            if self.views is None or self.views.span is not None:  # another gradient has another scale
                self.redraw()
                return
            self._show()
            if self.inside.model.visible:
                self._draw_inside()

    @shown_in_page
    def _change_panel(self) -> None:
        """Steps of a batch, or the inside of the cell."""
        inside = PANELS[self.controls.panel.active] == "inside"
        self.batch_place.visible, self.inside.model.visible = not inside, inside
        if self.views is not None:
            self._show()
            if inside:
                self._draw_inside()

    @shown_in_page
    def select(self, number: int) -> None:
        """Show a batch until another is selected."""
        number = min(max(int(number), 0), len(self.frame) - 1)
        self.selected, self.previewed = number, None
        self.controls.number.value = number
        self._show()
        if self.overview is not None:
            self.overview.reveal(number)

    def preview(self, number: int | None) -> None:
        """Show a batch while the pointer is on it; None goes back to the selected one."""
        if number == self.previewed or (number == self.selected and self.previewed is None):
            return
        self.previewed = None if number == self.selected else number
        if not self._drawing_soon:  # moves that come while one is being drawn are drawn as one
            self._drawing_soon = True
            self.session.soon(self._show_previewed)

    @shown_in_page
    def _show_previewed(self) -> None:
        self._drawing_soon = False
        self._show()

    def _start(self) -> None:
        with self.session.doc.models.freeze():
            self._draw_all()
        if self.overview is not None:
            self.overview.mark(self.selected, None)

    def _draw_all(self) -> None:
        self.tell()
        controls, batch = self.controls, self.recording[0]
        controls.enable(True)
        self.choosers.enable(True)
        controls.offer_measures([name for name in self.frame if self.frame[name].notna().any()])
        controls.panel.labels = ["Steps", "Gates and units" if len(self.choosers.rows()) > 1 else "Units"]
        characters = self.recording.settings.get("characters")
        self._stream = None if characters is None else characters // batch.loss.shape[1]
        self.selected, self.previewed = len(self.frame) - 1, None
        controls.number.update(high=len(self.frame) - 1, value=self.selected)
        controls.sequence.update(high=batch.loss.shape[1] - 1, value=0)
        controls.sequences.visible = batch.loss.shape[1] > 1
        self.redraw_overview()
        self.redraw()

    def _show(self) -> None:
        if self.views is None or self.overview is None:
            return
        batch = self._shown_batch()
        if self.inside.model.visible:
            self.inside.show(batch, self.previewed is None)
        elif self.views.fits(batch):
            self.views.show(batch)
        else:
            self.batch_place.children = [self.views.draw(batch)]
        self.overview.mark(self.selected, self.previewed)
        self.inside.mark(self.selected, self.previewed)
        self._describe()

    def _shown_batch(self) -> Any:
        return self._batch_at(self.selected if self.previewed is None else self.previewed)

    def _batch_at(self, number: int) -> Any:
        return self._batch(self.recording, number, *self.choosers.chosen())

    def _overview_numbers(self) -> pd.DataFrame:
        return self.library.overview(self.recording, *self.choosers.chosen())

    def _describe(self) -> None:
        batch = self._shown_batch()
        lag = float(self.frame["mean_lag"].loc[batch.number])
        sequence = int(self.controls.sequence.value or 0)
        self.words.text = f'<span title="Which gradient is shown">{escape(self.choosers.words())}</span>'
        self.text.text = describe(batch, len(self.frame), lag, sequence, self._stream, self.previewed is not None)

    def _listen(self) -> None:
        controls = self.controls
        controls.recording.on_change("value", lambda name, old, new: self.open(new))
        for widget in (controls.kind, controls.transform, controls.scale, controls.beyond):
            widget.on_change("active", lambda name, old, new: self.redraw())
        controls.panel.on_change("active", lambda name, old, new: self._change_panel())
        controls.sequence.on_change("value", lambda name, old, new: self.redraw())
        controls.measure.on_change("value", lambda name, old, new: self.redraw_overview())
        controls.number.on_change("value", lambda name, old, new: self._jump(new))
        controls.previous.on_click(lambda: self.select(self.selected - 1))
        controls.next.on_click(lambda: self.select(self.selected + 1))
        controls.loudest.on_click(lambda: self.select(int(self.frame["max_gradient"].idxmax())))
        controls.play.on_change("active", lambda name, old, new: self._play(new))

    def _jump(self, number: Any) -> None:
        if self.frame.empty or number == self.selected:
            return
        if number is not None:
            self.select(int(number))
        self.session.soon(self._correct_number)  # what was typed may be no batch at all

    def _correct_number(self) -> None:
        self.controls.number.value = self.selected

    def _play(self, playing: bool) -> None:
        self.controls.play.label = "Pause" if playing else "Play"
        if playing and self._playing is None:
            if self.selected == len(self.frame) - 1:
                self.select(0)
            self._playing = self.session.doc.add_periodic_callback(self._play_on, PLAY_MS)
        elif not playing and self._playing is not None:
            self.session.doc.remove_periodic_callback(self._playing)
            self._playing = None

    def _play_on(self) -> None:
        if self.selected + 1 < len(self.frame):
            self.select(self.selected + 1)
        else:
            self.controls.play.active = False

    def _list_recordings(self) -> None:
        names = self.library.names()
        select = self.controls.recording
        if select.options != list(names.items()):
            select.options = list(names.items())
        if select.value not in names:
            select.value = next(iter(names), "")

    @shown_in_page
    def _look_for_more(self) -> None:
        """Follow a recording that is being written, and folders that get new ones."""
        self._list_recordings()
        if self.recording is None:
            return
        path = self.controls.recording.value
        if self.library.recording(path) is not self.recording:  # the file was replaced
            self.open(path)
            return
        known, recorded = len(self.frame), len(self.recording)
        if recorded == known:
            self.inside.grow()
            return
        if recorded < known or not known:  # resumed from an earlier snapshot, or the first batches
            self.open(self.controls.recording.value)
            return
        self.frame = self._overview_numbers()
        self.controls.number.high = recorded - 1
        if self.overview is not None:
            self.overview.grow(self.frame)
        if self.selected == known - 1 and self.previewed is None:  # who looks at the newest goes on doing so
            self.select(recorded - 1)
        self._describe()
