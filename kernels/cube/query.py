"""A query: what it selects in each attribute; an attribute that is not named is not filtered."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

Filter = tuple[int, ...] | frozenset | np.ndarray


class Query:
    """Filters by attribute. Immutable; equal queries are equal keys.

    Parameters
    ----------
    **filters : tuple, set, list or boolean array
        A tuple is a half-open range of 0-based bins, (start, stop), or (x0, x1, y0, y1) in space; a set or list holds
        values or labels; an array is a mask, one place per bin. None: not filtered. `Schema.query` takes values
        instead of bins.

    Attributes
    ----------
    filters : dict of tuple, frozenset or read-only array

    Raises
    ------
    TypeError
        If a filter is none of these. Whether it fits an attribute is seen when a schema reads it.
    """

    filters: dict[str, Filter]

    def __init__(self, /, **filters: Any) -> None:
        held = {name: _filter(name, value) for name, value in filters.items() if value is not None}
        self.__dict__["filters"] = held

    @classmethod
    def _trusted(cls, filters: dict[str, Filter]) -> Query:
        """A query of filters that are in the form this class keeps; for thousands of them."""
        query = cls.__new__(cls)
        query.__dict__["filters"] = filters
        return query

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"queries do not change ({name}): use query.replace(...)")

    def _identity(self) -> frozenset:
        return frozenset((name, _identity(held)) for name, held in self.filters.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"Query({', '.join(f'{name}={_short(held)}' for name, held in self.filters.items())})"

    def replace(self, /, **filters: Any) -> Query:
        """The same query with other filters; None takes one away."""
        return Query(**{**self.filters, **filters})

    def to_json(self) -> dict[str, Any]:
        """A dict that JSON can hold: {"name": {"range" | "values" | "mask": ...}}."""
        return {name: _to_json(held) for name, held in self.filters.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any] | str) -> Query:
        """The query that `to_json` described, from the dict or its text; ValueError if it is no such description."""
        try:
            read = json.loads(data) if isinstance(data, str) else data
            if not isinstance(read, dict) or not all(isinstance(held, dict) for held in read.values()):
                raise ValueError("expected a filter by attribute, each a range, values or a mask")
            return cls(**{name: _from_json(held) for name, held in read.items()})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{str(data)[:80]} describes no query: {error}") from error


def _filter(name: str, value: Any) -> Filter:
    if isinstance(value, tuple):
        return _range(name, value)
    if isinstance(value, list) and value and all(isinstance(item, (bool, np.bool_)) for item in value):
        value = np.array(value)
    if isinstance(value, (set, frozenset, list)):
        return _values(name, value)
    array = np.array(value) if not isinstance(value, (str, bytes, Mapping)) else np.array(0)
    if array.dtype != bool or array.ndim not in (1, 2):
        raise TypeError(f"{name}: cannot filter by {value!r}; expected a range of bins, a set of values or a mask")
    array.flags.writeable = False
    return array


def _range(name: str, value: tuple) -> tuple[int, ...]:
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in value)
    if len(value) not in (2, 4) or not whole:
        raise TypeError(f"{name}: {value!r} is no range of bins; expected (start, stop) or (x0, x1, y0, y1), or a set")
    return tuple(int(n) for n in value)


def _values(name: str, values: Any) -> frozenset:
    try:
        plain = frozenset(v.item() if isinstance(v, np.generic) and v.dtype.kind != "M" else v for v in values)
    except TypeError as error:
        raise TypeError(f"{name}: cannot filter by {values!r}: {error}") from None
    known = (str, int, float, dt.date, np.datetime64, tuple, type(None))
    for value in plain:
        if not isinstance(value, known):
            raise TypeError(f"{name}: cannot filter by {value!r}; expected text, numbers or dates")
    return plain


def _identity(held: Filter) -> Any:
    if isinstance(held, np.ndarray):
        return "mask", held.shape, held.tobytes()
    return type(held).__name__, held


def _short(held: Filter) -> str:
    if isinstance(held, np.ndarray):
        return f"<{int(held.sum())} of {held.size} bins>"
    if isinstance(held, frozenset):
        shown = sorted(map(repr, held))
        return "{" + ", ".join(shown[:4]) + (f", ... {len(shown)}" if len(shown) > 4 else "") + "}"
    return str(held)


def _to_json(held: Filter) -> dict[str, Any]:
    if isinstance(held, np.ndarray):
        return {"mask": "".join("01"[bit] for bit in held.ravel().tolist()), "shape": list(held.shape)}
    if isinstance(held, tuple):
        return {"range": list(held)}
    return {"values": sorted((_plain(value) for value in held), key=repr)}


def _plain(value: Any) -> Any:
    if isinstance(value, (dt.date, np.datetime64)):
        return {"date": value.isoformat() if isinstance(value, dt.date) else str(value)}
    return list(value) if isinstance(value, tuple) else value


def _from_json(data: dict[str, Any]) -> Filter:
    if "mask" in data:
        mask = np.array([{"0": False, "1": True}[bit] for bit in data["mask"]], bool)
        return mask.reshape(data.get("shape", [-1]))
    if "range" in data:
        return tuple(data["range"])
    return frozenset(_value(item) for item in data["values"])


def _value(item: Any) -> Any:
    if isinstance(item, dict):
        text = item["date"]
        return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text)
    return tuple(item) if isinstance(item, list) else item
