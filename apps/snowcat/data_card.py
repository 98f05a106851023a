"""What the cards about the data have in common: work that a thread does, once per data set for all pages."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from learnviews.apps.snowcat.card import Card

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Dataset

Found = TypeVar("Found")
TOLD = (OSError, ValueError, LookupError, TypeError)
"""Errors whose message is for the user; others are logged, too."""


class DataCard(Card):
    """Base of the cards about the data."""

    steps = ("data", "problems", "specify", "compare")
    hears = ("data",)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._of: Dataset | None = None
        self._kinds: set[str] = set()  # of work that was asked for
        self._closed = False

    @property
    def data(self) -> Dataset:
        """The data set as it is used."""
        assert self.room.data is not None
        return self.room.data

    def is_new(self) -> bool:
        """Whether the data set is another one than the last time; then nothing of that is shown any more."""
        new = self._of is not self.data
        if new:
            self._of = self.data
            self.slot.clear()
        return new

    def later(self, work: Callable[[], Found], show: Callable[[Found], None], kind: str = "") -> None:
        """Have a thread do the work, then `show` what came of it; what goes wrong is told in the card.

        Of works of one `kind` only the latest is shown.
        """
        self._kinds.add(kind := f"{self.name} {kind}")
        data = self.data

        def placed(done: tuple[Any, Exception | None], version: int) -> None:
            if self.room.data is data and not self._closed:
                self._place(done, show)

        self.room.jobs.start(kind, partial(_tried, work), placed)

    def _place(self, done: tuple[Any, Exception | None], show: Callable[[Any], None]) -> None:
        found, error = done
        with self.room.session.together():
            try:
                if error is not None:
                    raise error
                show(found)
            except Exception as problem:  # one card's trouble is not that of the others
                self.slot.problem(str(problem) or type(problem).__name__)
                if not isinstance(problem, TOLD):
                    raise

    def close(self) -> None:
        self._closed = True
        for kind in self._kinds:
            self.room.jobs.cancel(kind)


def _tried(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as error:  # told in the card, whatever it is
        return None, error


class Once:
    """Something made of a data set, once for all pages, and forgotten with the data set.

    Parameters
    ----------
    make : callable
        Takes the data set.
    """

    def __init__(self, make: Callable[[Dataset], Any]) -> None:
        self._make = make
        self._made: weakref.WeakKeyDictionary[Dataset, Any] = weakref.WeakKeyDictionary()
        self._locks: weakref.WeakKeyDictionary[Dataset, threading.Lock] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, data: Dataset) -> Any:
        """It, made where it was not made yet."""
        with self._lock:
            lock = self._locks.setdefault(data, threading.Lock())
        with lock:
            if data not in self._made:
                self._made[data] = self._make(data)
            return self._made[data]

    def known(self, data: Dataset) -> Any:
        """It, or None where it was not made yet."""
        return self._made.get(data)
