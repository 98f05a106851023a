"""Element for all columns of a data set at a glance: a small histogram each, and how any rows fall into all of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dimension, Element2D

from ..kernels.figures import figures
from .dimensions import default_dimensions
from .pipeline import unrecorded
from .row_index import IndexedRows, id_array

TOLD = 200_000  # rows under the pointer, at most, whose ids others hear: more of them could not follow the pointer


class ColumnHistograms(IndexedRows, Element2D):
    """A bar per column and bin: how many rows of the data set are in it.

    Marks are the bars, column by column; a row is in one bar of every column.

    Parameters
    ----------
    data : table of (column, bin, rows, share)
        Numbers of column and bin; rows in the bin; their share of all rows.
    profile : kernels.search.Profile
        The bin of every row in every column.
    ids : array
        Ids of the rows, in the profile's order.
    ends : dict
        Least and largest value of a column as text, by its name, where its bins do not tell them exactly.
    marked : list of str
        Columns to stand out, such as targets.
    selection : RowSelection, optional
        Hovering a bar lights its rows, of more than `told` rows in this element only; clicking keeps them; rows lit or
        kept elsewhere show in every histogram.

    Raises
    ------
    ValueError
        If there is not a bar per bin of the profile and an id per row of it, or a marked column is not there.
    """

    group = param.String(default="ColumnHistograms", constant=True)

    kdims = param.List(
        default=[Dimension("column"), Dimension("bin")], item_type=Dimension, bounds=(2, 2), doc="Their numbers."
    )

    vdims = param.List(
        default=[Dimension("rows"), Dimension("share")],
        item_type=Dimension,
        bounds=(2, None),
        doc="Rows, and their share of all.",
    )

    profile: Any = param.Parameter(default=None, doc="The bin of every row in every column.")
    ends: Any = param.Dict(default={}, doc="Least and largest value as text, by column.")
    marked: Any = param.List(default=[], doc="Names of columns to stand out.")
    told: Any = param.Integer(default=TOLD, bounds=(0, None), doc="Rows under the pointer whose ids others hear.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        bars = sum(len(column) for column in self.bins)
        if len(self) != bars:
            raise ValueError(f"expected a row per bin of the profile, {bars}, got {len(self)}")
        if self.profile is not None and len(self.ids) != self.profile.rows:
            raise ValueError(f"expected an id per row of the profile, {self.profile.rows}, got {len(self.ids)}")
        unknown = [name for name in self.marked if name not in {column.name for column in self.bins}]
        if unknown:
            raise ValueError(f"column {unknown[0]!r} is to be marked, but is not among those shown")

    @classmethod
    def from_profile(cls, profile: Any, ids: Any = None, **params: Any) -> ColumnHistograms:
        """Of a `kernels.search.Profile`.

        Parameters
        ----------
        ids : sequence, optional
            Of the rows; by default their positions.
        """
        table = _table(profile)
        ids = np.arange(profile.rows) if ids is None else id_array(ids)
        return cls(table, datatype=["dictionary"], **({"profile": profile, "ids": ids} | params))

    @classmethod
    def from_data(
        cls, data: Any, columns: Iterable[str] | None = None, selection: Any = None, profile: Any = None, **params: Any
    ) -> ColumnHistograms:
        """Of a data set.

        Parameters
        ----------
        data : Dataset, DataFrame, or whatever `kernels.search.load` takes
        columns : iterable of str, optional
            These only; by default all of numbers, times and labels.
        profile : kernels.search.Profile, optional
            Where it is there already, as it takes seconds of a million rows.

        Raises
        ------
        KeyError
            If a column is not there, or has nothing to be put into bins.
        """
        from ..kernels.search.data import load
        from ..kernels.search.profile import Profile

        data = load(data)
        profile = Profile(data, columns) if profile is None else profile
        ends = {bins.name: _ends(data.frame[bins.name]) for bins in profile.columns if bins.kind == "numbers"}
        known = {"ends": {name: found for name, found in ends.items() if found}, "selection": selection}
        return cls.from_profile(profile, data.frame.index, **(known | params))

    @classmethod
    def from_model(cls, model: Any, **params: Any) -> ColumnHistograms:
        """Of the data of a `kernels.search.Model` or `Study`, its targets marked."""
        found = cls.from_data(model.data, **params)
        there = {column.name for column in found.bins}
        return found.clone(marked=[name for name in model.problem.targets if name in there])

    @property
    def bins(self) -> list[Any]:
        """The bins of each column, as `kernels.search.profile.Bins`."""
        return [] if self.profile is None else self.profile.columns

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each bar: number of its column, number of its bin, its rows."""
        column, bin, rows = (self.dimension_values(i).astype(np.int64) for i in range(3))
        return column, bin, rows

    @unrecorded
    def bar(self, mark: int) -> tuple[str, int]:
        """Name of the column and number of the bin of a bar."""
        column, bin, _ = (int(values[mark]) for values in self.places)
        return self.bins[column].name, bin

    @unrecorded
    def positions_in(self, marks: Iterable[int]) -> np.ndarray:
        """Positions of the rows in any of some bars, rising."""
        found = [self.profile.rows_in(*self.bar(int(mark))) for mark in marks]
        if len(found) == 1:
            return found[0]
        there = np.zeros(len(self.ids), dtype=bool)
        for rows in found:
            there[rows] = True
        return np.flatnonzero(there)

    @unrecorded
    def rows_of(self, marks: Iterable[int]) -> np.ndarray:
        """Ids of the rows in any of some bars."""
        return self.ids[self.positions_in(marks)]

    @unrecorded
    def counts_of(self, there: np.ndarray) -> np.ndarray:
        """How many of some rows, a mask or positions, are in each bar. (bars,) int"""
        return self._flat(self.profile.counts(there)) if self.profile is not None else np.zeros(0, np.int64)

    @unrecorded
    def counts_alike(self, mark: int) -> np.ndarray:
        """How many of the rows of one bar are in each bar. (bars,) int"""
        return self._flat(self.profile.alike(*self.bar(mark)))

    def _flat(self, counts: dict[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.int64), *counts.values()])


def _table(profile: Any) -> dict[str, np.ndarray]:
    """A row per bar."""
    sizes = [len(column) for column in profile.columns]
    rows = np.concatenate([np.zeros(0, np.int64), *profile.totals.values()])
    bins = np.concatenate([np.zeros(0, np.int64), *(np.arange(size) for size in sizes)])
    share = rows / max(profile.rows, 1)
    return {"column": np.repeat(np.arange(len(sizes)), sizes), "bin": bins, "rows": rows, "share": share}


def _ends(values: pd.Series) -> tuple[str, str] | None:
    """Least and largest value as text; None where there is none."""
    plain = values.to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        low, high = (plain.min(), plain.max()) if len(plain) else (np.nan, np.nan)
    if not (np.isfinite(low) and np.isfinite(high)):  # only then copies have to be made of millions of values
        known = plain[np.isfinite(plain)]
        low, high = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
    if np.isnan(low):
        return None
    least, largest = figures((low, high), 6)
    return least, largest
