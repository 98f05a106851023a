"""A sensible schema for a table: which columns become attributes, and with what bins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .attributes import Attribute
from .categories import Categorical
from .integer import Integer
from .numeric import Numeric
from .periods import temporal_attributes
from .places import find_pairs, spatial_attribute
from .sampling import Sample, take_sample
from .schema import Schema

if TYPE_CHECKING:
    import pandas as pd

CONSECUTIVE = 60  # whole numbers that span no more get a bin each
FEW = 20  # distinct whole numbers that span more are still categories; all-distinct texts are ids beyond this many
DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


class LeftOutError(ValueError):
    """A column from which no attribute can be made, and why."""


def infer_schema(
    table: Any,
    attributes: Sequence[Any] | None = None,
    *,
    bins: int = 20,
    max_categories: int = 50,
    limit: int = 200_000,
) -> Schema:
    """A schema for a table, by looking at a sample of it.

    Whole numbers that span up to 60 get a bin each, others round or quantile edges; texts and booleans become
    categories; dates become intervals and, where the data span them, parts of the calendar; columns named like
    longitude and latitude, or x and y, become one attribute in space.

    Parameters
    ----------
    table : DataFrame, dict of arrays, pyarrow Table or RecordBatch, or path of a .parquet, .csv or .csv.gz file
    attributes : sequence, optional
        What to take, in this order: names of columns, pairs (x column, y column), or attributes ready-made. All that
        is sensible if absent.
    bins : int
        About how many for numbers, and per axis in space.
    max_categories : int
        Of more, the most frequent are kept and the rest is one bin, "other".
    limit : int
        Rows to look at. Values that only occur in others go to the end bins or to "other", unless their range is known.

    Returns
    -------
    Schema
        Its `left_out` tells for every column without an attribute why.

    Raises
    ------
    LookupError
        If a named column is not there.
    ValueError
        If a named column cannot become an attribute, none can, or there are no rows.
    """
    if bins < 1 or max_categories < 2 or limit < 1:
        raise ValueError(f"bins={bins}, max_categories={max_categories}, limit={limit}: expected 1, 2, 1 or more")
    sample = take_sample(table, limit)
    reader = Reader(sample, bins, max_categories)
    if attributes is not None:
        return Schema(*(made for item in attributes for made in reader.named(item)))
    return reader.everything()


class Reader:
    """Makes attributes of columns, each under a name of its own."""

    def __init__(self, sample: Sample, bins: int, max_categories: int) -> None:
        self.sample, self.bins, self.max_categories = sample, bins, max_categories

    def everything(self) -> Schema:
        columns = list(self.sample.frame.columns)
        found: dict[str, list[Attribute]] = {}
        left_out: dict[str, str] = {}
        pairs = self._pairs(columns)
        partners = {y for _, y in pairs.values()}
        at = {x: name for name, (x, _) in pairs.items()}
        for name in columns:
            if name in partners:
                continue
            try:
                found[name] = [self.place(at[name], *pairs[at[name]])] if name in at else self.column(name)
            except LeftOutError as reason:
                left_out[str(name)] = str(reason)
        if not found:
            told = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
            raise ValueError(f"{self.sample.name}: no column could become an attribute ({told})")
        schema = Schema(*(made for attributes in found.values() for made in attributes))
        schema.left_out = left_out
        return schema

    def _pairs(self, columns: list[Any]) -> dict[str, tuple[str, str]]:
        """Pairs by the name of their attribute, of columns that hold numbers which differ."""
        numeric = [name for name in columns if isinstance(name, str) and self.is_spread(name)]
        pairs: dict[str, tuple[str, str]] = {}
        for name, pair in find_pairs(numeric):
            free = name if name not in {*columns, *pairs} else f"{name} place"
            if free not in {*columns, *pairs}:
                pairs[free] = pair
        return pairs

    def is_spread(self, name: str) -> bool:
        """Whether a column holds numbers that differ."""
        values = self.sample.frame[name]
        return values.dtype.kind in "iuf" and len(finite := _finite(values)) > 0 and finite.min() < finite.max()

    def named(self, item: Any) -> list[Attribute]:
        """The attributes of one entry of `attributes=`."""
        if isinstance(item, Attribute):
            return [item]
        if isinstance(item, (tuple, list)) and len(item) == 2:
            for name in item:
                self._check(name)
            matched = find_pairs(list(item))
            return [self.place(matched[0][0] if matched else "place", *item)]
        self._check(item)
        try:
            return self.column(item)
        except LeftOutError as reason:
            raise ValueError(f"column {item!r} cannot become an attribute: {reason}") from None

    def _check(self, name: Any) -> None:
        columns = list(self.sample.frame.columns)
        if name not in columns:
            raise LookupError(f"{self.sample.name}: no column {name!r}; there are {', '.join(map(str, columns))}")

    def place(self, name: str, x: str, y: str) -> Attribute:
        frame = self.sample.frame
        for column in (x, y):
            if not self.is_spread(column):
                raise ValueError(f"column {column!r} cannot be a coordinate: expected numbers that differ")
        across, up = (self.bounded(_finite(frame[column]), column) for column in (x, y))
        gaps = self.gaps(x) or self.gaps(y)
        return spatial_attribute(name, x, y, across, up, (self.bins, self.bins), gaps)

    def gaps(self, name: str) -> bool:
        """Missing values anywhere, or, if only the sample is known, in it; then a bin does no harm."""
        return self.sample.gaps.get(name, False) or bool(self.sample.frame[name].isna().any())

    def bounded(self, values: np.ndarray, name: str) -> np.ndarray:
        """The sample's values and the ends of all values, where they are known."""
        ends = np.array([float(end) for end in self.sample.ranges.get(name, ()) if end is not None], np.float64)
        return np.concatenate([values, ends[np.isfinite(ends)]])

    def column(self, name: Any) -> list[Attribute]:
        """The attributes of one column; LeftOutError if it can have none."""
        import pandas as pd

        if not isinstance(name, str):
            raise LeftOutError("its name is no text")
        values = self.sample.frame[name].dropna()
        if not len(values):
            raise LeftOutError("all values are missing")
        if isinstance(values.dtype, pd.CategoricalDtype):
            return [self.categories(name, values)]
        if pd.api.types.is_bool_dtype(values.dtype):
            return [self.categories(name, values)]
        if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind != "c":
            return [self.number(name, values)]
        if pd.api.types.is_datetime64_any_dtype(values.dtype) or _are_dates(values):
            return self.dates(name, values)
        return [self.categories(name, values)]

    def number(self, name: str, values: pd.Series) -> Attribute:
        finite = _finite(values)
        if not len(finite):
            raise LeftOutError("no value is finite")
        all_values = self.bounded(finite, name)
        low, high = float(all_values.min()), float(all_values.max())
        if low == high:
            raise LeftOutError(f"constant ({values.iloc[0]})")
        missing, whole = self.gaps(name), bool((finite == np.floor(finite)).all())
        if whole and high - low < CONSECUTIVE:
            return Integer(name, int(low), int(high), missing=missing)
        if whole:
            distinct = np.unique(finite)
            if len(distinct) == len(finite) == high - low + 1:
                raise LeftOutError("counts the rows")
            if len(distinct) <= FEW and self.sample.whole and max(abs(low), abs(high)) < 2**53:
                return Categorical(name, [int(value) for value in distinct], missing=missing)
        clamp = not self.sample.whole and name not in self.sample.ranges
        return Numeric.automatic(name, all_values, self.bins, clamp=clamp, missing=missing)

    def dates(self, name: str, values: pd.Series) -> list[Attribute]:
        instants = self.instants(name, values)
        if instants.min() == instants.max():
            raise LeftOutError(f"constant ({values.iloc[0]})")
        taken = set(self.sample.frame.columns)
        return temporal_attributes(name, instants, missing=self.gaps(name), taken=taken)

    def instants(self, name: str, values: pd.Series) -> np.ndarray:
        """The dates among values, and the first and last of all rows where they are known."""
        from .columns import as_instants

        if values.dtype.kind == "M" and getattr(values.dtype, "tz", None) is None:
            instants = values.to_numpy()
        else:
            instants = as_instants(values.astype(object).tolist(), name)
        ends = [end for end in self.sample.ranges.get(name, ()) if end is not None]
        return np.concatenate([instants, as_instants(ends, name).astype(instants.dtype)]) if ends else instants

    def categories(self, name: str, values: pd.Series) -> Attribute:
        counts = _count(values)
        if len(counts) > FEW and len(counts) >= 0.9 * len(values) and isinstance(next(iter(counts)), str):
            raise LeftOutError(
                "nearly every value is another" if len(counts) < len(values) else "every value is another"
            )
        counts = _count(self.sample.all_values(name))
        if len(counts) == 1:
            raise LeftOutError(f"constant ({next(iter(counts))})")
        many = len(counts) > self.max_categories
        kept = sorted(counts, key=lambda value: -counts[value])[: self.max_categories - 1] if many else list(counts)
        kept = _in_order(kept, values)
        return Categorical(name, kept, other=many or not self.sample.exhaustive, missing=self.gaps(name))


def _count(values: pd.Series) -> dict[Any, int]:
    """How often every distinct value occurs."""
    kinds = {type(value) for value in (values.cat.categories if hasattr(values, "cat") else values.head(1000))}
    if not all(issubclass(kind, (str, int, np.integer, np.bool_)) for kind in kinds) or len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise LeftOutError(f"holds {names}; expected numbers, dates, or texts throughout")
    counted = values.value_counts()
    found = {v.item() if isinstance(v, np.generic) else v: int(n) for v, n in counted.items() if n}
    if len({type(value) for value in found}) > 1:
        raise LeftOutError("holds values of several types")
    return found


def _in_order(kept: list[Any], values: pd.Series) -> list[Any]:
    """As the column orders its categories, if it does; else sorted, numbers inside texts as numbers."""
    if hasattr(values, "cat") and values.cat.ordered:
        return [value for value in values.cat.categories.tolist() if value in set(kept)]
    return sorted(kept, key=_natural)


def _natural(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = re.split(r"(\d+)", value)
    return [(part.casefold(), 0) if i % 2 == 0 else ("", int(part)) for i, part in enumerate(parts)], value


def _are_dates(values: pd.Series) -> bool:
    """Date objects, or texts that all look like dates in ISO 8601."""
    import datetime as dt

    if values.dtype.kind not in "OT" and str(values.dtype) not in ("str", "string"):
        return False
    return all(
        isinstance(value, dt.date) or (isinstance(value, str) and DATE.fullmatch(value) is not None) for value in values
    )


def _finite(values: pd.Series) -> np.ndarray:
    array = values.dropna().to_numpy(np.float64)
    return array[np.isfinite(array)]
