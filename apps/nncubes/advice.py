"""Queries that the page proposes: what is surprising here, and what would give the answer that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.jobs import Jobs
from learnviews.apps.nncubes.shelf import aggregate_words
from learnviews.apps.nncubes.suggestions import Wanted, asked_list, is_hit, surprise_list, wanted_list
from learnviews.kernels.cube import Model, Query

if TYPE_CHECKING:
    from learnviews.apps.nncubes.explorer import Explorer

SHOWN = 6
ASK = (
    "<p>What should it be? Queries that make it so appear here. Drag the top of a bar to the height you want; hold "
    "<kbd>Alt</kbd> or <kbd>Ctrl</kbd> and drag a cell of the map up or down; drag the number above left or right, or "
    "click it and type. With <kbd>Shift</kbd> it is wanted besides what was asked for before.</p>"
)
LOOKING = "<p>Looking…</p>"
CHECKING = "<p>By the model; asking the rows…</p>"


class Advice:
    """The lists of one session.

    Parameters
    ----------
    explorer : Explorer

    Attributes
    ----------
    items : dict of Query
        What can be clicked, by the name that the page knows it under.
    """

    def __init__(self, explorer: Explorer) -> None:
        self.page = explorer
        self.wanted: Wanted = {}
        self._lists: dict[str, dict[str, Query]] = {"surprise": {}, "wanted": {}}
        self._jobs = Jobs(explorer.session, explorer.tell)
        self.forget()

    @property
    def items(self) -> dict[str, Query]:
        return {**self._lists["surprise"], **self._lists["wanted"]}

    def forget(self) -> None:
        """Nothing is proposed."""
        self.wanted = {}
        self._cancel("surprise")
        self._cancel("wanted")
        self.page.controls.surprises.text, self.page.controls.wanted.text = "", ASK

    # -- what is surprising

    def follow(self) -> None:
        """Drop what was asked for under another query."""
        if self.wanted and self.page.query not in self._under:
            self.drop_wanted()

    def look(self) -> None:
        """Look for surprises within the query."""
        model, query = self.page.model, self.page.query
        if model is None:
            return
        if "count" not in model.aggregates:
            self.page.controls.surprises.text = "<p>Surprises are about counts, which this model does not answer.</p>"
            return
        if self._shown_for == (id(model), query):
            return
        self._shown_for = (id(model), query)
        self._jobs.start("surprise", partial(_surprises, model, query), self._show_surprises)

    _shown_for: Any = None
    _base: Query = Query()
    _under: tuple[Query, ...] = ()  # queries under which the wanted answer is still on show

    def _show_surprises(self, found: list[Any], version: int) -> None:
        self._lists["surprise"] = {f"surprise:{version}:{k}": each.query for k, each in enumerate(found)}
        self.page.controls.surprises.text = surprise_list(found, version, bool(self.page.query.filters))

    # -- what was asked for

    @property
    def total(self) -> float | None:
        """The total that is wanted."""
        return next((value for (_, bin), value in self.wanted.items() if bin is None), None)

    def ask(self, view: str, bin: int | None, value: float, add: bool = False) -> None:
        """An answer is wanted: of a bar or a cell, or the total; `add`: besides those that already are."""
        self.wanted = {**(self.wanted if add else {}), (view, bin): value}
        self._base = self.page.query
        self._under = (self._base,)
        self._mark()
        self.search()

    def ask_total(self, value: float, add: bool = False) -> None:
        """A total is wanted; what else is stays where the total was wanted before."""
        if self.page.model is not None:
            self.ask(self.page.model.schema.names[0], None, value, add or self.total is not None)

    def drop(self, view: str, bin: int | None) -> None:
        """An answer is not wanted any more."""
        left = {key: value for key, value in self.wanted.items() if key != (view, bin)}
        if not left:
            self.drop_wanted()
        elif len(left) < len(self.wanted):
            self.wanted = left
            self._mark()
            self.search()

    def search(self) -> None:
        """Look for queries that give what is wanted, with the attributes that may change."""
        model, wanted = self.page.model, self.wanted
        if model is None or not wanted:
            return
        asked = self._asked()
        free = self._free(model)
        if not free:
            self._cancel("wanted")
            self.page.controls.wanted.text = f"{asked}<p>Let at least one other attribute change.</p>"
            return
        self.page.controls.wanted.text = asked + LOOKING
        self._lists["wanted"] = {}
        find = partial(model.invert, wanted, self._base, free=free, n=SHOWN, aggregate=self.page.aggregate)
        # The model's own take a quarter of the time: they come first.
        then = partial(find, exact=True) if self.page.exact else None
        self._jobs.start("wanted", partial(find, exact=False), partial(self._show_wanted, then=then))

    def _free(self, model: Model) -> list[str]:
        """What may change; a view ignores its own filter, so for one view alone that would change nothing."""
        views = {view if bin is not None else None for view, bin in self.wanted}
        names = model.schema.names
        return [names[k] for k in self.page.controls.free.active if views != {names[k]}]

    def _asked(self) -> str:
        model = self.page.model
        if model is None:
            return ""
        return asked_list(model.schema, self.wanted, aggregate_words(model.schema, self.page.aggregate))

    def _show_wanted(self, found: list[Any], version: int, then: Callable[[], Any] | None = None) -> None:
        """The list; what was on it before can still be clicked, for a list may change under the pointer."""
        model, wanted = self.page.model, self.wanted
        if model is None or not wanted:
            return
        counted = self.page.aggregate == "count"
        found = sorted(found, key=lambda each: 0 if is_hit(each, wanted, counted) else max(each.misses.values()))
        self._lists["wanted"] |= {f"wanted:{version}:{k}": each.query for k, each in enumerate(found)}
        self._under = (self._base, *self._lists["wanted"].values())
        words = aggregate_words(model.schema, self.page.aggregate)
        text = wanted_list(model.schema, self._base, wanted, found, version, words)
        self.page.controls.wanted.text = text + CHECKING * (then is not None)
        if then is not None:
            self._jobs.start("wanted", then, self._show_wanted)

    def drop_wanted(self) -> None:
        """Nothing is wanted any more."""
        if not self.wanted:
            return
        self.wanted = {}
        self._cancel("wanted")
        self.page.controls.wanted.text = ASK
        self._mark()

    def _mark(self) -> None:
        """Show in the views, and beside the total, what is wanted."""
        if self.page.boards is not None:
            self.page.boards.want(self.wanted)
        self.page.describe()

    def _cancel(self, kind: str) -> None:
        self._jobs.cancel(kind)
        self._lists[kind] = {}
        if kind == "surprise":
            self._shown_for = None


@lru_cache(64)
def _surprises(model: Model, query: Query) -> list[Any]:
    """Of every query once for all sessions."""
    return model.suggest(SHOWN, base=query)
