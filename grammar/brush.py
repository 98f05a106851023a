"""Streams of a cube's views: what is brushed in all of them, and which answers the user asks for.

A brush is kept as a query's filters: by attribute a half-open range of bins, a set of labels, or a mask. What a brush
looks like on a plot, bins side by side, is turned into that and back here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import param
from holoviews.streams import Stream

MANY = 6  # labels a sentence spells out


class Brush(Stream):
    """The filters of all linked views, as one query. Callbacks get `filters`, a dict by attribute.

    A filter is what `kernels.cube.Query` takes: a tuple is a half-open range of bins, (x0, x1, y0, y1) in space; a set
    holds labels or values; a boolean array is a mask.
    """

    filters = param.Dict(default={}, doc="By attribute: a range of bins, a frozenset of labels, or a boolean mask.")

    def __init__(self, **params: Any) -> None:
        super().__init__(**{**params, "filters": _query(params.get("filters") or {}).filters})

    @property
    def query(self) -> Any:
        """The filters as a `kernels.cube.Query`."""
        return _query(self.filters)

    @property
    def hashkey(self) -> dict[str, Any]:
        """What DynamicMaps tell brushes apart by."""
        return {"query": hash(self.query)}

    def set(self, name: str, value: Any) -> None:
        """Filter one attribute, or stop filtering it (None); says nothing where nothing changes.

        Raises
        ------
        TypeError
            If it is no filter.
        """
        self.replace({**self.filters, name: value})

    def clear(self, name: str | None = None) -> None:
        """Stop filtering one attribute, or all; says nothing where nothing changes."""
        self.replace({} if name is None else {**self.filters, name: None})

    def replace(self, filters: Any) -> None:
        """Take all filters at once, from a dict or a query: for undo, bookmarks and suggestions."""
        query = _query(getattr(filters, "filters", filters))
        if query != self.query:
            self.event(filters=query.filters)

    def expression(self, schema: Any) -> Any:
        """The filters as a HoloViews expression about columns of rows, or None: ``dataset.select(expression)``.

        Parameters
        ----------
        schema : kernels.cube.Schema

        Raises
        ------
        LookupError, ValueError, TypeError
            If a filter does not fit the schema.
        """
        from .cube_expressions import expression_of

        return expression_of(self.filters, schema)

    def take(self, expression: Any, schema: Any) -> None:
        """Brush what a HoloViews expression selects, all bins that it touches: the other way round.

        Raises
        ------
        LookupError, ValueError
            If it is about something that no attribute of the schema can tell.
        """
        from .cube_expressions import filters_of

        self.replace(filters_of(expression, schema))

    def words(self, schema: Any) -> str:
        """The brush as one sentence."""
        if not self.filters:
            return "Everything."
        parts = [words_of(schema[name], held) for name, held in self.filters.items()]
        return "Where " + "; ".join(parts) + "."


class Target(Stream):
    """The answer the user asks for, by dragging a bar or a cell: callbacks get `view`, `bin`, `value` and `add`."""

    view = param.String(default="", doc="The attribute whose bar or cell was dragged; empty before that.")
    bin = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Which bin.")
    value = param.Number(default=None, allow_None=True, doc="The wanted answer, in units of the aggregate.")
    add = param.Boolean(default=False, doc="Whether answers asked for before are still wanted, too.")

    def ask(self, view: str, bin: int, value: float, add: bool = False) -> None:
        """Report a wanted answer."""
        self.event(view=view, bin=bin, value=value, add=add)


def _query(filters: dict[str, Any]) -> Any:
    from ..kernels.cube.query import Query  # the kernels compile: not before they are needed

    return Query(**filters)


def filter_of(bins: Iterable[int], count: int, ordered: bool = True, labels: Any = None, missing: bool = False) -> Any:
    """The filter that selects these bins of an attribute in a row, in the most telling form.

    None where none or all are selected; a range where they are neighbours and the order means something; a set of
    labels for categories; else a mask.

    Parameters
    ----------
    bins : whole numbers; others than 0 to count - 1 are left out
    count : int
        Bins of the attribute, the one for missing values included.
    labels : sequence of str, optional
        One per bin.
    missing : bool
        Whether the last bin is that of missing values.
    """
    places = sorted({int(i) for i in bins if 0 <= i < count})
    if not places or len(places) == count:
        return None
    if not ordered and labels is not None:
        return frozenset(str(labels[i]) for i in places)
    if ordered and places[-1] - places[0] + 1 == len(places) and places[0] < count - missing:
        return (places[0], places[-1] + 1)
    mask = np.zeros(count, bool)
    mask[places] = True
    return mask


def cells_filter(x: Any, y: Any, shape: tuple[int, int], centres: tuple[np.ndarray, np.ndarray], bins: int) -> Any:
    """The filter of a box or lasso on a map of nx x ny cells; None for no brush, and for all cells.

    Parameters
    ----------
    x, y : sequences
        Of a box: first and past-the-last cell of each axis. Of a lasso, from three points on: its corners, in the
        coordinates of `centres`. Empty: no brush.
    shape : (nx, ny)
    centres : (nx * ny,), (nx * ny,) arrays
    bins : int
        nx * ny, and one more where there is a bin for missing places.
    """
    if not len(x):
        return None
    if len(x) == 2:
        box = (int(x[0]), int(x[1]), int(y[0]), int(y[1]))
        return None if box == (0, shape[0], 0, shape[1]) else box
    mask = np.zeros(bins, bool)
    mask[: shape[0] * shape[1]] = inside(np.asarray(x, float), np.asarray(y, float), *centres)
    return mask if mask.any() else None


def inside(x: np.ndarray, y: np.ndarray, px: np.ndarray, py: np.ndarray) -> np.ndarray:
    """Which points (n,) lie inside a polygon (m,): an odd number of its edges is to their right."""
    x1, y1 = np.roll(x, -1), np.roll(y, -1)
    within = np.zeros(len(px), bool)
    for xa, ya, xb, yb in zip(x, y, x1, y1, strict=True):
        if ya == yb:
            continue
        crosses = (ya > py) != (yb > py)
        within ^= crosses & (px < xa + (py - ya) * (xb - xa) / (yb - ya))
    return within


def words_of(attribute: Any, held: Any) -> str:
    """One filter in words."""
    title = attribute.title
    if len(attribute.shape) == 2:
        return f"{title} {_place_words(attribute, held)}"
    mask, labels = attribute.mask(held), attribute.labels()
    runs = _runs(mask, labels, attribute.ordered)
    unit = f" {attribute.unit}" if attribute.unit else ""
    if not runs:
        return f"{title} is nothing"
    if len(runs) > MANY:
        return f"{title} is one of {int(mask.sum())} of {len(mask)}{unit}"
    return f"{title} is {_either(runs)}{unit}"


def _runs(mask: np.ndarray, labels: list[str], ordered: bool) -> list[str]:
    places = np.flatnonzero(mask)
    if not ordered:
        return [labels[i] for i in places]
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    ends = [(int(run[0]), int(run[-1])) for run in np.split(places, breaks) if len(run)]
    return [labels[a] if a == b else _span(labels[a], labels[b]) for a, b in ends]


def _span(first: str, last: str) -> str:
    """ "-5 to 12" from "-5 to 2" and "8 to 12"; "Jan to Mar" from "Jan" and "Mar"."""
    if last == "missing":
        return f"{first.split(' to ')[0]} or more, or missing"
    low, high = first.split(" to ")[0], last.split(" to ")[-1]
    if high.startswith("from "):
        return f"{low} or more"
    return f"{low} to {high}".replace("below ", "") if not low.startswith("below ") else f"below {high}"


def _place_words(attribute: Any, held: Any) -> str:
    mask = attribute.mask(held)
    if isinstance(held, tuple):
        from ..kernels.cube.numeric import short_numbers

        x, y = short_numbers(attribute.x_edges), short_numbers(attribute.y_edges)
        a, b, c, d = held
        return f"in {attribute.columns[0]} {x[a]} to {x[b]}, {attribute.columns[1]} {y[c]} to {y[d]}"
    return f"in {int(mask.sum()):,} of {len(mask):,} cells"


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]
