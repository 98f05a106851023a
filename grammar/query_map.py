"""Element for a map of queries: selections of one attribute, near each other where their answers are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import param
from holoviews.core import Dataset, Dimension, Element2D
from holoviews.streams import Stream

from .brush import words_of
from .cube_answers import answer_dimension
from .dimensions import default_dimensions


class QueryChoice(Stream):
    """Which points of a query map are chosen: `chosen` by tapping or with a lasso, `previewed` under the pointer."""

    chosen: Any = param.List(default=[], doc="Rows of the element.")
    previewed = param.Integer(default=None, bounds=(0, None), allow_None=True, doc="Row under the pointer, or None.")

    def choose(self, rows: Sequence[int]) -> None:
        """Choose some; says nothing where nothing changes."""
        if list(rows) != self.chosen:
            self.event(chosen=[int(row) for row in rows])

    def preview(self, row: int | None) -> None:
        """Point at one, or none; says nothing where nothing changes."""
        if row != self.previewed:
            self.event(previewed=row)


class QueryMap(Dataset, Element2D):
    """One point per selection of an attribute's bins.

    Parameters
    ----------
    data : table of (x, y, value, label, bins)
        Positions, the aggregate under the selection, what it is in words, and how many bins it takes.
    filters : list, optional
        The selections, as a query holds them, one per row.
    attribute : str
        Its name.
    choice : QueryChoice, optional
        What tapping, lassoing and pointing report to.

    Raises
    ------
    ValueError
        If positions or values are infinite, or there is not one filter per row.
    """

    group = param.String(default="QueryMap", constant=True)

    kdims = param.List(default=[Dimension("x"), Dimension("y")], item_type=Dimension, bounds=(2, 2), doc="Position.")

    vdims = param.List(
        default=[Dimension("value"), Dimension("label"), Dimension("bins")],
        item_type=Dimension,
        bounds=(1, None),
        doc="Value, label, number of bins.",
    )

    filters: Any = param.List(default=[], doc="The selections, one per row.")
    attribute = param.String(default="", doc="Name of the attribute.")
    choice: Any = param.ClassSelector(
        class_=QueryChoice, default=None, allow_None=True, doc="What pointing reports to."
    )

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        if len(self):
            for dimension in self.dimensions()[:3]:
                values = self.dimension_values(dimension)
                if values.dtype.kind not in "fiu" or np.isinf(values).any():
                    raise ValueError(f"expected {dimension.name} as finite numbers")
            if self.filters and len(self.filters) != len(self):
                raise ValueError(f"expected a filter per row, {len(self)}, got {len(self.filters)}")

    @classmethod
    def from_model(
        cls,
        model: Any,
        attribute: str,
        selections: Sequence[Any] | None = None,
        query: Any = None,
        aggregate: Any = None,
        title: str | None = None,
        unit: str | None = None,
        **params: Any,
    ) -> QueryMap:
        """Every bin of an attribute and some of its ranges, where `model.project` puts them.

        Parameters
        ----------
        model : kernels.cube.Model
        attribute : str
        selections : list of filters, optional
            Other ones to show.
        query : Query, optional
            What the other attributes are filtered by, for the values; default: nothing.
        aggregate : optional
            Default: the model's first.
        title, unit : str, optional
            Of the value.

        Raises
        ------
        LookupError, ValueError
            If there is no such attribute, or a selection does not fit it.
        """
        one = model.schema[attribute]
        filters = default_selections(one) if selections is None else list(selections)
        places = model.project(attribute, filters, aggregate=aggregate)
        masks = np.array([one.mask(held) for held in filters]).reshape(len(filters), one.bins)
        queries = np.repeat(model.schema.masks([query] if query is not None else [_everything()]), len(filters), axis=0)
        queries[:, model.schema.slices[attribute]] = masks
        values = model.totals_many(queries, aggregate) if len(filters) else np.empty(0)
        table = {
            "x": places[:, 0],
            "y": places[:, 1],
            "value": np.asarray(values, np.float64),
            "label": np.array([words_of(one, held) for held in filters], dtype=object),
            "bins": masks.sum(1),
        }
        named = answer_dimension(model.aggregate(aggregate), title, unit)
        vdims = [Dimension(("value", named.label), unit=named.unit), Dimension("label"), Dimension("bins")]
        known = {"filters": filters, "attribute": attribute}
        return cls(table, kdims=list(cls.kdims), vdims=vdims, datatype=["dictionary"], **(known | params))


def _everything() -> Any:
    from ..kernels.cube.query import Query

    return Query()


def default_selections(attribute: Any) -> list[Any]:
    """Every bin alone, as a filter, and where ranges mean something, those of two to four."""
    labels = attribute.labels()
    if len(attribute.shape) == 2:
        nx, ny = attribute.shape
        cells = [(x, x + 1, y, y + 1) for x in range(nx) for y in range(ny)]
        half = max(1, nx // 4), max(1, ny // 4)
        boxes = [
            (x, min(x + half[0], nx), y, min(y + half[1], ny))
            for x in range(0, nx, half[0])
            for y in range(0, ny, half[1])
        ]
        return list(dict.fromkeys([*cells, *boxes]))
    if not attribute.ordered:
        return [frozenset([label]) for label in labels]
    n = attribute.size
    widths = range(2, min(n, 5))
    singles: list[Any] = [(i, i + 1) for i in range(n)]
    singles += [frozenset([labels[-1]])] if attribute.missing else []
    return singles + [(i, i + width) for width in widths for i in range(n - width + 1)]
