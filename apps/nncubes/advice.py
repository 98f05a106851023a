"""Queries that the page proposes: what is surprising here, and what would give the answer that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from learnviews.apps.nncubes.shelf import aggregate_words
from learnviews.apps.nncubes.suggestions import Wanted, surprise_list, wanted_list
from learnviews.kernels.cube import Model, Query

if TYPE_CHECKING:
    from learnviews.apps.nncubes.explorer import Explorer

SHOWN = 6
ASK = "<p>Drag the white dot on top of a bar to the height you want: queries that make it so appear here.</p>"
LOOKING = "<p>Looking…</p>"


@lru_cache(1)
def workers() -> ThreadPoolExecutor:
    """Threads of this server process in which queries are looked for; made when first needed, after a fork."""
    return ThreadPoolExecutor(2, "advice")


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
        self.wanted: Wanted | None = None
        self._lists: dict[str, dict[str, Query]] = {"surprise": {}, "wanted": {}}
        self._version = 0
        self._asked: dict[str, int] = {"surprise": 0, "wanted": 0}
        explorer.session.doc.on_session_destroyed(self._over)
        self.forget()

    @property
    def items(self) -> dict[str, Query]:
        return {**self._lists["surprise"], **self._lists["wanted"]}

    def forget(self) -> None:
        """Nothing is proposed."""
        self.wanted = None
        self._cancel("surprise")
        self._cancel("wanted")
        self.page.controls.surprises.text, self.page.controls.wanted.text = "", ASK

    # -- what is surprising

    def follow(self) -> None:
        """Drop what was asked for under another query."""
        if self.wanted is not None and self.page.query not in self._under:
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
        self._start("surprise", partial(_surprises, model, query), self._show_surprises)

    _shown_for: Any = None
    _base: Query = Query()
    _under: tuple[Query, ...] = ()  # queries under which the wanted answer is still on show

    def _show_surprises(self, found: list[Any], version: int) -> None:
        self._lists["surprise"] = {f"surprise:{version}:{k}": each.query for k, each in enumerate(found)}
        self.page.controls.surprises.text = surprise_list(found, version, bool(self.page.query.filters))

    # -- what was asked for

    def ask(self, view: str, bin: int, value: float) -> None:
        """An answer is wanted."""
        self.wanted, self._base = Wanted(view, bin, value), self.page.query
        self._under = (self._base,)
        if self.page.boards is not None:
            self.page.boards.want({view: {bin: value}})
            self.page.boards.show()
        self.search()

    def search(self) -> None:
        """Look for queries that give what is wanted, with the attributes that may change."""
        model, wanted = self.page.model, self.wanted
        if model is None or wanted is None:
            return
        names = model.schema.names
        free = [names[k] for k in self.page.controls.free.active if names[k] != wanted.view]
        if not free:
            self.page.controls.wanted.text = "<p>Let at least one other attribute change.</p>"
            return
        self.page.controls.wanted.text = LOOKING
        target = {(wanted.view, wanted.bin): wanted.value}
        options = {"free": free, "n": SHOWN, "aggregate": self.page.aggregate, "exact": self.page.exact}
        self._start("wanted", partial(model.invert, target, self._base, **options), self._show_wanted)

    def _show_wanted(self, found: list[Any], version: int) -> None:
        model, wanted = self.page.model, self.wanted
        if model is None or wanted is None:
            return
        self._lists["wanted"] = {f"wanted:{version}:{k}": each.query for k, each in enumerate(found)}
        self._under = (self._base, *self._lists["wanted"].values())
        words = aggregate_words(model.schema, self.page.aggregate)
        self.page.controls.wanted.text = wanted_list(model.schema, self._base, wanted, found, version, words)

    def drop_wanted(self) -> None:
        """Nothing is wanted any more."""
        if self.wanted is None:
            return
        self.wanted = None
        self._cancel("wanted")
        self.page.controls.wanted.text = ASK
        if self.page.boards is not None:
            self.page.boards.want({})
            self.page.boards.show()

    # -- threads

    def _over(self, context: Any) -> None:
        self._asked = dict.fromkeys(self._asked, 0)

    def _start(self, kind: str, work: Callable[[], Any], show: Callable[[Any, int], None]) -> None:
        """Have a thread do the work; what comes too late is not shown."""
        self._version += 1
        self._asked[kind] = version = self._version
        future = workers().submit(work)
        future.add_done_callback(partial(self._tell_session, kind, version, show))

    def _tell_session(self, kind: str, version: int, show: Callable[[Any, int], None], future: Future[Any]) -> None:
        if self._asked[kind] == version:  # else the session is over, or wants something else by now
            self.page.session.soon(partial(self._done, kind, version, future, show))

    def _done(self, kind: str, version: int, future: Future[Any], show: Callable[[Any, int], None]) -> None:
        if self._asked[kind] != version:
            return
        error = future.exception()
        if error is not None:
            self.page.tell(str(error) or type(error).__name__)
        else:
            show(future.result(), version)

    def _cancel(self, kind: str) -> None:
        self._asked[kind] = 0
        self._lists[kind] = {}
        if kind == "surprise":
            self._shown_for = None


@lru_cache(64)
def _surprises(model: Model, query: Query) -> list[Any]:
    """Of every query once for all sessions."""
    return model.suggest(SHOWN, base=query)
