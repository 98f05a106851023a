"""What elements of rows have in common: which rows each of their marks stands for, and whom to tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dataset

from .pipeline import unrecorded
from .streams import RowSelection


class RowLinked(Dataset):
    """Base of elements whose marks (bars, cells, points) stand for rows of a table.

    `ids` and `marks` go together: row `ids[i]` is part of mark `marks[i]`, the number of a row of the element's own
    table; -1 where a row is in none.

    What follows the pointer is `unrecorded`: HoloViews' notes on a method take ten times as long as the method itself.
    """

    ids: Any = param.Array(default=np.zeros(0, dtype=object), doc="Ids of the rows behind the element.")
    marks: Any = param.Array(default=np.zeros(0, dtype=np.int64), doc="Of each row, the mark it is part of; -1: none.")
    selection: Any = param.ClassSelector(
        class_=RowSelection, default=None, allow_None=True, doc="Links this element to others of the same rows."
    )

    def check_rows(self, marks: int) -> None:
        """Complain where ids and marks do not fit `marks` marks."""
        if len(self.ids) != len(self.marks):
            raise ValueError(f"expected a mark per row id, {len(self.ids)}, got {len(self.marks)}")
        if len(self.marks) and not (self.marks.min() >= -1 and self.marks.max() < marks):
            raise ValueError(f"expected marks from -1 to {marks - 1}, got {self.marks.min()} to {self.marks.max()}")

    @unrecorded
    def dimension_values(self, dimension: Any, expanded: bool = True, flat: bool = True) -> np.ndarray:
        """Values along a dimension, as of every element; looked up once, as an element's table never changes."""
        known = self.__dict__.setdefault("_looked_up", {})
        key = getattr(dimension, "name", dimension), expanded, flat
        if key not in known or known[key][0] is not self.data:
            known[key] = self.data, super().dimension_values(dimension, expanded, flat)
        return known[key][1]

    @unrecorded
    def rows_of(self, marks: Iterable[int]) -> np.ndarray:
        """Ids of the rows behind some marks."""
        return self.ids[np.isin(self.marks, list(marks))]

    @unrecorded
    def mask_of(self, ids: Iterable[Any]) -> np.ndarray:
        """Which of this element's rows are among `ids` and part of a mark. (rows,) bool"""
        wanted = np.asarray(ids, dtype=object)
        there = np.zeros(len(self.ids), dtype=bool)
        if not (len(there) and len(wanted)):
            return there
        if not self._index.is_unique:
            return self._index.isin(wanted) & (self.marks >= 0)
        found = self._index.get_indexer(pd.Index(wanted))  # in time that grows with those asked for, not with all
        there[found[found >= 0]] = True
        return there & (self.marks >= 0)

    @cached_property
    def _index(self) -> pd.Index:
        """The ids, hashed once: selections are looked up at every move of the pointer."""
        return pd.Index(self.ids, dtype=object)

    @unrecorded
    def counts_of(self, there: np.ndarray) -> np.ndarray:
        """How many rows of a mask of `mask_of` are in each mark. (marks,) int"""
        return np.bincount(self.marks[there], minlength=len(self))


def row_ids(ids: Any, truth: Any, prediction: Any) -> np.ndarray:
    """Ids of rows: `ids`, else the index of `truth` where it has one, else positions; one per row.

    Raises
    ------
    ValueError
        If there is not one prediction and one id per row.
    """
    if ids is None:
        ids = truth.index if isinstance(truth, pd.Series) else np.arange(len(truth))
    found = pd.Index(list(ids), dtype=object).to_numpy()
    if not len(truth) == len(prediction) == len(found):
        raise ValueError(
            f"expected a prediction and an id per row, got {len(truth)}, {len(prediction)} and {len(found)}"
        )
    return found


def rows_of_split(model: Any, split: str) -> pd.DataFrame:
    """The prediction frame of a `kernels.search.Model`, rows of one split only.

    Raises
    ------
    ValueError
        If there are none.
    """
    frame = model.predictions
    rows = frame[frame["split"] == split]
    if not len(rows):
        raise ValueError(f"{model.name}: no rows of split {split!r}; there are {', '.join(set(frame['split']))}")
    return rows


def names_of(models: Sequence[Any]) -> list[str]:
    """Names of models; where several have the same one, with their numbers."""
    names = [model.name for model in models]
    return [f"{model.name} ({model.number})" if names.count(model.name) > 1 else model.name for model in models]
