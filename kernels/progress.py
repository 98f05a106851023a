"""Progress of long work: one object to report to and to cancel through, whether a terminal or a page shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Progress:
    """How far a long computation is, and whether somebody wants it to stop.

    Parameters
    ----------
    show : callable taking this object, optional
        Called from the working thread at most every `interval` seconds, and at the end.
    interval : float
        Seconds.

    Attributes
    ----------
    done, total : int
    text : str
        A few words on the state of the work.
    """

    def __init__(self, show: Callable[[Progress], None] | None = None, interval: float = 0.1) -> None:
        self.done, self.total, self.text = 0, 0, ""
        self._show, self._interval = show, interval
        self._cancelled = threading.Event()
        self._started = self._shown = time.monotonic()

    def start(self, total: int) -> None:
        """Begin work of `total` parts."""
        self.done, self.total = 0, total
        self._started = self._shown = time.monotonic()

    def update(self, done: int, text: Callable[[], str] | None = None) -> None:
        """`done` parts are finished. `text` is only called when something is shown."""
        self.done = done
        now = time.monotonic()
        if self._show and (0 < self.total <= done or now - self._shown >= self._interval):
            self._shown = now
            self.text = text() if text else self.text
            self._show(self)

    @property
    def elapsed(self) -> float:
        """Seconds since `start`."""
        return time.monotonic() - self._started

    @property
    def remaining(self) -> float:
        """Seconds left at the pace so far; nan before anything is done."""
        return self.elapsed * (self.total - self.done) / self.done if self.done else float("nan")

    def cancel(self) -> None:
        """Ask the work to stop at its next safe point; may be called from any thread or a signal handler."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()
