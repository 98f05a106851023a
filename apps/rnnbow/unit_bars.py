"""Stacked bars beside the strips of gates and units: of the whole gradient, or of one unit, itemized anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import learnviews as lv
from learnviews.apps.jobs import Jobs
from learnviews.apps.rnnbow.views import BatchViews
from learnviews.grammar.serve import Session
from learnviews.kernels import rnn

KEPT = 64  # flows of units

Key = tuple[int, str, str | None, int]  # batch, parameter, gate, unit


class UnitBars:
    """One plot of stacked bars, and the training run again for what was not recorded.

    Parameters
    ----------
    session : Session
    height : int
        Pixels.
    say : callable taking a str
        Shows in words what is done.
    jobs : Jobs
        Of the session.
    """

    def __init__(self, session: Session, height: int, say: Callable[[str], None], jobs: Jobs) -> None:
        self.session, self.height, self.say, self.jobs = session, height, say, jobs
        self.plot: Any = None
        self._views: BatchViews | None = None
        self._replay: rnn.Replay | None = None
        self._lock = threading.Lock()  # a replay serves one thread at a time
        self._progress: rnn.Progress | None = None
        self._flows: dict[Key, Any] = {}

    def open(self, recording: Any) -> None:
        """Go over to another recording."""
        self.stop()
        self.recording, self.plot, self._replay = recording, None, None
        self._lock, self._flows = threading.Lock(), {}

    def draw(self, views: BatchViews, batch: Any) -> Any:
        """The Bokeh figure, for a choice of options."""
        self._views = views
        title = "norm" if views.kind == "norm" else "share of |G|²"
        flow = views.flow(batch).opts(height=self.height, xlabel="", ylabel=title, **views.flow_options())
        self.plot = self.session.plot(flow)
        self.plot.state.update(toolbar_location=None, min_border_right=130)
        return self.plot.state

    def show(self, batch: Any, gradients: Any = None) -> None:
        """Show a batch: all units together, or what was itemized of one."""
        if self.plot is not None and self._views is not None:
            lv.patch(self.plot, self._views.flow(batch, gradients))

    def ask(self, batch: Any, parameter: str, gate: str | None, unit: int, then: Callable[[Any], None]) -> None:
        """Have a unit of a batch itemized and give it to `then`; what was asked before is given up."""
        self.stop()
        key = (batch.number, parameter, gate, unit)
        if key in self._flows:
            then(self._flows[key])
            return
        progress = self._progress = rnn.Progress(self._report, interval=0.2)
        self.say(f"unit {unit}: running the training again up to batch {batch.number:,} …")
        self.jobs.start("unit", partial(self._itemize, key, progress), partial(self._itemized, key, then))

    def stop(self) -> None:
        """Give up what is being computed."""
        if self._progress is not None:
            self._progress.cancel()
            self._progress = None
        self.jobs.cancel("unit")

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._progress is not None

    def _itemize(self, key: Key, progress: rnn.Progress) -> Any:
        """In a thread."""
        number, parameter, gate, unit = key
        with self._lock:
            if progress.cancelled:
                return None
            if self._replay is None:
                self._replay = rnn.Replay(self.recording)
            return self._replay.itemize(number, parameter, gate, unit, progress=progress)

    def _itemized(self, key: Key, then: Callable[[Any], None], flow: Any, version: int) -> None:
        self._progress = None
        if flow is None:
            return
        while len(self._flows) >= KEPT:
            del self._flows[next(iter(self._flows))]
        self._flows[key] = flow
        then(flow)

    def _report(self, progress: rnn.Progress) -> None:
        """In a thread."""
        if not progress.cancelled:
            self.session.soon(partial(self._say_how_far, progress))

    def _say_how_far(self, progress: rnn.Progress) -> None:
        if progress is self._progress and progress.total:
            left = f", {progress.remaining:.0f} s left" if progress.remaining > 1 else ""
            self.say(f"running the training again: step {progress.done:,} of {progress.total:,}{left}")
