"""Finer bins for a part of an attribute: every bin that there was is a union of new ones."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .attributes import Attribute
from .categories import Categorical
from .columns import Coded, Plain, read_column
from .numeric import Numeric
from .spatial import Spatial
from .tables import numbers, open_table
from .temporal import Temporal

MOST = 4000  # bins of a refined attribute in a row
CROWDED = 0.25  # of a range: where nearly all values lie within so little, equal bins would be empty
DAYS = ["10Y", "5Y", "2Y", "1Y", "1Q", "1M", "1W", "1D"]
STEPS = [*DAYS, "12h", "6h", "3h", "1h", "30min", "15min", "5min", "1min", "30s", "15s", "5s", "1s"]


def refined(attribute: Attribute, start: int, stop: int, n: int = 40, values: Any = None) -> Attribute:
    """The same attribute with finer bins from bin `start` to before `stop`, or the attribute itself if there are none.

    Numbers are cut into equal parts, or by quantiles where nearly all values are crowded; intervals of time become
    shorter ones everywhere; "other" gives up its most frequent categories. Whole numbers, parts of the calendar and
    categories have a bin each: there is nothing finer.

    Parameters
    ----------
    attribute : Attribute
        One in a row; see `refined_grid` for space.
    start, stop : int
    n : int
        About how many bins the range is cut into.
    values : (m,) array, optional
        What is in there (see `values_within`): without them, ranges without an end and "other" cannot be cut.

    Raises
    ------
    ValueError
        If the range leaves the bins.
    """
    if len(attribute.shape) != 1 or not 0 <= start < stop <= attribute.bins or n < 1:
        raise ValueError(f"{attribute.name}: bins {start} to {stop} into {n}; expected a range of {attribute.bins}")
    stop = min(stop, attribute.size)
    if isinstance(attribute, Numeric) and start < stop:
        return _with(attribute, "edges", _cut(attribute.edges, start, stop, n, values))
    if isinstance(attribute, Temporal) and attribute.part is None and start < stop:
        return _shorter(attribute, start, stop, n)
    if isinstance(attribute, Categorical) and attribute.other and stop == attribute.size and values is not None:
        return _with(attribute, "categories", (*attribute.categories, *_frequent(attribute, values, n)))
    return attribute


def refined_grid(attribute: Spatial, factor: int) -> Spatial:
    """The same extent with `factor` times as many cells across and up.

    Raises
    ------
    ValueError
        If the factor is no power of two: the edges of others would be off by rounding.
    """
    if factor < 1 or factor & (factor - 1):
        raise ValueError(f"{attribute.name}: {factor} times as many cells; expected a power of two")
    nx, ny = attribute.shape
    return _with(attribute, "shape", (nx * factor, ny * factor))


def values_within(table: Any, attribute: Attribute, start: int, stop: int) -> np.ndarray:
    """The values of an attribute's column in the rows of bins `start` to before `stop`; missing ones are passed over.

    Parameters
    ----------
    table
        Whatever `ExactCube.build` takes.
    attribute : Attribute
        Of one column.

    Raises
    ------
    LookupError, TypeError, ValueError, FileNotFoundError
        As `ExactCube.build`.
    """
    name = attribute.columns[0]
    found: list[np.ndarray] = []
    for part in open_table(table, attribute.columns).parts:
        for block in part.blocks():
            codes = attribute.codes(block[name])
            inside = (codes >= start) & (codes < min(stop, attribute.size))
            held = _plain(block[name], name) if attribute.kind == "categorical" else numbers(block, name)
            found.append(held[inside])
    return np.concatenate(found) if found else np.empty(0)


def _plain(column: Any, name: str) -> np.ndarray:
    read = read_column(column, name)
    if isinstance(read, Plain):
        return read.values.astype(object)
    assert isinstance(read, Coded)
    distinct = np.empty(len(read.values) + 1, object)  # the last: what index -1 reads
    distinct[:-1] = read.values
    return distinct[read.indices]


def _with(attribute: Any, name: str, value: Any) -> Any:
    fields = {key: held for key, held in attribute.to_json().items() if key != "kind"}
    return type(attribute)(**{**fields, name: value})


# -- numbers


def _cut(edges: np.ndarray, start: int, stop: int, n: int, values: Any) -> np.ndarray:
    """The edges with more of them between two."""
    inside = np.asarray([] if values is None else values, np.float64)
    inside = inside[np.isfinite(inside)]
    ends = edges[start : stop + 1]
    if len(inside):  # an open end begins where the values do
        ends = np.where(np.isinf(ends), np.clip(ends, inside.min(), inside.max()), ends)
    ends = ends[np.isfinite(ends)]
    if len(ends) < 2 or not ends[0] < ends[-1]:
        return edges
    whole = bool(len(inside)) and bool((inside == np.rint(inside)).all())
    cuts = _quantiles(inside, n) if _crowded(inside, ends) else _parts(ends, n, whole)
    cuts = np.rint(cuts) if whole else cuts
    return np.unique(np.concatenate([edges, cuts[(cuts > ends[0]) & (cuts < ends[-1])]]))


def _crowded(inside: np.ndarray, ends: np.ndarray) -> bool:
    if len(inside) < 2:
        return False
    low, high = np.quantile(inside, [0.02, 0.98])
    return bool(high - low < CROWDED * (ends[-1] - ends[0]))


def _quantiles(inside: np.ndarray, n: int) -> np.ndarray:
    return np.quantile(inside, np.linspace(0, 1, n + 1))


def _parts(ends: np.ndarray, n: int, whole: bool) -> np.ndarray:
    """Cuts of every bin into parts of about one width, which for whole numbers is whole."""
    width = float(ends[-1] - ends[0])
    step = _round(width / n)
    if whole:
        step = 1.0 if width <= 2 * n else float(np.ceil(step))
    cuts = [np.linspace(a, b, max(1, round((b - a) / step)) + 1) for a, b in itertools.pairwise(ends.tolist())]
    return np.concatenate(cuts)


def _round(rough: float) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that is no smaller."""
    power = 10.0 ** np.floor(np.log10(rough))
    return float(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9)))


# -- time and categories


def _shorter(attribute: Temporal, start: int, stop: int, n: int) -> Temporal:
    """Intervals that make up the old ones: the shortest of which the range holds no more than `n`, else the longest."""
    starts = attribute.starts().astype("M8[us]")
    best, span = attribute, attribute.starts()[[start, stop]].astype("M8[us]")
    for every in STEPS:
        fields = {key: held for key, held in attribute.to_json().items() if key != "kind"}
        try:
            finer = Temporal(**{**fields, "start": str(starts[0]), "stop": str(starts[-1]), "every": every})
        except ValueError:  # more bins than there may be
            break
        edges = finer.starts().astype("M8[us]")
        if finer.size > MOST:
            break
        if finer.size <= attribute.size or edges[-1] != starts[-1] or not np.isin(starts, edges).all():
            continue
        if best is not attribute and np.count_nonzero((edges >= span[0]) & (edges < span[1])) > n:
            break
        best = finer
    return best


def _frequent(attribute: Categorical, values: Any, n: int) -> list[Any]:
    """Distinct values that are no category, most frequent first."""
    known = {*attribute.labels(), *attribute.categories}
    counts: dict[Any, int] = {}
    for value in np.asarray(values, object).tolist():
        if isinstance(value, (str, int)) and value not in known and str(value) not in known:
            counts[value] = counts.get(value, 0) + 1
    return sorted(counts, key=lambda value: (-counts[value], str(value)))[:n]
