"""A schema: the attributes of a cube in their order, and every query as one mask over all their bins."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .attributes import Attribute
from .query import Query

VERSION = 1


class Schema:
    """Attributes in order. Every attribute is a filter and a view; all bins side by side are the cube's answers.

    Parameters
    ----------
    *attributes : Attribute
        With different names.

    Attributes
    ----------
    attributes : tuple of Attribute
    names : tuple of str
    sizes : tuple of int
        Bins of each, including the one for missing values.
    bins : int
        Their sum.
    offsets : (d + 1,) int64 array
        Where each attribute's bins begin among all.
    slices : dict of slice
        The same by name.
    columns : tuple of str
        The different columns that are read.
    left_out : dict of str
        Of an inferred schema: columns without an attribute, and why. Not part of `==`.

    Raises
    ------
    ValueError, TypeError
        If there is no attribute, something else, or a name twice.
    """

    def __init__(self, *attributes: Attribute) -> None:
        for attribute in attributes:
            if not isinstance(attribute, Attribute):
                raise TypeError(f"{attribute!r} is no attribute; expected Integer, Categorical, Numeric, ...")
        self.attributes = tuple(attributes)
        self.names = tuple(attribute.name for attribute in attributes)
        if not attributes:
            raise ValueError("a schema needs at least one attribute")
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"attributes named twice: {', '.join(twice)}; give them different names")
        self.sizes = tuple(attribute.bins for attribute in attributes)
        self.bins = sum(self.sizes)
        self.offsets = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        ends = self.offsets.tolist()
        self.slices = {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(self.names)}
        self.columns = tuple(dict.fromkeys(column for attribute in attributes for column in attribute.columns))
        self.left_out: dict[str, str] = {}
        self._by_name = dict(zip(self.names, self.attributes, strict=True))

    @classmethod
    def infer(cls, table: Any, attributes: Sequence[Any] | None = None, **options: Any) -> Schema:
        """A sensible schema for a table; see `learnviews.kernels.cube.infer.infer_schema`."""
        from .infer import infer_schema

        return infer_schema(table, attributes, **options)

    def __len__(self) -> int:
        return len(self.attributes)

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self.attributes)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Attribute:
        """The attribute of that name; LookupError if there is none."""
        try:
            return self._by_name[name]
        except (KeyError, TypeError):
            raise LookupError(f"no attribute {name!r}; there are {', '.join(self.names)}") from None

    def index(self, name: str) -> int:
        """Its place; LookupError if there is no attribute of that name."""
        return self.attributes.index(self[name])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self.attributes == other.attributes

    def __hash__(self) -> int:
        return hash(self.attributes)

    def __repr__(self) -> str:
        return f"Schema({', '.join(map(repr, self.attributes))})"

    # edited copies

    def replace(self, name: str, attribute: Attribute) -> Schema:
        """The same with another attribute in the place of one."""
        place = self.index(name)
        return Schema(*self.attributes[:place], attribute, *self.attributes[place + 1 :])

    def without(self, name: str) -> Schema:
        """The same without one attribute."""
        place = self.index(name)
        return Schema(*self.attributes[:place], *self.attributes[place + 1 :])

    def with_(self, attribute: Attribute) -> Schema:
        """The same with one more attribute, the last."""
        return Schema(*self.attributes, attribute)

    # rows and queries

    def codes(self, columns: Any) -> np.ndarray:
        """The bins of rows.

        Parameters
        ----------
        columns : DataFrame, dict of arrays, pyarrow Table or RecordBatch

        Returns
        -------
        (d, n) int32 array
            See `Attribute.codes`.

        Raises
        ------
        LookupError
            If columns are missing.
        ValueError, TypeError
            If lengths differ or a column cannot be binned.
        """
        there = columns.column_names if hasattr(columns, "column_names") else list(columns)
        lacking = [name for name in self.columns if name not in there]
        if lacking:
            raise LookupError(f"no column {', '.join(map(repr, lacking))}; there are {', '.join(map(str, there))}")
        lengths = {name: len(columns[name]) for name in self.columns}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths: {lengths}")
        codes = np.empty((len(self), next(iter(lengths.values()))), np.int32)
        for attribute, out in zip(self.attributes, codes, strict=True):
            attribute.codes(*(columns[name] for name in attribute.columns), out=out)
        return codes

    def query(self, /, **values: Any) -> Query:
        """A query from values: (low, high), both included; ((x0, x1), (y0, y1)) in space; sets; masks."""
        return Query(**{name: self[name].selection(held) for name, held in values.items() if held is not None})

    def mask(self, query: Query) -> np.ndarray:
        """The query as a mask (bins,) over all attributes' bins in order; what it does not name is all True."""
        mask = np.ones(self.bins, bool)
        for name, held in query.filters.items():
            attribute = self._by_name.get(name)
            if attribute is None or not attribute.write_plainly(held, mask[self.slices[name]]):
                return self.masks([query])[0]  # slower, and says what is wrong
        return mask

    def masks(self, queries: Query | Sequence[Query] | np.ndarray) -> np.ndarray:
        """Queries as masks.

        Parameters
        ----------
        queries : Query, sequence of Query, (n, bins) bool array, or (n, 2 * k) int array
            The last holds half-open ranges of bins for every attribute in order, start and stop, those in space as two
            (x, y). A bin for missing values is included where the range covers all others.

        Returns
        -------
        (n, bins) bool array

        Raises
        ------
        LookupError, ValueError, TypeError
            With the number of the query and the attribute.
        """
        if isinstance(queries, Query):
            queries = [queries]
        if isinstance(queries, (list, tuple)) and all(isinstance(query, Query) for query in queries):
            return self._query_masks(queries)
        array = np.asarray(queries)
        array = array[None] if array.ndim == 1 else array
        if array.dtype == bool and array.ndim == 2 and array.shape[1] == self.bins:
            return array
        width = 2 * sum(len(attribute.shape) for attribute in self)
        if array.dtype.kind in "iuf" and array.ndim == 2 and array.shape[1] == width:
            return self._range_masks(array)
        raise TypeError(
            f"{type(queries).__name__} of {array.dtype}, shape {array.shape}: expected queries, an (n, {self.bins}) "
            f"bool array or an (n, {width}) array of bin ranges"
        )

    def _query_masks(self, queries: Sequence[Query]) -> np.ndarray:
        masks = np.ones((len(queries), self.bins), bool)
        ranges: dict[str, list[int]] = {}  # queries with a range of an attribute, and with a mask: all at once, below
        arrays: dict[str, list[int]] = {}
        for number, query in enumerate(queries):
            for name, held in query.filters.items():
                attribute = self._by_name.get(name)
                if attribute is None:
                    raise LookupError(f"query {number}: no attribute {name!r}; there are {', '.join(self.names)}")
                if isinstance(held, tuple) and len(held) == 2 * len(attribute.shape):
                    ranges.setdefault(name, []).append(number)
                elif isinstance(held, np.ndarray) and held.shape == (attribute.bins,):
                    arrays.setdefault(name, []).append(number)
                else:
                    masks[number, self.slices[name]] = self._one_mask(number, name, held)
        for name, numbers in ranges.items():
            bounds = np.array([self._clip(queries[number].filters[name]) for number in numbers], np.int64)
            masks[numbers, self.slices[name]] = self[name].range_masks(bounds, numbers)
        for name, numbers in arrays.items():
            masks[numbers, self.slices[name]] = [queries[number].filters[name] for number in numbers]
        return masks

    def _one_mask(self, number: int, name: str, held: Any) -> np.ndarray:
        try:
            return self[name].mask(held)
        except (TypeError, ValueError) as error:
            raise type(error)(f"query {number}, {error}") from None

    @staticmethod
    def _clip(bounds: Any) -> tuple[int, ...]:
        """Python integers of any size, as int64 can hold them."""
        within = min(bounds) > -(1 << 62) and max(bounds) < 1 << 62
        return bounds if within else tuple(min(max(n, -(1 << 62)), 1 << 62) for n in bounds)

    def _range_masks(self, array: np.ndarray) -> np.ndarray:
        ranges = array.astype(np.int64)
        if array.dtype.kind == "f" and not (ranges == array).all():
            raise ValueError("bin ranges that are not whole numbers")
        parts, place, numbers = [], 0, range(len(ranges))
        for attribute in self:
            width = 2 * len(attribute.shape)
            parts.append(attribute.range_masks(ranges[:, place : place + width], numbers))
            place += width
        return np.concatenate(parts, 1)

    def labels(self) -> list[list[str]]:
        """The labels of every attribute's bins."""
        return [attribute.labels() for attribute in self]

    def split(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """Answers (..., bins) by attribute: views of the array, no copies."""
        array = np.asarray(array)
        if array.shape[-1:] != (self.bins,):
            raise ValueError(f"answers of shape {array.shape}; expected the last axis to have {self.bins} bins")
        return {name: array[..., places] for name, places in self.slices.items()}

    # JSON

    def to_json(self) -> dict[str, Any]:
        """A dict that JSON can hold; `from_json` reads it."""
        return {"version": VERSION, "attributes": [attribute.to_json() for attribute in self]}

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> Schema:
        """The schema that `to_json` described, from the dict or its text.

        Raises
        ------
        ValueError
            If it is no such description, or of a later version.
        """
        try:
            read = json.loads(data) if isinstance(data, str) else data
            version, described = read["version"], list(read["attributes"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{str(data)[:80]} describes no schema; expected what Schema.to_json gives") from None
        if version != VERSION:
            raise ValueError(f"a schema of version {version!r}; this learnviews reads version {VERSION}")
        return cls(*map(Attribute.from_json, described))
