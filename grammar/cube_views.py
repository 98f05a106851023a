"""The linked views of a cube, as one HoloViews object: brush any of them and all others answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import holoviews as hv
import numpy as np

from .brush import Brush, Target
from .cube_bars import CubeBars
from .cube_map import CubeMap

KEPT = 16  # queries whose answers are kept: every view asks for the same


class Answer(NamedTuple):
    """All views of one query: (bins,) by attribute; `interval` is None where there is none."""

    views: dict[str, np.ndarray]
    interval: dict[str, tuple[np.ndarray, np.ndarray]] | None


class Asker:
    """Answers of a model or an exact cube to brushes, each asked for once.

    Parameters
    ----------
    source : kernels.cube.Model or ExactCube
        With `schema` and `views(query, aggregate)`, and if there `interval(query, aggregate)`.
    aggregate : optional
        As the source takes it; default: its first, or "count".
    intervals : bool
        Whether to ask for intervals, where the source knows them.
    """

    def __init__(self, source: Any, aggregate: Any = None, intervals: bool = True) -> None:
        self.source, self.schema = source, source.schema
        first = getattr(source, "aggregates", ("count",))[0]
        self.aggregate = first if aggregate is None else aggregate
        self.intervals = intervals and hasattr(source, "interval")
        self._kept: OrderedDict[Any, Answer] = OrderedDict()
        self.total = self(Brush().query).views

    def __call__(self, query: Any) -> Answer:
        """The answer to a query."""
        found = self._kept.get(query)
        if found is None:
            views = self.source.views(query, self.aggregate)
            interval = self.source.interval(query, self.aggregate) if self.intervals else None
            found = self._kept[query] = Answer(views, interval)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def element(self, name: str, query: Any, **params: Any) -> CubeBars | CubeMap:
        """One attribute's view."""
        attribute, answer = self.schema[name], self(query)
        element = CubeMap if len(attribute.shape) == 2 else CubeBars
        interval = answer.interval[name] if answer.interval else None
        held = query.filters.get(name)
        return element.from_view(
            attribute, answer.views[name], self.total[name], interval, held, self.aggregate, **params
        )


def cube_views(
    source: Any,
    brush: Brush | None = None,
    aggregate: Any = None,
    intervals: bool = True,
    target: Target | None = None,
    columns: int = 3,
    **params: Any,
) -> hv.Layout:
    """All views of a cube, linked: brush one by dragging, clicking or with a lasso, and the others answer.

    Drag along a histogram for a range, and move or resize it by its ends; click bars for single ones, with shift or
    ctrl for several; double click or press Escape to clear a view. A view ignores its own brush.

    Parameters
    ----------
    source : kernels.cube.Model or ExactCube
    brush : Brush, optional
        To drive the views from elsewhere, or watch them; one is made by default. HoloViews elements of your own follow
        it too: ``hv.DynamicMap(lambda filters: ..., streams=[brush])``.
    aggregate : optional
        One that the source answers; default: its first, or "count".
    intervals : bool
        Whether to draw the intervals that a model knows.
    target : Target, optional
        What dragging the top of a bar, or with Alt or Ctrl a cell of a map, reports to; without one, neither moves.
    columns : int
        Of the layout.
    **params
        Of the elements, such as `title` and `unit` of the answers.

    Raises
    ------
    LookupError, ValueError, TypeError
        If the source does not answer the aggregate, or the brush does not fit its schema.

    Notes
    -----
    In a notebook views answer through ``pyviz_comms``, which comes with HoloViews and must be installed where Jupyter
    is; ``lv.extension("bokeh", inline=True)`` needs no network. In a page of ``panel serve``,
    ``pn.panel(lv.cube_views(model)).servable()``. See `link_brush` for elements of your own beside these.
    """
    brush = Brush() if brush is None else brush
    ask = Asker(source, aggregate, intervals)
    source.schema.mask(brush.query)  # says what does not fit

    def view(name: str) -> Callable[..., Any]:
        def shown(filters: dict[str, Any]) -> Any:
            extra = {} if target is None else {"target": target}
            return ask.element(name, Brush(filters=filters).query, brush=brush, **extra, **params)

        return shown

    maps = [hv.DynamicMap(view(name), streams=[brush]) for name in source.schema.names]
    return hv.Layout(maps).cols(columns).opts(hv.opts.Layout(shared_axes=False))
