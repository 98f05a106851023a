"""The NNCubes page: linked views of a cube, and everything one can do with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from html import escape
from typing import Any

import holoviews as hv
from bokeh.layouts import column
from bokeh.models import Spacer

from learnviews.apps.nncubes.advice import Advice
from learnviews.apps.nncubes.boards import Boards
from learnviews.apps.nncubes.bookmark import Bookmark, check_query
from learnviews.apps.nncubes.card import card
from learnviews.apps.nncubes.codes import code_html
from learnviews.apps.nncubes.controls import Controls
from learnviews.apps.nncubes.history import History
from learnviews.apps.nncubes.readout import describe, total_of
from learnviews.apps.nncubes.shelf import Shelf, aggregate_words
from learnviews.apps.nncubes.wording import sentence
from learnviews.grammar.brush import Brush, Target
from learnviews.grammar.serve import Session
from learnviews.kernels.cube import Model, Query

hv.extension("bokeh", logo=False)

REST = 250  # milliseconds without a change
NO_MODEL = "No model found. Make one with: learnviews cube flights (or learnviews serve, which makes it itself)"


@lru_cache(maxsize=1)
def shelf(paths: tuple[str, ...]) -> Shelf:
    """The one shelf of this server process."""
    return Shelf(paths)


def shown_in_page(handler: Callable[..., None]) -> Callable[..., None]:
    """What goes wrong in a handler is told in the page; the session lives on."""

    @wraps(handler)
    def safely(self: Explorer, *args: Any, **kwargs: Any) -> None:
        try:
            handler(self, *args, **kwargs)
        except Exception as error:
            self.tell(str(error) or type(error).__name__)
            if not isinstance(error, OSError | ValueError | LookupError | TypeError):
                raise

    return safely


class Explorer:
    """Views, controls and events of one session.

    Parameters
    ----------
    session : Session
    models : Shelf
    live : bool
        Whether somebody is looking.
    """

    def __init__(self, session: Session, models: Shelf, live: bool = True) -> None:
        self.session, self.shelf, self.live = session, models, live
        self.controls = Controls()
        self.large, self.others = (column(Spacer(), sizing_mode="stretch_both") for _ in range(2))
        self.model: Model | None = None
        self.aggregate: Any = "count"
        self.brush, self.boards = Brush(), None
        self.history = History(Query())
        self.advice = Advice(self)
        self.previewed: Query | None = None
        self._following = self._opening = False
        self._resting: Any = None
        self._list_models()
        self._listen()
        self.open(self.controls.model.value)
        session.add(**self.controls.placed(), large=self.large, others=self.others)

    boards: Boards | None

    def tell(self, message: str = "") -> None:
        """Show a message above the views, or take it away."""
        self.controls.message.text = f'<div class="message" role="alert">{escape(message)}</div>' if message else ""
        self.controls.message.visible = bool(message)

    @property
    def exact(self) -> bool:
        """Whether the exact cube answers."""
        return self.controls.source.active == 1 and self.model is not None and self.model.exact is not None

    @property
    def query(self) -> Query:
        """The query of all filters."""
        return self.history.now

    # -- models and what is shown of them

    @shown_in_page
    def open(self, path: str) -> None:
        """Show another model, from no filters on."""
        self._forget()
        if not path:
            self.tell(NO_MODEL)
            return
        self.model = self.shelf.model(path)
        self.tell()
        self.controls.enable(True)
        self.aggregate = self.model.aggregates[0]
        self._opening = True
        labels = [aggregate_words(self.model.schema, each) for each in self.model.aggregates]
        self.controls.aggregate.options = [(str(k), _label(*each)) for k, each in enumerate(labels)]
        self.controls.aggregate.value = "0"
        self.controls.source.disabled = self.model.exact is None
        self.controls.free.labels = [each.title for each in self.model.schema]
        self.controls.free.active = list(range(len(self.model.schema)))
        self._opening = False
        self.draw(Query())

    @shown_in_page
    def draw(self, query: Query) -> None:
        """Draw all views anew: of another model or aggregate."""
        if self.model is None:
            return
        self.brush, target = Brush(filters=query.filters), Target()
        self.boards = Boards(self.session, self.model, self.aggregate, self.exact, self.brush, target)
        self.brush.add_subscriber(self._brushed)
        target.add_subscriber(self._asked)
        large, others = self.boards.place()
        self.large.children, self.others.children = [large], [others]
        self.controls.card.text = card(self.model, self.aggregate)
        self._follow()

    def _forget(self) -> None:
        self.model, self.boards = None, None
        self.previewed = None
        self.history = History(Query())
        self.advice.forget()
        self.large.children, self.others.children = [Spacer()], [Spacer()]
        for div in (self.controls.text, self.controls.code, self.controls.card):
            div.text = ""
        self.controls.source.active = 0
        self.controls.enable(False)

    def _list_models(self) -> None:
        names = self.shelf.names()
        self.controls.model.options = list(names.items())
        self.controls.model.value = next(iter(names), "")
        self.controls.model.visible = len(names) != 1

    # -- the query

    def go(self, query: Query, gesture: bool = False) -> None:
        """Show a query, and remember the one before."""
        self.history.add(query, gesture)
        self._show()

    def _brushed(self, **_: Any) -> None:
        """A view was brushed; a burst of moves is followed once."""
        self.history.add(self.brush.query)
        self.previewed = None
        if self.boards is not None:
            self.boards.board.brush = self.brush
        if not self._following:
            self._following = True
            self.session.soon(self._follow)

    def _show(self) -> None:
        """Put the query of the history into the views."""
        self.previewed = None
        self.brush.replace(self.query)  # which follows
        if self.boards is not None:
            self.boards.show()
        self._follow()

    @shown_in_page
    def _follow(self) -> None:
        """Everything but the views follows the query."""
        self._following = False
        if self.model is None:
            return
        self.tell()
        controls, history = self.controls, self.history
        self._describe()
        controls.undo.disabled, controls.redo.disabled = not history.can_undo, not history.can_redo
        controls.clear.disabled = not self.query.filters
        self.advice.follow()
        if self._resting is not None:
            self.session.doc.remove_timeout_callback(self._resting)
        if self.live:
            self._resting = self.session.doc.add_timeout_callback(self._settle, REST)
        else:
            self._settle()

    @shown_in_page
    def _settle(self) -> None:
        """What need not follow the pointer follows once it rests."""
        self._resting = None
        if self.model is None:
            return
        controls = self.controls
        controls.code.text = code_html(self.model, self.query, self.aggregate, controls.model.value)
        controls.bookmark.value = self._bookmark().to_text()
        if self.live:
            self.advice.look()

    def _describe(self) -> None:
        if self.model is None:
            return
        query = self.query if self.previewed is None else self.previewed
        total = total_of(self.model, query, self.aggregate, self.exact)
        words = aggregate_words(self.model.schema, self.aggregate)
        by = "exact" if self.exact else "model"
        self.controls.text.text = describe(
            sentence(self.model.schema, query), total, words, by, self.previewed is not None
        )

    @shown_in_page
    def preview(self, query: Query | None) -> None:
        """Show a query while the pointer is on it; None goes back."""
        if self.boards is None or query == self.previewed:
            return
        self.previewed = query
        self.boards.show(query)
        self._describe()

    @shown_in_page
    def undo(self) -> None:
        """Back to the query before."""
        self.history.undo()
        self._show()

    @shown_in_page
    def redo(self) -> None:
        """Take the last undo back."""
        self.history.redo()
        self._show()

    @shown_in_page
    def clear(self) -> None:
        """Take all filters away, and what was asked for."""
        self.advice.drop_wanted()
        self.go(Query())

    # -- what comes from the page

    def _listen(self) -> None:
        controls = self.controls
        controls.model.on_change("value", lambda name, old, new: self.open(new))
        controls.aggregate.on_change("value", lambda name, old, new: self._show_aggregate(new))
        controls.source.on_change("active", lambda name, old, new: self._show_source())
        controls.undo.on_click(self.undo)
        controls.redo.on_click(self.redo)
        controls.clear.on_click(self.clear)
        controls.free.on_change("active", lambda name, old, new: self.advice.search())
        controls.command.on_change("value", lambda name, old, new: self._command(new))

    @shown_in_page
    def _show_aggregate(self, value: str) -> None:
        if self._opening or self.model is None:
            return
        self.aggregate = self.model.aggregates[int(value)]
        self.advice.drop_wanted()
        self.draw(self.query)

    @shown_in_page
    def _show_source(self) -> None:
        if self.boards is None:
            return
        self.boards.ask(self.exact)
        self.preview(None)
        self._follow()

    @shown_in_page
    def _asked(self, view: str, bin: int, value: float) -> None:
        self.advice.ask(view, bin, value)

    @shown_in_page
    def _command(self, text: str) -> None:
        """What the page's script asks for: [serial number, word, argument]."""
        _, word, argument = json.loads(text)
        if word == "begin":
            self.history.begin()
        elif word in ("undo", "redo", "clear"):
            getattr(self, word)()
        elif word == "go to":
            self._go_to(argument)
            self._settle()
        elif word in ("apply", "preview"):
            query = self.advice.items.get(argument or "")
            if word == "preview":
                self.preview(query)
            elif query is not None:
                self.go(query)

    # -- the address

    def _bookmark(self) -> Bookmark:
        """Of what is shown; what a page begins with is left out."""
        several = len(self.controls.model.options) > 1
        first = self.model is None or self.aggregate == self.model.aggregates[0]
        name = dict(self.controls.model.options).get(self.controls.model.value)
        return Bookmark(self.query, None if first else self.aggregate, self.exact, name if several else None)

    def _go_to(self, text: str) -> None:
        mark = Bookmark.from_text(text)
        names = {name: path for path, name in self.controls.model.options}
        if mark.model is not None and mark.model not in names:
            raise LookupError(f"No model {mark.model!r} here; there are {', '.join(names)}")
        if mark.model is not None:
            self.controls.model.value = names[mark.model]
        if self.model is None:
            return
        query = check_query(self.model.schema, mark.query)
        aggregate = self.model.aggregate(mark.aggregate)
        if mark.exact is not None and self.model.exact is not None:
            self.controls.source.active = int(mark.exact)
        self.go(query)
        self.controls.aggregate.value = str(self.model.aggregates.index(aggregate))


def _label(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title
