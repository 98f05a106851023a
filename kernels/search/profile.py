"""Columns at a glance: every column in few bins, and at once how any rows fall into the bins of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..figures import figures
from ..jit import jit
from .label_order import by_value

if TYPE_CHECKING:
    from .data import Dataset

BINS = 24  # of a column of numbers or times
LABELS = 20  # bars of a column of labels, the last of them for all others
KINDS = {"boolean": "labels", "categorical": "labels", "integer": "numbers", "real": "numbers", "dateTime": "times"}
"""Type of a column -> how it is divided; columns of other types have no profile."""
LARGE = 1e15  # beyond, whole numbers cannot be told from others
MISSING, OTHERS = "missing", "others"


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of one column.

    Attributes
    ----------
    name : str
    kind : str
        "numbers", "times" or "labels".
    labels : tuple of str
        Of each bin, in order: labels that are all numbers by their value, others by how frequent they are; the last
        are "others" and "missing" where there are such rows.
    edges : ndarray or None
        Of numbers and times (datetime64): bin i holds edges[i] <= value < edges[i + 1]; the last one its end, too.
    missing : bool
        Whether the last bin is for missing (and infinite) values.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    edges: np.ndarray | None = None
    missing: bool = False

    def __len__(self) -> int:
        return len(self.labels)


class Profile:
    """All columns of a data set in bins.

    Parameters
    ----------
    data : Dataset or DataFrame
        Of a DataFrame the types of columns are found out.
    columns : iterable of str, optional
        These ones only; by default all that can be put into bins.
    bins : int
        Most bins of a column of numbers or times; integers of few values have a bin each.
    labels : int
        Most bars of a column of labels; the rarest share the last one.

    Attributes
    ----------
    columns : list of Bins
    codes : ndarray
        (rows, columns) uint8: the bin of each value.

    Raises
    ------
    KeyError
        If a column is not there, or has nothing to be put into bins.
    """

    def __init__(
        self, data: Dataset | Any, columns: Iterable[str] | None = None, bins: int = BINS, labels: int = LABELS
    ) -> None:
        from .data import load

        if not (1 <= bins <= 250 and 2 <= labels <= 250):
            raise ValueError(f"bins = {bins}, labels = {labels}: expected 1 to 250 bins and 2 to 250 labels")
        data = load(data)
        kinds = {name: KINDS[column.type] for name, column in data.columns.items() if column.type in KINDS}
        names = list(kinds) if columns is None else list(columns)
        for name in names:
            if name not in kinds:
                raise KeyError(f"column {name!r} has no values to put into bins; expected one of {', '.join(kinds)}")
        self.rows = len(data.frame)
        found = [_divided(data.frame[name], name, kinds[name], bins, labels) for name in names]
        self.columns = [bins for bins, _ in found]
        self.codes = np.empty((self.rows, len(found)), np.uint8)  # of a row side by side: one pass serves all columns
        for at, (_, codes) in enumerate(found):
            self.codes[:, at] = codes

    def __getitem__(self, name: str) -> Bins:
        return self.columns[self._place(name)]

    def _place(self, name: str) -> int:
        for at, column in enumerate(self.columns):
            if column.name == name:
                return at
        raise KeyError(f"column {name!r} is not in this profile: {', '.join(each.name for each in self.columns)}")

    @cached_property
    def totals(self) -> dict[str, np.ndarray]:
        """Column -> rows in each of its bins."""
        return self.counts(np.arange(self.rows))

    def counts(self, rows: Any) -> dict[str, np.ndarray]:
        """Column -> how many of `rows` are in each of its bins.

        Parameters
        ----------
        rows : array
            Positions, or a boolean mask of all rows.

        Raises
        ------
        ValueError, IndexError
            If a mask is not of all rows, or a position is beyond them.
        """
        out = self._empty()
        _count(self.codes, self._positions(rows), out)
        return self._named(out)

    def alike(self, name: str, bin: int) -> dict[str, np.ndarray]:
        """Column -> how many of the rows in one bin of column `name` are in each of its bins: what hovering shows."""
        column = self._place(name)
        if not 0 <= bin < len(self.columns[column]):
            raise IndexError(f"column {name!r} has {len(self.columns[column])} bins, there is no bin {bin}")
        out = self._empty()
        _count_alike(self.codes, column, bin, out)
        return self._named(out)

    def rows_in(self, name: str, bin: int) -> np.ndarray:
        """Positions of the rows in one bin of a column, rising."""
        return np.flatnonzero(self.codes[:, self._place(name)] == bin)

    def _positions(self, rows: Any) -> np.ndarray:
        rows = np.asarray(rows)
        if rows.dtype == bool:
            if rows.shape != (self.rows,):
                raise ValueError(f"the mask has shape {rows.shape}; expected ({self.rows},), a value per row")
            return np.flatnonzero(rows)
        rows = rows.astype(np.int64, copy=False)
        if len(rows) and not (rows.min() >= 0 and rows.max() < self.rows):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are asked for; there are rows 0 to {self.rows - 1}")
        return rows

    def _empty(self) -> np.ndarray:
        return np.zeros((len(self.columns), max((len(column) for column in self.columns), default=0)), np.int64)

    def _named(self, out: np.ndarray) -> dict[str, np.ndarray]:
        return {column.name: out[at, : len(column)] for at, column in enumerate(self.columns)}


@jit
def _count(codes: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    for row in rows:
        for column in range(codes.shape[1]):
            out[column, codes[row, column]] += 1


@jit
def _count_alike(codes: np.ndarray, column: int, bin: int, out: np.ndarray) -> None:
    for row in range(codes.shape[0]):
        if codes[row, column] == bin:
            for other in range(codes.shape[1]):
                out[other, codes[row, other]] += 1


# -- one column


def _divided(values: pd.Series, name: str, kind: str, bins: int, labels: int) -> tuple[Bins, np.ndarray]:
    if kind == "labels":
        return _of_labels(values, name, labels)
    plain = values.to_numpy(dtype=float, na_value=np.nan) if kind == "numbers" else _instants(values)
    known = np.isfinite(plain)
    edges, named = _edges(plain[known], bins, kind)
    codes = _between(edges, plain)
    codes[~known] = len(named)
    missing = not known.all()
    shown = edges.astype("datetime64[ns]") if kind == "times" else edges
    return Bins(name, kind, (*named, *((MISSING,) if missing else ())), shown, missing), codes


def _between(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Of each value the number of the two edges it is between, as `Bins` says. (rows,) uint8"""
    last = max(len(edges) - 2, 0)
    out = np.zeros(len(values), np.uint8)
    _place(edges, values, last, out)
    return out


@jit
def _place(edges: np.ndarray, values: np.ndarray, last: int, out: np.ndarray) -> None:
    for row in range(len(values)):
        low, high = 0, last
        while low < high:  # the last edge that is not above the value
            middle = (low + high + 1) // 2
            if edges[middle] <= values[row]:
                low = middle
            else:
                high = middle - 1
        out[row] = low


def _instants(values: pd.Series) -> np.ndarray:
    """Nanoseconds since 1970 in UTC; NaN where missing."""
    stamps = pd.to_datetime(values, utc=True).dt.tz_localize(None).astype("datetime64[ns]")
    return np.where(stamps.notna(), stamps.astype("int64").astype(float), np.nan)


def _edges(known: np.ndarray, bins: int, kind: str) -> tuple[np.ndarray, list[str]]:
    """Edges, and what the bins between them are called."""
    if not len(known):
        return np.zeros(0), []
    low, high = known.min(), known.max()
    whole = kind == "numbers" and max(abs(low), abs(high)) < LARGE and bool((known == np.round(known)).all())
    if whole and high - low < bins:
        each = np.arange(low, high + 1)
        return np.append(each, high + 1), [f"{value:.0f}" for value in each]
    width = max(high / bins - low / bins, np.spacing(max(abs(low), abs(high))) * 2)  # high - low may be infinite
    width = np.ceil(width) if whole else width  # whole numbers: as many of them in each bin
    count = max(1, int(np.ceil(high / width - low / width + whole / width)))
    with np.errstate(over="ignore"):
        edges = 2 * (low / 2 + width / 2 * np.arange(min(count, bins) + 1))
    edges[-1] = max(edges[-1], high) if np.isfinite(edges[-1]) else high
    return edges, _spans(edges, kind, whole)


def _spans(edges: np.ndarray, kind: str, whole: bool) -> list[str]:
    if kind == "times":
        stamps = pd.to_datetime(edges.astype("int64"))
        days = edges[-1] - edges[0] > 3 * 86400e9
        text = [f"{stamp:%Y-%m-%d}" if days else f"{stamp:%Y-%m-%d %H:%M:%S}" for stamp in stamps]
    else:
        text = figures(np.round(edges) if whole else edges)
    return [f"{low} to {high}" for low, high in pairwise(text)]


def _of_labels(values: pd.Series, name: str, labels: int) -> tuple[Bins, np.ndarray]:
    """The commonest labels in falling order (equals by their text), or, where all are numbers, in theirs."""
    places, found = pd.factorize(values)  # -1: missing
    counts = _counts(places, found)
    order = sorted(counts, key=lambda label: (-counts[label], label))
    if len(order) > labels:
        order = order[: labels - 1]
    order = by_value(order)
    rest, missing = len(order) < len(counts), bool((places < 0).any())
    numbers = {label: at for at, label in enumerate(order)}
    last = len(order) + rest
    codes = np.array([*(numbers.get(str(each), len(order)) for each in found), last])[places]
    named = (*order, *((OTHERS,) if rest else ()), *((MISSING,) if missing else ()))
    return Bins(name, "labels", named, None, missing), codes.astype(np.uint8)


def _counts(places: np.ndarray, found: Any) -> dict[str, int]:
    """How often there is each label, by its text: different values may be written alike."""
    counts: dict[str, int] = {}
    for label, count in zip(found, np.bincount(places[places >= 0], minlength=len(found)), strict=True):
        counts[str(label)] = counts.get(str(label), 0) + int(count)
    return counts
