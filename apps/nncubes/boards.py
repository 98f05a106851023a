"""Where the views of a model stand in the page: a map large, all others beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Set
from functools import partial
from html import escape
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import Spacer, Toggle
from bokeh.models.dom import HTML

from learnviews.apps.nncubes.card import share
from learnviews.apps.nncubes.shelf import aggregate_words
from learnviews.apps.nncubes.suggestions import Wanted
from learnviews.grammar.brush import Brush, Target
from learnviews.grammar.cube_board import CubeBoard
from learnviews.grammar.serve import Session
from learnviews.kernels.cube import Model, Query, Schema

COLUMNS = 2
SWITCH_STYLE = """
:host { position: absolute; top: 4px; right: 2px; z-index: 3; }
.bk-btn { font-size: 10.5px; line-height: 15px; padding: 0 5px; border: 1px solid #b9c6c1; background: #fff;
          color: #33454f; }
.bk-btn.bk-active { background: #08306B; border-color: #08306B; color: #fff; } .bk-btn[disabled] { opacity: 0.45; }
.bk-btn:focus-visible { outline: 2px solid #0072B2; }
"""
UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"
NO_EXACT = "The rows are not at hand: only the model can answer"
ASK_ROWS, ASK_MODEL = "Let the rows answer in this view", "Let the model answer in this view"


def arrange(schema: Schema) -> tuple[str, list[list[str]]]:
    """The view that stands large, a map where there is one, and the rows of the others."""
    maps = [each.name for each in schema if len(each.shape) == 2]
    large = maps[0] if maps else max(schema, key=lambda each: each.bins).name
    rest = [name for name in schema.names if name != large]
    return large, [rest[i : i + COLUMNS] for i in range(0, len(rest), COLUMNS)]


class Boards:
    """The linked views of one model and aggregate, and where they stand.

    Parameters
    ----------
    session : Session
    model : Model
    aggregate : one of the model's
    exact : bool or set of str
        Whether the exact cube answers; or in which views.
    brush, target : streams
    turned : callable, optional
        Told of a view's own switch: view, and whether the exact cube is to answer there.

    Attributes
    ----------
    exact : frozenset of str
        The views that the exact cube answers.
    """

    def __init__(
        self,
        session: Session,
        model: Model,
        aggregate: Any,
        exact: bool | Set[str],
        brush: Brush,
        target: Target,
        turned: Callable[[str, bool], None] | None = None,
    ) -> None:
        self.model, self.aggregate, self.brush = model, aggregate, brush
        self.exact = self._names(exact)
        title, unit = aggregate_words(model.schema, aggregate)
        self.board = CubeBoard(
            session,
            self._source(self._every),
            brush,
            target,
            aggregate,
            title=title,
            unit=unit,
            options={"": {"min_height": 96, "height": None, "xlabel": "", "ylabel": ""}},
        )
        self.switches = {each.name: _switch(each.name, each.title, turned) for each in model.schema}
        self._ask_some()
        self._style()

    def place(self) -> tuple[Any, Any]:
        """Bokeh models of the large view, and of all others."""
        large, rows = arrange(self.model.schema)
        figures = self.board.figures
        placed = {}
        for name, figure in figures.items():
            figure.sizing_mode = "stretch_both"
            placed[name] = column(figure, self.switches[name], sizing_mode="stretch_both")
        lines = []
        for names in rows:
            line: list[Any] = [placed[name] for name in names]
            line += [Spacer(sizing_mode="stretch_both")] * (len(rows) > 1 and len(names) < COLUMNS)
            lines.append(row(line, sizing_mode="stretch_both", spacing=4))
        return placed[large], column(lines or [Spacer()], sizing_mode="stretch_both", spacing=2)

    def ask(self, exact: bool | Set[str]) -> None:
        """Have the model or the exact cube answer; or the exact cube in these views, and the model in all others."""
        self.exact = self._names(exact)
        self.board.ask(self._source(self._every), self.aggregate)
        self._ask_some()
        self._style()

    def turn(self, view: str, exact: bool) -> None:
        """Have the model or the exact cube answer in one view."""
        self.exact = self.exact | {view} if exact else self.exact - {view}
        self._ask_in(view, exact)
        self._style()

    def show(self, query: Query | None = None) -> None:
        """Show the answers to a query at once; None: to the brush."""
        self.board.brush = self.brush if query is None else Brush(filters=query.filters)
        self.board.refresh()

    def zoom(self, model: Any, windows: dict[str, tuple[int, int]], exact: bool | Set[str]) -> None:
        """Show other bins, of a model or of rows that stand where it stands, and of some views a part only."""
        self.model, self.board.windows, self.board.brush = model, windows, self.brush
        self.ask(exact)

    def want(self, wanted: Wanted) -> None:
        """Mark answers that are asked for, but the total, in the views that have any."""
        marked: dict[str, dict[int, float]] = {}
        for (view, bin), value in wanted.items():
            if bin is not None:
                marked.setdefault(view, {})[bin] = value
        before, self.board.wanted = self.board.wanted, marked
        names = dict.fromkeys([*before, *marked])
        self.board.refresh(names=[name for name in names if before.get(name) != marked.get(name)])

    def _names(self, exact: bool | Set[str]) -> frozenset[str]:
        names = self.model.schema.names
        return frozenset(names if exact else ()) if isinstance(exact, bool) else frozenset(names) & exact

    @property
    def _every(self) -> bool:
        """Whether the exact cube answers everywhere."""
        return len(self.exact) == len(self.model.schema)

    def _ask_some(self) -> None:
        for name in () if self._every else self.exact:
            self._ask_in(name, True)

    def _ask_in(self, view: str, exact: bool) -> None:
        self.board.ask(self._source(exact), self.aggregate, view=view)
        one: dict[int, Any] = {}  # views of one source share its answers: each brush is asked for once
        for name, asker in self.board.askers.items():
            self.board.askers[name] = one.setdefault(id(asker.source), asker)

    def _source(self, exact: bool) -> Any:
        return self.model.exact if exact and self.model.exact is not None else self.model

    @property
    def zoomed(self) -> bool:
        """Whether the rows answer in finer bins than the model has."""
        return getattr(self.model, "zoomed", False)

    def _style(self) -> None:
        errors = self.model.errors[self.aggregate].views
        for name, plot in self.board.plots.items():
            error, exact, switch = errors[name], name in self.exact, self.switches[name]
            title = NO_EXACT if self.model.exact is None else ASK_MODEL if exact else ASK_ROWS
            fixed = self.model.exact is None
            switch.update(active=exact, disabled=fixed, html_attributes={"title": title})
            switch.styles = {"display": "none"} if self.zoomed else {}  # `visible` would have the page laid out anew
            how = f"error {share(error)}" if math.isfinite(error) else "error unknown"
            how = how if not exact else "exact (zoomed)" if self.zoomed else "exact"
            figure = plot.state
            attribute = self.model.schema[name]
            unit = f" ({attribute.unit})" if attribute.unit and len(attribute.shape) == 1 else ""
            figure.title.text = f"{attribute.title}{unit} · {how}"
            figure.title.update(text_font_size="12px", text_color="#33454f", text_font_style="normal", offset=-24)


def _switch(name: str, title: str, turned: Callable[[str, bool], None] | None) -> Toggle:
    """The switch at a view's title; who does not see where it stands is told."""
    label = HTML(html=f'exact<span style="{UNSEEN}"> answers by {escape(title)}</span>')
    switch = Toggle(label=label, name=f"exact:{name}", margin=0, stylesheets=[SWITCH_STYLE])
    if turned is not None:
        switch.on_change("active", partial(_tell, turned, name))
    return switch


def _tell(turned: Callable[[str, bool], None], name: str, attr: str, old: bool, new: bool) -> None:
    turned(name, new)
