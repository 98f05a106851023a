"""Where the views of a model stand in the page: a map large, all others beside it."""

from __future__ import annotations

import math
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import Spacer

from learnviews.apps.nncubes.card import share
from learnviews.apps.nncubes.shelf import aggregate_words
from learnviews.grammar.brush import Brush, Target
from learnviews.grammar.cube_board import CubeBoard
from learnviews.grammar.serve import Session
from learnviews.kernels.cube import Model, Query, Schema

COLUMNS = 2


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
    exact : bool
        Whether the exact cube answers.
    brush, target : streams
    """

    def __init__(
        self, session: Session, model: Model, aggregate: Any, exact: bool, brush: Brush, target: Target
    ) -> None:
        self.model, self.aggregate, self.brush = model, aggregate, brush
        title, unit = aggregate_words(model.schema, aggregate)
        self.board = CubeBoard(
            session,
            self._source(exact),
            brush,
            target,
            aggregate,
            title=title,
            unit=unit,
            options={"": {"min_height": 96, "height": None, "xlabel": "", "ylabel": ""}},
        )
        self._style(exact)

    def place(self) -> tuple[Any, Any]:
        """Bokeh models of the large view, and of all others."""
        large, rows = arrange(self.model.schema)
        figures = self.board.figures
        for figure in figures.values():
            figure.sizing_mode = "stretch_both"
        lines = []
        for names in rows:
            line = [figures[name] for name in names]
            line += [Spacer(sizing_mode="stretch_both")] * (len(rows) > 1 and len(names) < COLUMNS)
            lines.append(row(line, sizing_mode="stretch_both", spacing=4))
        return figures[large], column(lines or [Spacer()], sizing_mode="stretch_both", spacing=2)

    def ask(self, exact: bool) -> None:
        """Have the model or the exact cube answer."""
        self.board.ask(self._source(exact), self.aggregate)
        self._style(exact)

    def show(self, query: Query | None = None) -> None:
        """Show the answers to a query at once; None: to the brush."""
        self.board.brush = self.brush if query is None else Brush(filters=query.filters)
        self.board.refresh()

    def want(self, wanted: dict[str, dict[int, float]]) -> None:
        """Mark answers that are asked for."""
        self.board.wanted = wanted

    def _source(self, exact: bool) -> Any:
        return self.model.exact if exact and self.model.exact is not None else self.model

    def _style(self, exact: bool) -> None:
        errors = self.model.errors[self.aggregate].views
        for name, plot in self.board.plots.items():
            error = errors[name]
            how = "exact" if exact else f"error {share(error)}" if math.isfinite(error) else "error unknown"
            figure = plot.state
            attribute = self.model.schema[name]
            unit = f" ({attribute.unit})" if attribute.unit and len(attribute.shape) == 1 else ""
            figure.title.text = f"{attribute.title}{unit}  ·  {how}"
            figure.title.update(text_font_size="12px", text_color="#33454f", text_font_style="normal")
