"""The NNCubes page: linked views of a cube, and everything one can do with them."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

import holoviews as hv
from bokeh.layouts import column
from bokeh.models import Spacer

from learnviews.apps.messages import show_message, shown_in_page
from learnviews.apps.nncubes.advice import Advice
from learnviews.apps.nncubes.boards import Boards
from learnviews.apps.nncubes.bookmark import Bookmark, check_query
from learnviews.apps.nncubes.card import card
from learnviews.apps.nncubes.codes import code_html
from learnviews.apps.nncubes.controls import SOURCES, Controls
from learnviews.apps.nncubes.history import History
from learnviews.apps.nncubes.own_data import OwnData
from learnviews.apps.nncubes.query_map import QueryPanel
from learnviews.apps.nncubes.readout import describe, total_of
from learnviews.apps.nncubes.shelf import TABLE, Shelf, aggregate_words
from learnviews.apps.nncubes.typed import typed_number
from learnviews.apps.nncubes.wording import sentence
from learnviews.apps.nncubes.zoom import Zoom
from learnviews.grammar.brush import Brush, Target
from learnviews.grammar.serve import Session
from learnviews.kernels.cube import Model, Query

hv.extension("bokeh", logo=False)

PREPARED = "exact: being prepared"
REST = 250  # milliseconds without a change
NO_MODEL = "No model found. Make one with: learnviews cube flights (or learnviews serve, which makes it itself)"


@lru_cache(maxsize=1)
def shelf(paths: tuple[str, ...]) -> Shelf:
    """The one shelf of this server process."""
    return Shelf(paths)


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
        self.zoom = Zoom(self)
        self.advice = Advice(self)
        self.queries = QueryPanel(self)
        self.previewed: Query | None = None
        self._following = self._opening = False
        self._some: frozenset[str] = frozenset()  # views that are exact while others are not
        self._rest = session.rest(self._settle, REST)
        self.data, self._path = OwnData(self), ""
        self.list_models()
        self.controls.model.value = next(iter(dict(self.controls.model.options)), "")
        self._listen()
        self.open(self.controls.model.value)
        session.add(**self.controls.placed(), **self.queries.placed(), **self.data.placed())
        session.add(large=self.large, others=self.others)

    boards: Boards | None

    def tell(self, message: str = "") -> None:
        """Show a message above the views, or take it away."""
        show_message(self.controls.message, message)

    @property
    def exact(self) -> bool:
        """Whether the exact cube answers."""
        chosen = self.controls.source.active == 1 and self.model is not None and self.model.exact is not None
        return chosen or self.zoom.rows is not None

    @property
    def exact_views(self) -> bool | frozenset[str]:
        """Whether the exact cube answers; where views differ, those in which it does."""
        mixed = self.controls.source.active is None and self.zoom.rows is None
        return self._some if mixed else self.exact

    @property
    def query(self) -> Query:
        """The query of all filters, in the model's bins."""
        return self.zoom.coarse(self.history.now)

    @property
    def shown(self) -> Any:
        """The model, or the rows in finer bins that stand where it stands: the history is in their bins."""
        return self.zoom.rows or self.model

    # -- models and what is shown of them

    @shown_in_page
    def open(self, path: str) -> None:
        """Show another model, from no filters on; of a table its model, or what it could be."""
        if self.shelf.tables.get(path) is not None:
            if self.live:
                self.data.do("table", path)
            if self.model is not None:  # whose dashboard stays until there is another
                self.controls.model.value = self._path
            return
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
        self._path = path
        self._await_exact()
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
        self.boards = Boards(
            self.session, self.shown, self.aggregate, self.exact_views, self.brush, target, self._turn_view
        )
        self.zoom.watch(self.boards)
        self.brush.add_subscriber(self._brushed)
        target.add_subscriber(self._asked)
        large, others = self.boards.place()
        self.large.children, self.others.children = [large], [others]
        self.controls.card.text = card(self.model, self.aggregate)
        self.queries.renew()
        self._follow()

    def _forget(self) -> None:
        self.model, self.boards = None, None
        self.previewed = None
        self.history = History(Query())
        self.zoom.forget()
        self.advice.forget()
        self.queries.forget()
        self.large.children, self.others.children = [Spacer()], [Spacer()]
        for div in (self.controls.text, self.controls.code, self.controls.card):
            div.text = ""
        self.controls.source.active = 0
        self.controls.enable(False)

    def list_models(self) -> None:
        """Offer the models, and the tables without one."""
        names = self.shelf.names()
        self.controls.model.options = list(names.items())
        self.controls.model.visible = len(names) != 1

    def show_model(self, path: str) -> None:
        """Show a model that may be new."""
        self.list_models()
        self.controls.model.value = path

    def _choose(self, path: str) -> None:
        if path != self._path or self.model is None:
            self.open(path)

    def _await_exact(self) -> None:
        """Have exact answers made ready where they are not, but rows are at hand."""
        model, source = self.model, self.controls.source
        if model is None:
            return

        def then(problem: str) -> None:
            self.session.soon(lambda: self._exact_is_there(model, problem))

        waiting = self.live and self.shelf.make_exact(model, then)
        source.labels = [SOURCES[0], PREPARED] if waiting else list(SOURCES)
        source.disabled = model.exact is None

    def _exact_is_there(self, model: Model, problem: str) -> None:
        if self.model is not model:
            return
        self.controls.source.labels, self.controls.source.disabled = list(SOURCES), model.exact is None
        if problem:
            self.tell(f"No exact answers: {problem}")
        elif self.boards is not None:
            self._settle()

    # -- the query

    def go(self, query: Query, gesture: bool = False) -> None:
        """Show a query, and remember the one before."""
        self.history.add(self.zoom.fine(query), gesture)
        self._show()

    def _brushed(self, **_: Any) -> None:
        """A view was brushed; a burst of moves is followed once."""
        self.history.add(self.brush.query)
        self.previewed = None
        if not self._following:
            self._following = True
            self.session.soon(self._follow)

    def _show(self) -> None:
        """Put the query of the history into the views."""
        self.previewed = None
        self.brush.replace(self.history.now)  # which follows
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
        with self.session.together():
            self.describe()
            controls.undo.disabled, controls.redo.disabled = not history.can_undo, not history.can_redo
            controls.clear.disabled = not history.now.filters
            self.zoom.follow()
            self.advice.follow()
        if self.live:
            self._rest.start()
        else:
            self._settle()

    @shown_in_page
    def _settle(self) -> None:
        """What need not follow the pointer follows once it rests."""
        if self.model is None:
            return
        controls = self.controls
        source = self.model.about.get(TABLE)
        controls.code.text = code_html(self.shown, self.history.now, self.aggregate, controls.model.value, source)
        controls.bookmark.value = self._bookmark().to_text()
        if self.live:
            self.advice.look()
            self.queries.look()

    def describe(self) -> None:
        """Tell the query and its total."""
        if self.model is None:
            return
        query = self.history.now if self.previewed is None else self.previewed
        total = total_of(self.shown, query, self.aggregate, self.exact)
        words = aggregate_words(self.model.schema, self.aggregate)
        by = "exact (zoomed)" if self.zoom.rows is not None else "exact" if self.exact else "model"
        self.controls.text.text = describe(
            sentence(self.shown.schema, query), total, words, by, self.previewed is not None, self.advice.total
        )

    @shown_in_page
    def preview(self, query: Query | None) -> None:
        """Show a query while the pointer is on it; None goes back."""
        query = None if query is None else self.zoom.fine(query)
        if self.boards is None or query == self.previewed:
            return
        self.previewed = query
        self.boards.show(query)
        self.describe()

    def rebin(self) -> None:
        """Show the bins that are zoomed into; the history is in them already."""
        if self.boards is None:
            return
        self.previewed, self._following = None, True  # follows once, below
        self.brush.replace(self.history.now)
        self.boards.zoom(self.shown, self.zoom.windows, self.exact_views)
        self._follow()

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
        controls.model.on_change("value", lambda name, old, new: self._choose(new))
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
        self.draw(self.history.now)

    @shown_in_page
    def _show_source(self) -> None:
        if self.boards is None or self.controls.source.active is None:
            return
        if self.boards.exact != (frozenset(self.shown.schema.names) if self.exact else frozenset()):
            self.boards.ask(self.exact)
        self.preview(None)
        self._follow()

    @shown_in_page
    def _turn_view(self, view: str, exact: bool) -> None:
        """A view's own switch was turned; the page's follows, and shows neither where views differ."""
        if self.boards is None or self.model is None or (view in self.boards.exact) == exact:
            return
        self.boards.turn(view, exact)
        self._mix(self.boards.exact)
        self._follow()

    def _mix(self, exact: frozenset[str]) -> None:
        """The exact cube answers in some views, perhaps none or all."""
        self._some = exact
        every = self.model is not None and len(exact) == len(self.model.schema)
        self.controls.source.active = 1 if every else None if exact else 0

    @shown_in_page
    def _asked(self, view: str, bin: int, value: float, add: bool) -> None:
        if self.zoom.is_finer(view):
            self.advice.drop_wanted()
            self._show()
            self.tell("The model knows no bins this fine: zoom out, or drag a bar of another view")
        else:
            self.advice.ask(view, bin, value, add)

    def _want_total(self, value: float | None = None, text: str = "", add: bool = False) -> None:
        """A total was dragged to a value, or typed."""
        if self.model is None:
            return
        self.tell()
        if value is None:
            _, unit = aggregate_words(self.model.schema, self.aggregate)
            value = typed_number(text, unit, 0.0 if self.aggregate == "count" else -math.inf)
        self.advice.ask_total(float(value), add)

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
        elif word == "zoom":
            self.zoom.out() if argument == "out" else self.zoom.into()
        elif word == "tab":
            self.queries.show(argument == "queries")
        elif word == "want":
            self._want_total(**argument)
        elif word == "drop":
            self.advice.drop(*argument)
        elif word in ("apply", "preview"):
            query = {**self.advice.items, **self.queries.items}.get(argument or "")
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
        exact = self.exact_views
        views = exact if isinstance(exact, bool) else tuple(sorted(exact))
        return Bookmark(self.query, None if first else self.aggregate, views, name if several else None)

    def _go_exact(self, exact: bool | tuple[str, ...]) -> None:
        if isinstance(exact, bool):
            self.controls.source.active = int(exact)
        elif self.boards is not None and self.model is not None:
            self.boards.ask(frozenset(self.model.schema[name].name for name in exact))
            self._mix(self.boards.exact)

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
            self._go_exact(mark.exact)
        self.go(query)
        self.controls.aggregate.value = str(self.model.aggregates.index(aggregate))


def _label(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title
