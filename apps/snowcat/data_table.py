"""The card of raw rows: a page of them at a time, searched and sorted by the server."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from learnviews.apps.snowcat.data_card import Once
from learnviews.apps.snowcat.data_rows import RowsCard, small
from learnviews.apps.snowcat.pane import does, row_mark, text
from learnviews.kernels import search
from learnviews.kernels.figures import figure

COLUMNS = 30  # of a page
LONGEST = 200  # letters of a value
DIGITS = 10  # letters of a number that are shown as they are
MANY = 50_000  # rows from which on texts to be searched are made before anybody asks
BROWSERS = Once(search.Browser)


class Table(RowsCard):
    """Rows as they are, with search, sorting and paging."""

    name, title = "table", "Table"
    help = (
        "The rows as they are. Search for words, apart by commas: rows that hold all of them, in whatever column, "
        "are left. Press a column's name to sort by it, again for the other direction, once more for the order of "
        "the data. Point at a row to light it everywhere; click to keep it."
    )
    at_first = ("data",)
    size = (9, 7)

    def start_anew(self) -> None:
        super().start_anew()
        self._by: str | None = None
        self._falling, self._column = False, 0

    def show(self) -> None:
        super().show()
        if len(self.data) > MANY:
            self.later(BROWSERS.of(self.data).prepare, lambda _: None, "prepare")

    def sought(self) -> bool:
        return bool(self.words) or self._by is not None

    def finder(self) -> Any:
        data, words, by, falling = self.data, self.words, self._by, self._falling

        def find() -> np.ndarray:
            browser = BROWSERS.of(data)
            return browser.order(by, browser.find(words), falling)

        return find

    # -- what is done

    def do_sort(self, column: str) -> None:
        """By a column: rising, then falling, then not at all."""
        if self._by != column:
            self._by, self._falling = column, False
        elif not self._falling:
            self._falling = True
        else:
            self._by, self._falling = None, False
        self.look()

    def do_columns(self, by: int) -> None:
        """Columns on or back."""
        most = max(0, (len(self.data.columns) - 1) // COLUMNS * COLUMNS)
        self._column = max(0, min(most, self._column + int(by) * COLUMNS))
        self.draw()

    # -- what it looks like

    def controls(self) -> str:
        count = len(self.data.columns)
        if count <= COLUMNS:
            return ""
        stop = min(self._column + COLUMNS, count)
        back, on = self._column <= 0, stop >= count
        return (
            f'<span class="quiet">columns {self._column + 1} to {stop} of {count}</span>'
            f"{small('◂', 'columns', -1, 'Columns back', back)}{small('▸', 'columns', 1, 'Columns on', on)}"
        )

    def body(self, at: np.ndarray) -> str:
        names = list(self.data.columns)[self._column : self._column + COLUMNS]
        cells, index = BROWSERS.of(self.data).page(at, names), self.data.frame.index
        right = [self.data.columns[name].is_number for name in names]
        head = f"<th class=n>{text(index.name or 'row')}</th>" + "".join(map(self._head, names, right))
        lines = map(partial(_line, right), index[at], zip(*cells.values(), strict=True))
        return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'

    def _head(self, name: str, right: bool) -> str:
        arrow, order = "", "none"
        if name == self._by:
            arrow, order = (" ▾", "descending") if self._falling else (" ▴", "ascending")
        press = f'<button type="button" class="sort" {does("sort", name)} title="Sort by {text(name)}">'
        return f'<th{" class=n" if right else ""} aria-sort="{order}">{press}{text(name)}{arrow}</button></th>'


def _line(right: list[bool], id_: Any, values: tuple[str | None, ...]) -> str:
    cells = "".join(map(_cell, values, right))
    return f'<tr {row_mark(id_)}><td class="n quiet">{text(id_)}</td>{cells}</tr>'


def _cell(value: str | None, number: bool) -> str:
    """A value; a long number to seven digits, with all of them to be pointed at."""
    if value is None:
        return "<td></td>"
    if not number:
        return f"<td>{text(_short(value))}</td>"
    long = f' title="{text(value)}"' if len(value) > DIGITS else ""
    return f"<td class=n{long}>{text(figure(float(value), 7, commas=False) if long and '.' in value else value)}</td>"


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
