"""What cards that list rows page by page have in common: search, only those that are kept, turning pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.data_card import DataCard
from learnviews.apps.snowcat.pane import asks, does, text
from learnviews.grammar.streams import unsubscribe

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace


class RowsCard(DataCard):
    """Base of cards that show some rows at a time.

    Subclasses say which rows are left, with `finder`, and draw those of the page, with `body`.

    Attributes
    ----------
    per : int
        Rows of a page.
    """

    per = 50

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self.start_anew()
        room.rows.add_subscriber(self._selected)

    def start_anew(self) -> None:
        """As for a data set that was not looked at before."""
        self.words, self.only = "", False
        self.at: np.ndarray | None = None  # positions of the rows that are left, in order; None: all of them
        self.first = 0  # row of the page, among those that are left
        self.busy = False
        self._kept: Any = None

    def show(self) -> None:
        if self.is_new():
            self.start_anew()
        self.draw()

    # -- for subclasses

    def finder(self) -> Any:
        """A function, without arguments, for a thread: positions of the rows with the words, in order."""
        raise NotImplementedError

    def body(self, at: np.ndarray) -> str:
        """The rows at some positions, as HTML."""
        raise NotImplementedError

    def controls(self) -> str:
        """More of what stands above the rows."""
        return ""

    def sought(self) -> bool:
        """Whether all rows are left, in their own order."""
        return bool(self.words)

    # -- which rows

    def look(self) -> None:
        """Have a thread look for the rows that are wanted."""
        if not (self.only or self.sought()):
            self.room.jobs.cancel(f"{self.name} ")
            self._found(None)
            return
        find, index, only = self.finder(), self.data.frame.index, self.only
        kept = self._kept = self.room.rows.kept

        def work() -> np.ndarray:
            found = find()
            return found[np.asarray(index.isin(kept))[found]] if only else found

        self.busy = True
        self.later(work, self._found)
        self.draw()

    def _found(self, at: np.ndarray | None) -> None:
        self.at, self.busy, self.first = at, False, 0
        self.draw()

    def _selected(self, **selected: Any) -> None:
        """Other rows are kept: they are looked for where only these are shown."""
        if self.only and self.room.rows.kept is not self._kept and self.room.data is self._of:
            self.look()

    @property
    def count(self) -> int:
        """Rows that are left."""
        return len(self.data) if self.at is None else len(self.at)

    def positions(self) -> np.ndarray:
        """Of the rows on this page."""
        stop = min(self.first + self.per, self.count)
        return np.arange(self.first, stop) if self.at is None else self.at[self.first : stop]

    def row_ids(self) -> Any:
        if self.room.data is None or self._of is not self.room.data:
            return np.zeros(0, dtype=object)
        return self.data.frame.index[self.positions()]

    # -- what is done

    def do_search(self, words: str) -> None:
        """Only rows with these words."""
        self.words = str(words)
        self.look()

    def do_only(self, told: list[Any]) -> None:
        """Only the rows that are kept, or all."""
        self.only = bool(told[-1])
        self.look()

    def do_page(self, by: int) -> None:
        """Pages on or back."""
        self.turn(self.first + int(by) * self.per)

    def do_next_kept(self, _: Any) -> None:
        """The page with the next kept row, from the top again after the last.

        Raises
        ------
        ValueError
            If none of the rows that are left is kept.
        """
        index = self.data.frame.index if self.at is None else self.data.frame.index[self.at]
        places = np.flatnonzero(index.isin(self.room.rows.kept))
        if not len(places):
            raise ValueError("None of the kept rows is here; click on rows, bars or dots to keep some")
        pages = np.unique(places // self.per) * self.per
        later = pages[pages > self.first]
        self.turn(int(later[0] if len(later) else pages[0]))

    def turn(self, row: int) -> None:
        """To the page with a row, counted among those that are left."""
        self.first = max(0, min(row, self.count - 1)) // self.per * self.per
        self.draw()

    # -- what it looks like

    def draw(self) -> None:
        """Draw the page, and have the rows that are lit and kept marked."""
        self.slot.html(f'<div class="row stay">{self._bar()}</div>{self.body(self.positions())}')
        self.room.changed("marks")

    def _bar(self) -> str:
        """Search, switches, and where among the rows the page is."""
        stop = min(self.first + self.per, self.count)
        where = f"{self.first + 1:,}–{stop:,} of {self.count:,} rows" if self.count else "no such rows"
        id_ = f"{self.name.replace(' ', '-')}-words"
        search = (
            f'<input type="search" id="{id_}" data-type="search" placeholder="Search: word, word" '
            f'aria-label="Search for words" value="{text(self.words)}">'
        )
        checked = " checked" if self.only else ""
        only = f'<label><input type="checkbox" {asks("only")}{checked}> only kept</label>'
        back, on = self.first <= 0, stop >= self.count
        return (
            f"{search}{only}{small('Next kept', 'next kept')}{self.controls()}"
            f'<span class="quiet grow where" role="status">{"Looking…" if self.busy else where}</span>'
            f"{small('◂', 'page', -1, 'Page back', back)}{small('▸', 'page', 1, 'Page on', on)}"
        )

    def close(self) -> None:
        super().close()
        unsubscribe(self.room.rows, self._selected)


def small(label: str, word: str, argument: Any = None, called: str = "", disabled: bool = False) -> str:
    """A small button."""
    return (
        f'<button type="button" class="plain small" {does(word, argument)} aria-label="{text(called or label)}"'
        f"{' disabled' if disabled else ''}>{text(label)}</button>"
    )
