"""Elements of very many rows: which of them have some ids, found without a look at all others."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from .pipeline import unrecorded
from .row_linked import RowLinked


class IndexedRows(RowLinked):
    """Base of elements that keep an index of their ids; ids are distinct."""

    @cached_property
    def index(self) -> pd.Index:
        """Of the ids; positions need no table to look them up in."""
        plain = self.ids.dtype.kind in "iu" and bool((self.ids == np.arange(len(self.ids))).all())
        return pd.RangeIndex(len(self.ids)) if plain else pd.Index(self.ids)

    @unrecorded
    def positions(self, ids: Any) -> np.ndarray:
        """Positions of the rows with these ids; ids of other rows are passed over."""
        at = self.index.get_indexer(pd.Index(ids)) if len(ids) else np.zeros(0, np.int64)
        return at[at >= 0]

    @unrecorded
    def mask_of(self, ids: Iterable[Any]) -> np.ndarray:
        """Which of the rows are among `ids`. (rows,) bool"""
        there = np.zeros(len(self.ids), dtype=bool)
        there[self.positions(np.asarray(ids))] = True
        return there


def id_array(ids: Any) -> np.ndarray:
    """Ids as an array: whole numbers as they are, for speed, all else as objects."""
    found = ids if isinstance(ids, pd.Index) else pd.Index(ids)
    return found.to_numpy() if found.dtype.kind in "iu" else found.to_numpy(dtype=object)
