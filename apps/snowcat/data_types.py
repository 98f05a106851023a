"""The card in which the data set is changed: columns left out, other types, tables joined."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_card import DataCard
from learnviews.apps.snowcat.data_joins import JoinForm, joins_html
from learnviews.apps.snowcat.pane import alert, asks, button, quiet, select, text

if TYPE_CHECKING:
    from learnviews.apps.snowcat.project import Project
    from learnviews.apps.snowcat.project_parts import Changes, Entry
    from learnviews.apps.snowcat.slot import Slot
    from learnviews.apps.snowcat.workspace import Workspace
    from learnviews.kernels.search import Column

OFFERED = ("boolean", "integer", "real", "categorical", "dateTime", "text", "image", "timeseries")
"""Types to choose from; a column of another type keeps it among them."""
LISTED = 60  # columns at a time: more of them are found by their names


class ColumnsAndTypes(DataCard):
    """What is used of the data set, and as what."""

    name, title = "columns and types", "Columns and types"
    help = (
        "Changes of the data set, for everything that follows: untick columns that are to be left out, choose another "
        "type where the wrong one was found, add columns of another table by a key. The file itself stays as it is. "
        "Problems that no longer fit are dropped; studies keep the data they were begun with."
    )
    steps = ("data",)
    size = (5, 11)

    def __init__(self, room: Workspace, slot: Slot) -> None:
        super().__init__(room, slot)
        self._words = ""
        self._busy = False
        self._column, self._problem = "", ""  # where a change did not fit, and why
        self._said = ""
        self._project: Project | None = None
        self.form = JoinForm(self)

    @property
    def project(self) -> Project:
        """The project that is changed."""
        assert self.room.project is not None
        return self.room.project

    def show(self) -> None:
        if self._project is not self.room.project:
            self._project, self._words, self._said, self._column, self._problem = self.room.project, "", "", "", ""
            self.form = JoinForm(self)
        self.slot.html(self._html())

    # -- changes

    def change(self, changed: Changes, column: str = "", then: Callable[[], None] | None = None) -> None:
        """Have a thread change the data set; what goes wrong is said beside `column`."""
        if self._busy:
            return
        self._busy, self._column, self._problem, self._said = True, column, "", ""
        project, before = self.project, list(self.project.entries)

        def work() -> Exception | None:
            try:
                project.change(changed)
            except (ValueError, OSError, LookupError) as error:
                return error
            return None

        def done(error: Exception | None, version: int) -> None:
            self._busy = False
            if error is not None:
                self._problem = str(error)
            else:
                self._said = _lost(before, project.entries)
                if then is not None:
                    then()
            if self.room.project is project and not self._closed:
                self.show()

        self.room.jobs.start("change the data", work, done)
        self.show()

    def do_use(self, told: list[Any]) -> None:
        """Use a column, or leave it out."""
        name, used = told
        excluded = [each for each in self.project.changes.excluded if each != name] + ([] if used else [name])
        if all(each in excluded for each in self.data.columns):
            self._column, self._problem = name, "One column at least has to stay."
            self.show()
            return
        self.change(replace(deepcopy(self.project.changes), excluded=excluded), name)

    def do_type(self, told: list[Any]) -> None:
        """Take a column for another type; "" for the one that was found."""
        name, chosen = told
        types = {each: type_ for each, type_ in self.project.changes.types.items() if each != name}
        if chosen:
            types[name] = chosen
        self.change(replace(deepcopy(self.project.changes), types=types), name)

    def do_unjoin(self, place: int) -> None:
        """Take the columns of a joined table away again, and what was changed of them."""
        changes = deepcopy(self.project.changes)
        del changes.joins[int(place)]
        self.change(_without_lost(changes, self.project))

    def do_reset(self, _: Any) -> None:
        """The data set as it was read."""
        self.change(type(self.project.changes)())

    def do_search(self, words: str) -> None:
        """Only columns with these words in their names."""
        self._words = str(words)
        self.show()

    def do(self, word: str, argument: Any) -> None:
        if word.startswith("join"):
            self.form.do(word.removeprefix("join").strip(), argument)
        else:
            super().do(word, argument)

    # -- what it looks like

    def _html(self) -> str:
        state = '<p class="quiet" role="status">Changing the data…</p>' if self._busy else ""
        wrong = alert(self._problem) if self._problem and self._column not in self._columns() else ""
        said = f'<p role="status">{text(self._said)}</p>' if self._said else ""
        joins = joins_html(self.project.changes.joins, self.data)
        return f"{self._head()}{state}{wrong}{said}{joins}{self._table()}{self.form.html()}"

    def _head(self) -> str:
        changes = self.project.changes
        words = [
            f"{len(changes.excluded)} left out" if changes.excluded else "",
            f"{len(changes.types)} of another type" if changes.types else "",
            f"{len(changes.joins)} joined" if changes.joins else "",
        ]
        told = ", ".join(filter(None, words)) or "as it was read"
        search = (
            '<input type="search" id="types-words" data-type="search" placeholder="Column" '
            f'aria-label="Search for columns" value="{text(self._words)}">'
        )
        reset = button("As it was read", "reset", disabled=self._busy) if told != "as it was read" else ""
        return f'<div class="row">{search}<span class="quiet grow">{told}</span>{reset}</div>'

    def _columns(self) -> dict[str, Column | None]:
        """All columns, also those left out, in their order; None where nothing is known of one."""
        found: dict[str, Column | None] = {**self.project.raw.columns, **self.data.columns}
        return found | {name: None for name in self.project.changes.excluded if name not in found}

    def _table(self) -> str:
        wanted = [word.strip().lower() for word in self._words.split(",") if word.strip()]
        columns = self._columns()
        names = [name for name in columns if not wanted or any(word in name.lower() for word in wanted)]
        rows = "".join(self._row(name, columns[name]) for name in names[:LISTED])
        more = len(names) - LISTED
        rest = quiet(f"{more:,} more columns: search for their names") if more > 0 else ""
        head = "<tr><th>Use</th><th>Column</th><th>Type</th><th>Why</th></tr>"
        return f'<table class="wide"><thead>{head}</thead><tbody>{rows}</tbody></table>{rest}'

    def _row(self, name: str, column: Column | None) -> str:
        excluded = name in self.project.changes.excluded
        use = (
            f'<input type="checkbox" {asks("use", name)} aria-label="Use {text(name)}"'
            f"{'' if excluded else ' checked'}{' disabled' if self._busy else ''}>"
        )
        reason = "left out" if excluded else "" if column is None else column.why
        wrong = f'<tr><td></td><td colspan="3">{alert(self._problem)}</td></tr>' if name == self._column else ""
        wrong = wrong if self._problem else ""
        return (
            f"<tr{' class=faded' if excluded else ''}><td>{use}</td><td>{text(name)}</td>"
            f"<td>{'' if excluded or column is None else self._types(name, column)}</td>"
            f"<td><small>{text(reason)}</small></td></tr>{wrong}"
        )

    def _types(self, name: str, column: Column) -> str:
        chosen = self.project.changes.types.get(name)
        raw = self.project.raw.columns.get(name)
        found = f"{raw.type} (found)" if chosen is not None and raw is not None else "as found"
        options = {"": found} if chosen is not None else {}
        options |= {each: each for each in dict.fromkeys((column.type, *OFFERED))}
        return select("type", options, chosen or column.type, f"Type of {name}", name)


def _lost(before: list[Entry], after: list[Entry]) -> str:
    """What was said of problems that were dropped: those that somebody made or marked."""
    kept = {entry.id for entry in after}
    lost = [entry for entry in before if entry.id not in kept]
    own = [entry for entry in lost if entry.origin != "found" or entry.mark == "yes"]
    if not own:
        many = "1 problem no longer fits and was" if len(lost) == 1 else f"{len(lost)} problems no longer fit and were"
        return f"{many} dropped." if lost else ""
    named = "; ".join(entry.problem.sentence() for entry in own[:5]) + ("; …" if len(own) > 5 else "")
    return f"Dropped, as they no longer fit: {named}. Studies of them keep the data they were begun with."


def _without_lost(changes: Changes, project: Project) -> Changes:
    """Changes without those of columns that come from no table any more."""
    there = set(project.raw.columns)
    if changes.joins:
        there |= set(replace(changes, types={}, excluded=[]).apply(project.raw).columns)
    types = {name: type_ for name, type_ in changes.types.items() if name in there}
    return replace(changes, types=types, excluded=[name for name in changes.excluded if name in there])
