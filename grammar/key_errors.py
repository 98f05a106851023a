"""Element for how well users, or items, are known: their error by how many ratings there were to learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import param
from holoviews.core import Dimension, Element2D

from .dimensions import default_dimensions
from .row_index import id_array
from .row_linked import RowLinked, rows_of_split


class KeyErrors(RowLinked, Element2D):
    """A dot per key (a user, an item): its mean absolute error over its rows, by the ratings a model learned from.

    Parameters
    ----------
    data : table of (ratings, error, rows, key)
        Ratings of the key that were learned from; mean absolute error; rows it is of; name.
    ids, marks : arrays, optional
        Ids of the rows, and the key each is of.
    what : str
        What the keys are, such as the name of their column.
    most : float, optional
        Error that the axis has room for at least: the same for several models puts them on one scale.
    selection : RowSelection, optional
        Pointing at a dot lights its key's rows, clicking keeps them.

    Raises
    ------
    ValueError
        If numbers are negative, or ids and marks do not fit.
    """

    group = param.String(default="KeyErrors", constant=True)

    kdims = param.List(default=[Dimension("ratings")], item_type=Dimension, bounds=(1, 1), doc="Learned from.")

    vdims = param.List(
        default=[Dimension(("error", "mean absolute error")), Dimension("rows"), Dimension("key")],
        item_type=Dimension,
        bounds=(3, None),
        doc="Mean absolute error, rows it is of, name of the key.",
    )

    what: Any = param.String(default="key", doc="What the keys are.")
    most: Any = param.Number(default=0.0, bounds=(0, None), doc="Error the axis has room for at least.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        self.check_rows(len(self))
        if len(self) and (self.dimension_values(0).min() < 0 or self.dimension_values(1).min() < 0):
            raise ValueError("expected counts of ratings and mean absolute errors, none below 0")

    @classmethod
    def from_values(cls, keys: Any, errors: Any, learned: Any, ids: Any = None, **params: Any) -> KeyErrors:
        """Of the error of each row.

        Parameters
        ----------
        keys : sequence
            Of each row its user, or item; rows without one are left out.
        errors : array of numbers
            Prediction - truth of each row; rows where it is missing are left out.
        learned : sequence
            Users, or items, of the ratings that were learned from, one per rating.
        ids : sequence, optional
            Of the rows; by default positions.

        Raises
        ------
        ValueError
            If there is not a key, an error and an id per row.
        """
        import pandas as pd

        keys, errors = pd.Series(list(keys), dtype=object), np.asarray(errors, dtype=float)
        ids = id_array(np.arange(len(keys)) if ids is None else ids)
        if not len(keys) == len(errors) == len(ids):
            raise ValueError(f"expected a key, an error and an id per row: {len(keys)}, {len(errors)}, {len(ids)}")
        known = keys.notna().to_numpy() & np.isfinite(errors)
        codes, names = pd.factorize(keys[known])
        rows = np.bincount(codes, minlength=len(names))
        error = np.bincount(codes, np.abs(errors[known]), len(names)) / np.maximum(rows, 1)
        counts = pd.Series(list(learned), dtype=object).value_counts().reindex(names).fillna(0)
        table = {"ratings": counts.to_numpy(float), "error": error, "rows": rows}
        table |= {"key": np.array([str(each) for each in names], dtype=object)}
        return cls(table, datatype=["dictionary"], **({"ids": ids[known], "marks": codes} | params))

    @classmethod
    def from_model(cls, model: Any, key: str | None = None, split: str = "holdout", **params: Any) -> KeyErrors:
        """Of a `kernels.search.Model` of collaborative filtering.

        Parameters
        ----------
        key : str, optional
            One of the problem's two keys; by default the first.

        Raises
        ------
        ValueError
            If there is no such key, or there are no rows of that split.
        """
        there = tuple(model.problem.keys or ())
        key = key or next(iter(there), None)
        if key not in there:
            raise ValueError(f"{model.name}: no key {key!r}; expected one of {', '.join(there) or 'two keys'}")
        rows, frame = rows_of_split(model, split), model.predictions
        names = model.data.frame[key]
        errors = rows["prediction"].to_numpy(float) - rows["truth"].to_numpy(float)
        learned = names.loc[frame.index[frame["split"] == "train"]].dropna()
        told = {"label": model.name, "what": key}
        return cls.from_values(names.loc[rows.index], errors, learned, rows.index, **(told | params))
