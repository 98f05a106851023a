"""The kinds of bins a column can have, and the attribute that each of them makes of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from learnviews.kernels.cube import Attribute, Categorical, Integer, Numeric
from learnviews.kernels.cube.infer import Reader
from learnviews.kernels.cube.numeric import nice_edges
from learnviews.kernels.cube.periods import STEPS, intervals
from learnviews.kernels.cube.sampling import Sample
from learnviews.kernels.cube.temporal import Temporal

MOST_WHOLE = 200  # whole numbers that get a bin each
MOST_DISTINCT = 60  # distinct whole numbers that may be categories
MOST_INTERVALS = 200
UNITS = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "D": "day",
    "W": "week",
    "M": "month",
    "Q": "quarter",
    "Y": "year",
}
PARTS = {"month": "month of the year", "weekday": "day of the week", "hour": "hour of the day"}


class Bins(NamedTuple):
    """How many bins may be asked for, and how many there are unless somebody asks."""

    low: int
    high: int
    usual: int


LIMITS = {
    "round": Bins(1, 200, 20),
    "quantiles": Bins(2, 200, 20),
    "categories": Bins(2, 300, 50),
    "map": Bins(2, 64, 20),
}


def choices(sample: Sample, attribute: Attribute) -> dict[str, str]:
    """Every kind that the column of a proposed attribute can have, and what to call it."""
    if attribute.kind == "spatial":
        return {"map": "map"}
    if isinstance(attribute, Temporal):
        return _periods(sample, attribute)
    values = sample.frame[attribute.columns[0]].dropna()
    if not is_number(values):
        return {"categories": "categories"}
    finite = finite_of(values)
    whole = bool((finite == np.floor(finite)).all())
    found = {"round": "even bins", "quantiles": "equal counts"}
    if whole and finite.max() - finite.min() < MOST_WHOLE:
        found = {"integer": "whole numbers", **found}
    if whole and abs(finite).max() < 2**53 and len(np.unique(finite)) <= MOST_DISTINCT:
        found["categories"] = "categories"
    return found


def _periods(sample: Sample, attribute: Temporal) -> dict[str, str]:
    if attribute.part is not None:
        return {f"part {attribute.part}": PARTS.get(attribute.part, attribute.part)}
    low, high = _ends(sample, attribute.columns[0])
    days = (high - low) / np.timedelta64(1, "D")
    fitting = [every for every, each in STEPS.items() if 1 <= days / each <= MOST_INTERVALS]
    steps = dict.fromkeys([*fitting, str(attribute.every)])
    return {f"every {step}": f"time by {_step_words(step)}" for step in sorted(steps, key=lambda step: STEPS[step])}


def _step_words(step: str) -> str:
    count, unit = step.rstrip("sminhDWMQY"), step.lstrip("0123456789")
    return UNITS[unit] if count == "1" else f"{count} {UNITS[unit]}s"


def kind_of(attribute: Attribute) -> str:
    """The kind of an attribute that was inferred."""
    if isinstance(attribute, Temporal):
        return f"part {attribute.part}" if attribute.part else f"every {attribute.every}"
    if isinstance(attribute, Numeric):
        low, high = float(attribute.edges[0]), float(attribute.edges[-1])
        even = nice_edges(low, high, LIMITS["round"].usual)
        return "round" if np.array_equal(even, attribute.edges) else "quantiles"
    return {"spatial": "map", "integer": "integer"}.get(attribute.kind, "categories")


def make(sample: Sample, kind: str, name: str, columns: tuple[str, ...], bins: int) -> Attribute:
    """The attribute of this kind.

    Raises
    ------
    ValueError, TypeError
        If the columns do not allow it; the message says why.
    """
    reader = Reader(sample, bins, bins)
    if kind == "map":
        return reader.place(name, *columns)
    column = columns[0]
    values = sample.frame[column].dropna()
    gaps = reader.gaps(column)
    word, _, rest = kind.partition(" ")
    if word == "every":
        return _renamed(intervals(column, *_ends(sample, column), gaps, rest), name)
    if word == "part":
        return Temporal(name, rest, column=column, missing=gaps)
    if kind == "categories":
        return _renamed(_categories(reader, column, values, bins), name)
    return _number(reader, kind, name, column, values, bins)


def _number(reader: Reader, kind: str, name: str, column: str, values: pd.Series, bins: int) -> Attribute:
    known = reader.bounded(finite_of(values), column)
    low, high = float(known.min()), float(known.max())
    gaps = reader.gaps(column)
    if kind == "integer":
        return Integer(name, int(low), int(high), column=column, missing=gaps)
    clamp = not reader.sample.whole and column not in reader.sample.ranges
    if kind == "quantiles":
        return Numeric.quantiles(name, known, bins, clamp=clamp, column=column, missing=gaps)
    return Numeric(name, nice_edges(low, high, bins), clamp=clamp, column=column, missing=gaps)


def _categories(reader: Reader, column: str, values: pd.Series, bins: int) -> Attribute:
    if not is_number(values):
        return reader.categories(column, values)
    counts = pd.Series(finite_of(values).astype(np.int64)).value_counts()
    other = len(counts) > bins or not reader.sample.whole
    kept = sorted(int(value) for value in counts.index[: bins - (len(counts) > bins)])
    return Categorical(column, kept, other=other, missing=reader.gaps(column))


def _renamed(attribute: Attribute, name: str) -> Attribute:
    if attribute.name == name:
        return attribute
    return Attribute.from_json({**attribute.to_json(), "name": name, "column": attribute.columns[0], "title": name})


def titled(attribute: Attribute, title: str) -> Attribute:
    """The same attribute under another title."""
    return Attribute.from_json({**attribute.to_json(), "title": title})


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers (not booleans)."""
    kind = values.dtype
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind) and kind.kind != "c"


def finite_of(values: pd.Series) -> np.ndarray:
    """The finite numbers of a column."""
    array = values.dropna().to_numpy(np.float64)
    return array[np.isfinite(array)]


def _ends(sample: Sample, column: str) -> tuple[Any, Any]:
    instants = Reader(sample, 1, 2).instants(column, sample.frame[column].dropna())
    return instants.min().astype("M8[us]"), instants.max().astype("M8[us]")
