"""A cube's brush and HoloViews' linked selections, kept alike: cube views answer to a user's own elements, and they
to cube views.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import param
from holoviews.streams import Stream

from .brush import Brush


class BrushSelection(Stream):
    """What is brushed in cube views, as one more element that selects."""

    selection_expr: Any = param.Parameter(default=None, doc="As of HoloViews' own selections.")


class BrushLink:
    """What `link_brush` gives: the link of a brush and of selections, until `unlink`.

    The brush is always what all selections leave. A filter that came from a user's element and is then changed in a
    cube's view is the view's own: selections in the elements are taken back.
    """

    def __init__(self, brush: Brush, selections: Any, schema: Any) -> None:
        self.brush, self.selections, self.schema = brush, selections, schema
        self._brushed_here = BrushSelection(selection_expr=brush.expression(schema))
        self._known = dict(brush.filters)
        self._theirs: set[str] = set()  # attributes that are selected in users' elements
        self._busy = False
        # HoloViews has no public way to add a selection that no element makes.
        selections._cross_filter_stream.append_input_stream(self._brushed_here)
        if brush.filters:
            self._brushed_here.event()
        brush.add_subscriber(self._brushed)
        self._watcher = selections.param.watch(self._selected, "selection_expr")

    def unlink(self) -> None:
        """Leave both alone from now on."""
        self._busy = True
        self.selections.param.unwatch(self._watcher)
        self._brushed_here.event(selection_expr=None)

    def _brushed(self, **_: Any) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._select(self.brush.filters)
        finally:
            self._busy = False

    def _select(self, filters: dict[str, Any]) -> None:
        from .cube_expressions import expression_of

        schema = self.schema
        expression_of(filters, schema)  # says what does not fit
        before, now = ({n: tuple(schema[n].mask(h)) for n, h in each.items()} for each in (self._known, filters))
        if any(before.get(name) != now.get(name) for name in self._theirs):
            self._theirs = set()
            for stream in list(self.selections._selection_expr_streams.values()):
                stream.reset()
                stream.event()
        self._known = dict(filters)
        own = {name: held for name, held in filters.items() if name not in self._theirs}
        self._brushed_here.event(selection_expr=expression_of(own, schema))

    def _selected(self, event: Any) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            self._take(event.new)
        finally:
            self._busy = False

    def _take(self, expression: Any) -> None:
        from .cube_expressions import conjuncts, filters_of

        streams = self.selections._selection_expr_streams.values()
        if all(stream.selection_expr is None for stream in streams):  # set by hand: as if it came from here
            self._brushed_here.update(selection_expr=expression)
        own = {repr(part) for part in conjuncts(self._brushed_here.selection_expr)}
        parts = [part for part in conjuncts(expression) if repr(part) not in own]
        theirs = filters_of(functools.reduce(operator.and_, parts), self.schema) if parts else {}
        self._theirs = set(theirs)
        self._known = filters_of(expression, self.schema)
        self.brush.replace(self._known)


def link_brush(brush: Brush, selections: Any, schema: Any) -> BrushLink:
    """Link a cube's views with elements of your own, through HoloViews' ``link_selections``.

    What is brushed in a cube's view is selected in your elements, which must know the columns that the schema reads;
    what is selected in them, with a box for instance, is brushed in the cube's views: all bins that it touches.

    Parameters
    ----------
    brush : Brush
        The one of the cube's views.
    selections : holoviews.link_selections instance
    schema : kernels.cube.Schema

    Returns
    -------
    BrushLink
        Its method `unlink` ends the link.

    Raises
    ------
    LookupError, ValueError
        If the brush does not fit the schema; and when something is selected that no attribute can tell.

    Notes
    -----
    Lassos on elements of HoloViews' own need shapely or spatialpandas.

    Examples
    --------
    >>> brush, linked = lv.Brush(), hv.link_selections.instance()
    >>> link = lv.link_brush(brush, linked, model.schema)
    >>> lv.cube_views(model, brush) + linked(hv.Points(flights, ["lon", "lat"]))

    Without ``link_selections``, any element that follows the brush:

    >>> rows = hv.Dataset(flights)
    >>> def delays(filters):
    ...     return hv.operation.histogram(rows.select(brush.expression(model.schema)), dimension="delay")
    >>> lv.cube_views(model, brush) + hv.DynamicMap(delays, streams=[brush])
    """
    return BrushLink(brush, selections, schema)
