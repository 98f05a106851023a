"""The form in which a table is joined: which one, by which key, which of its columns."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import alert, asks, button, quiet, select, text
from learnviews.kernels import search
from learnviews.kernels.search.joins import partners

if TYPE_CHECKING:
    from learnviews.apps.snowcat.data_types import ColumnsAndTypes
    from learnviews.kernels.search import Dataset

MOST_KEYS = 4
LISTED = 60  # columns to choose from


class JoinForm:
    """What is chosen of a join before it is made.

    Parameters
    ----------
    card : ColumnsAndTypes
        Shows the form, and makes the change.
    """

    def __init__(self, card: ColumnsAndTypes) -> None:
        self.card = card
        self.path = ""
        self.table: Dataset | None = None
        self.keys: list[tuple[str, str]] = []
        self.left_out: set[str] = set()
        self.found: int | None = None  # rows with a partner
        self.problem, self.busy = "", False

    def tables(self) -> dict[str, str]:
        """Path -> what to call each table that can be joined."""
        room, own = self.card.room, self.card.project.raw
        found = {
            str(source.path): source.title
            for source in room.shelf.sources.values()
            if source.path is not None and source.key != self.card.project.key and not _is_of(source.path, own)
        }
        more = {str(each.path): name for name, each in own.resources.items() if each.kind == "table"}
        return more | found

    # -- what is done

    def do(self, word: str, argument: Any) -> None:
        """One thing that was done in the form."""
        acts = {"table": self._choose, "key": self._key, "column": self._column}
        acts |= {"more": lambda _: self._add_key(), "make": lambda _: self._make()}
        if word not in acts:
            raise ValueError(f"nothing known of {word!r}")
        acts[word](argument)

    def _choose(self, told: list[Any]) -> None:
        """A table: a thread reads it."""
        self.__init__(self.card)  # type: ignore[misc]  # begins anew
        self.path = str(told[-1])
        if self.path and self.path not in self.tables():
            raise ValueError(f"{self.path}: no table of this server")
        if self.path:
            self._later("join table", partial(search.load, self.path), self._loaded)
        self.card.show()

    def _loaded(self, table: Dataset) -> None:
        self.table = table
        mine, theirs = _key_names(self.card.data), [*_key_names(table), *_index_name(table)]
        if not mine or not theirs:
            raise ValueError(f"{table.name}: no columns that could be a key")
        same = [name for name in theirs if name in mine]
        self.keys = [(same[0], same[0])] if same else [(mine[0], theirs[0])]
        if same:
            self._count()

    def _key(self, told: list[Any]) -> None:
        place, side, name = told
        pair = list(self.keys[place])
        pair[side] = name
        self.keys[place] = (pair[0], pair[1])
        if not all(pair):
            del self.keys[place]
        self._count()
        self.card.show()

    def _add_key(self) -> None:
        assert self.table is not None
        used = {here for here, _ in self.keys}
        here = next((name for name in _key_names(self.card.data) if name not in used), self.keys[0][0])
        theirs = [*_key_names(self.table), *_index_name(self.table)]
        there = here if here in theirs else theirs[0]
        self.keys.append((here, there))
        self._count()
        self.card.show()

    def _column(self, told: list[Any]) -> None:
        name, wanted = told
        self.left_out = self.left_out - {name} if wanted else self.left_out | {name}
        self.card.show()

    def _count(self) -> None:
        """Have a thread count the rows that find a partner."""
        data, table, keys = self.card.data, self.table, list(self.keys)
        self.found, self.problem = None, ""
        self._later("join count", lambda: partners(data, table, keys), self._counted)

    def _counted(self, found: int) -> None:
        self.found = found

    def _later(self, kind: str, work: Any, then: Any) -> None:
        def safely() -> Any:
            try:
                return work()
            except (ValueError, OSError, LookupError) as error:
                return error

        def done(found: Any, version: int) -> None:
            self.busy = False
            try:
                if isinstance(found, Exception):
                    raise found
                then(found)
            except (ValueError, OSError, LookupError) as error:
                self.problem = str(error)
            if self.card.form is self and not self.card._closed and self.card.room.project is not None:
                self.card.show()

        self.busy = True
        self.card.room.jobs.start(kind, safely, done)

    def _make(self) -> None:
        """Add the columns."""
        if self.table is None or not self.keys:
            raise ValueError("Choose a table and the columns that are its key first")
        columns = [name for name in self._addable() if name not in self.left_out]
        if not columns:
            raise ValueError("Tick at least one column to add")
        changes = deepcopy(self.card.project.changes)
        join = {"path": self.path, "on": [list(pair) for pair in self.keys], "columns": columns}
        card = self.card

        def then() -> None:
            card.form = JoinForm(card)

        card.change(replace(changes, joins=[*changes.joins, join]), then=then)

    def _addable(self) -> list[str]:
        assert self.table is not None
        return [name for name in self.table.columns if name not in {there for _, there in self.keys}]

    # -- what it looks like

    def html(self) -> str:
        """The form, as far as it is filled in."""
        tables = self.tables()
        if not tables:
            return "<h3>Join a table</h3>" + quiet("Upload the other table first, or start the server with it.")
        choice = select("join table", {"": "choose a table", **tables}, self.path, "Table to join")
        state = quiet("Reading…") if self.busy and self.table is None else ""
        return f"<h3>Join a table</h3><p>{choice}</p>{state}{alert(self.problem)}{self._rest()}"

    def _rest(self) -> str:
        if self.table is None:
            return ""
        keys = "".join(self._pair(place, pair) for place, pair in enumerate(self.keys))
        more = button("One more key", "join more") if len(self.keys) < MOST_KEYS else ""
        return (
            f"<p>Its rows belong to those with the same</p>{keys}<p>{more}</p>{self._partners()}"
            f'<p>Columns to add</p><div class="row">{self._boxes()}</div>'
            f"<p>{button('Join', 'join make', main=True, disabled=bool(self.problem) or self.busy)}</p>"
        )

    def _pair(self, place: int, pair: tuple[str, str]) -> str:
        assert self.table is not None
        sides = (_key_names(self.card.data), [*_key_names(self.table), *_index_name(self.table)])
        lists = [
            select("join key", {name: name for name in names}, pair[side], f"Key {place + 1}", place, side)
            for side, names in enumerate(sides)
        ]
        return f'<div class="row">{lists[0]} here = {lists[1]} there</div>'

    def _partners(self) -> str:
        if self.found is None:
            return quiet("Looking for partners…") if self.busy else ""
        count = len(self.card.data)
        words = f"{self.found:,} of {count:,} rows find a partner"
        return f'<p role="status">{words}</p>' if self.found else alert(f"{words}: the values of this key never meet")

    def _boxes(self) -> str:
        names = self._addable()
        boxes = "".join(
            f'<label><input type="checkbox" {asks("join column", name)}{"" if name in self.left_out else " checked"}>'
            f" {text(name)}</label>"
            for name in names[:LISTED]
        )
        return boxes + (f"<small>and {len(names) - LISTED:,} more</small>" if len(names) > LISTED else "")


def joins_html(joins: list[dict[str, Any]], data: Dataset) -> str:
    """The tables that were joined, each with a way back, and what is said of rows without a partner."""
    lines = "".join(
        f'<div class="row"><span class="grow"><b>{text(Path(join["path"]).name)}</b> joined by '
        f"{text(', '.join(map(_key, join['on'])))}: {_columns(join)}</span>{button('Undo', 'unjoin', at)}</div>"
        for at, join in enumerate(joins)
    )
    notes = [note for note in data.notes if ": no row for " in note] if joins else []
    return lines + "".join(f"<p><small>{text(note)}</small></p>" for note in notes)


def _key(pair: list[str]) -> str:
    return pair[0] if pair[0] == pair[1] else f"{pair[0]} = {pair[1]}"


def _columns(join: dict[str, Any]) -> str:
    if join["columns"] is None:
        return "all columns"
    count = len(join["columns"])
    return f"{count} column{'s' if count > 1 else ''}"


def _key_names(data: Dataset) -> list[str]:
    """Columns that may be a key."""
    return [name for name, column in data.columns.items() if not column.is_media]


def _index_name(data: Dataset) -> list[str]:
    """The name of the row ids, where these have one of their own: of the other table they may be a key, too."""
    index = str(data.frame.index.name or "")
    return [index] if index and index != "row" and index not in data.columns else []


def _is_of(path: Path, data: Dataset) -> bool:
    """Whether a path is the data set's own."""
    return data.path is not None and data.path.resolve() == path.resolve()
