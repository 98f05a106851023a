"""The card of raw rows: a page of them at a time, searched and sorted by the server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from learnviews.apps.snowcat.data_card import DataCard, Once
from learnviews.apps.snowcat.pane import does, row_mark, text
from learnviews.kernels import search

if TYPE_CHECKING:
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace

ROWS, COLUMNS = 50, 30  # of a page
LONGEST = 200  # letters of a value
BROWSERS = Once(search.Browser)


class Table(DataCard):
    """Rows as they are, with search, sorting and paging."""

    name, title = "table", "Table"
    help = (
        "The rows as they are. Search for words, apart by commas: rows that hold all of them, in whatever column, are left. "
        "Press a column's name to sort by it, again for the other direction, once more for the order of the data. Point at "
        "a row to light it everywhere; click to keep it."
    )
    at_first = ("data",)
    size = (9, 7)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._shown_data: Any = None
        self._start_anew()
        room.rows.add_subscriber(self._selected)

    def _start_anew(self) -> None:
        self._words, self._only = "", False
        self._by: str | None = None
        self._falling = self._busy = False
        self._at: np.ndarray | None = None  # positions of the rows that are left, in order; None: all of them
        self._page = self._first = 0
        self._kept: Any = None

    def show(self) -> None:
        if self._shown_data is not self.data:
            self._shown_data = self.data
            self._start_anew()
        self._draw()

    # -- which rows

    def _look(self) -> None:
        """Have a thread look for the rows that are wanted."""
        data, words, only, by, falling = self.data, self._words, self._only, self._by, self._falling
        kept = self._kept = self.room.rows.kept

        def work() -> np.ndarray | None:
            if not (words or only or by is not None):
                return None
            browser = BROWSERS.of(data)
            found = browser.find(words)
            if only:
                found = found[np.asarray(data.frame.index.isin(kept))[found]]
            return browser.order(by, found, falling)

        self._busy = True
        self.later(work, self._found)
        self._draw()

    def _found(self, at: np.ndarray | None) -> None:
        self._at, self._busy, self._page = at, False, 0
        self._draw()

    def _selected(self, **selected: Any) -> None:
        """Other rows are kept: another page where only these are shown."""
        if self._only and self.room.rows.kept is not self._kept and self.room.data is self._shown_data:
            self._look()

    @property
    def _count(self) -> int:
        return len(self.data) if self._at is None else len(self._at)

    def _positions(self) -> np.ndarray:
        """Of the rows on this page."""
        start, stop = self._page * ROWS, min((self._page + 1) * ROWS, self._count)
        return np.arange(start, stop) if self._at is None else self._at[start:stop]

    def row_ids(self) -> Any:
        if self.room.data is None or self._shown_data is not self.room.data:
            return np.zeros(0, dtype=object)
        return self.data.frame.index[self._positions()]

    # -- what is done

    def do_search(self, words: str) -> None:
        """Only rows with these words."""
        self._words = str(words)
        self._look()

    def do_only(self, told: list[Any]) -> None:
        """Only the rows that are kept, or all."""
        self._only = bool(told[-1])
        self._look()

    def do_sort(self, column: str) -> None:
        """By a column: rising, then falling, then not at all."""
        if self._by != column:
            self._by, self._falling = column, False
        elif not self._falling:
            self._falling = True
        else:
            self._by, self._falling = None, False
        self._look()

    def do_page(self, by: int) -> None:
        """Pages on or back."""
        self._turn(self._page + int(by))

    def do_row(self, told: list[Any]) -> None:
        """The page with the row of this number, counted from 1."""
        number = str(told[-1]).replace(",", "").strip()
        if not number.isdecimal():
            raise ValueError(f'row "{told[-1]}": expected a number from 1 to {self._count:,}')
        self._turn((int(number) - 1) // ROWS)

    def do_columns(self, by: int) -> None:
        """Columns on or back."""
        most = max(0, (len(self.data.columns) - 1) // COLUMNS * COLUMNS)
        self._first = max(0, min(most, self._first + int(by) * COLUMNS))
        self._draw()

    def do_next_kept(self, _: Any) -> None:
        """The page with the next kept row, from the top again after the last."""
        index = self.data.frame.index if self._at is None else self.data.frame.index[self._at]
        places = np.flatnonzero(index.isin(self.room.rows.kept))
        if not len(places):
            raise ValueError("None of the kept rows is in this table; click on rows, bars or dots to keep some")
        pages = np.unique(places // ROWS)
        later = pages[pages > self._page]
        self._turn(int(later[0] if len(later) else pages[0]))

    def _turn(self, page: int) -> None:
        self._page = max(0, min(page, (self._count - 1) // ROWS))
        self._draw()

    # -- what it looks like

    def _draw(self) -> None:
        names = list(self.data.columns)[self._first : self._first + COLUMNS]
        at = self._positions()
        cells = BROWSERS.of(self.data).page(at, names)
        self.slot.html(f"{self._bar()}{self._table(names, at, cells)}")
        self.room.changed("marks")

    def _bar(self) -> str:
        """Search, switches, and where in the table the page is."""
        start, stop = self._page * ROWS, min((self._page + 1) * ROWS, self._count)
        where = f"{start + 1:,} to {stop:,} of {self._count:,} rows" if self._count else "no such rows"
        where = "Looking…" if self._busy else where
        checked = " checked" if self._only else ""
        last = (self._count - 1) // ROWS
        return (
            '<div class="row stay"><input type="search" id="table-words" data-type="search" placeholder="Search: word, word" '
            f'aria-label="Search in all columns" value="{text(self._words)}">'
            f"<label><input type=\"checkbox\" data-ask='[&quot;only&quot;]'{checked}> only kept rows</label>"
            f"{_small('Next kept', 'next kept')}"
            f'<span class="quiet grow" role="status">{where}</span>{self._columns_bar()}'
            f"{_small('◂', 'page', -1, 'Page back', self._page <= 0)}{_small('▸', 'page', 1, 'Page on', self._page >= last)}</div>"
        )

    def _columns_bar(self) -> str:
        count = len(self.data.columns)
        if count <= COLUMNS:
            return ""
        stop = min(self._first + COLUMNS, count)
        back, on = self._first <= 0, stop >= count
        return (
            f'<span class="quiet">columns {self._first + 1} to {stop} of {count}</span>'
            f"{_small('◂', 'columns', -1, 'Columns back', back)}{_small('▸', 'columns', 1, 'Columns on', on)}"
        )

    def _table(self, names: list[str], at: np.ndarray, cells: dict[str, list[str | None]]) -> str:
        index = self.data.frame.index
        right = [self.data.columns[name].is_number for name in names]
        head = f"<th class=n>{text(index.name or 'row')}</th>" + "".join(map(self._head, names, right))
        lines = zip(index[at], zip(*cells.values(), strict=True) if cells else [()] * len(at), strict=True)
        body = "".join(partial(_line, right)(*line) for line in lines)
        return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def _head(self, name: str, right: bool) -> str:
        arrow, sorted_ = "", "none"
        if name == self._by:
            arrow, sorted_ = (" ▾", "descending") if self._falling else (" ▴", "ascending")
        return (
            f'<th{" class=n" if right else ""} aria-sort="{sorted_}"><button type="button" class="sort" {does("sort", name)}'
            f' title="Sort by {text(name)}">{text(name)}{arrow}</button></th>'
        )

    def close(self) -> None:
        super().close()
        self.room.rows._subscribers = [each for each in self.room.rows._subscribers if each[1] != self._selected]


def _line(right: list[bool], id_: Any, values: tuple[str | None, ...]) -> str:
    cells = "".join(
        f"<td{' class=n' if number else ''}>{'' if value is None else text(_short(value))}</td>"
        for value, number in zip(values, right, strict=True)
    )
    return f'<tr {row_mark(_plain(id_))}><td class="n quiet">{text(id_)}</td>{cells}</tr>'


def _plain(id_: Any) -> Any:
    """A row's id as a page can hold it."""
    return str(id_) if isinstance(id_, (pd.Timestamp, tuple)) else id_


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"


def _small(label: str, word: str, argument: Any = None, called: str = "", disabled: bool = False) -> str:
    """A small button."""
    return (
        f'<button type="button" class="plain small" {does(word, argument)} aria-label="{text(called or label)}"'
        f"{' disabled' if disabled else ''}>{label}</button>"
    )
