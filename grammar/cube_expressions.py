"""Filters of a cube and HoloViews' selection expressions, each turned into the other.

A filter counts bins, an expression (`holoviews.dim`) compares columns of rows. From a filter to an expression nothing
is lost. The other way a filter takes the bins in which some value passes.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from holoviews.util.transform import dim

from .brush import filter_of, words_of

FAR = "\0"  # a text that is no category


@dataclasses.dataclass(frozen=True, slots=True, repr=False, eq=False)
class Held:
    """A filter of one attribute, that rows pass or not."""

    attribute: Any
    mask: np.ndarray  # (bins,)

    def __repr__(self) -> str:
        # HoloViews tells expressions apart by their text.
        return f"<{words_of(self.attribute, self.mask)}: {np.packbits(self.mask).tobytes().hex()}>"


def passes(column: Any, *others: Any, held: Held) -> Any:
    """Which rows a filter lets through; those outside all bins it does not."""
    given = [np.ravel(np.asarray(values)) for values in (column, *others)]
    codes = held.attribute.codes(*given)
    passed = (codes >= 0) & held.mask[np.maximum(codes, 0)]
    if hasattr(column, "index") and hasattr(column, "iloc"):
        return type(column)(passed, index=column.index)
    return passed.reshape(np.shape(column))


def attribute_expression(attribute: Any, held: Any) -> dim:
    """One filter as an expression about the attribute's columns."""
    first, *rest = map(dim, attribute.columns)
    return dim(first, passes, *rest, held=Held(attribute, attribute.mask(held)))


def expression_of(filters: dict[str, Any], schema: Any) -> dim | None:
    """All filters as one expression; None where there are none.

    Raises
    ------
    LookupError, ValueError, TypeError
        If a filter does not fit the schema.
    """
    parts = [attribute_expression(schema[name], held) for name, held in filters.items()]
    return functools.reduce(operator.and_, parts) if parts else None


def filters_of(expression: dim | None, schema: Any) -> dict[str, Any]:
    """The filters that come nearest to an expression: bins in which some value passes; of a lasso, cells whose middle.

    Raises
    ------
    LookupError
        If it is about a column that no attribute reads.
    ValueError
        If it joins columns of several attributes by "or", or a date in parts of the calendar.
    """
    masks: dict[str, np.ndarray] = {}
    for part in _by_columns(expression):
        name, mask = _known(part) or _found(part, schema)
        masks[name] = masks[name] & mask if name in masks else mask
    held = {name: filter_from(schema[name], mask) for name, mask in masks.items()}
    return {name: value for name, value in held.items() if value is not None}


def filter_from(attribute: Any, mask: np.ndarray) -> Any:
    """The most telling filter that takes just these bins; None for all."""
    if mask.all():
        return None
    if len(attribute.shape) == 2:
        held = _box(mask[: attribute.size].reshape(attribute.shape))
    else:
        labels = attribute.labels()
        held = filter_of(np.flatnonzero(mask), len(mask), attribute.ordered, labels, attribute.missing)
    same = held is not None and np.array_equal(attribute.mask(held), mask)
    return held if same else mask


def _box(cells: np.ndarray) -> tuple[int, ...] | None:
    x, y = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
    return (int(x[0]), int(x[-1]) + 1, int(y[0]), int(y[-1]) + 1) if len(x) else None


# -- expressions, taken apart


def _by_columns(expression: dim | None) -> list[dim]:
    """Parts that all must hold, one for each set of columns; filters stay by themselves."""
    known = [part for part in conjuncts(expression) if _known(part)]
    parts: dict[frozenset[str], dim] = {}
    for part in conjuncts(expression):
        key = frozenset(_columns(part))
        if not _known(part):
            parts[key] = parts[key] & part if key in parts else part
    return [*known, *parts.values()]


def conjuncts(expression: dim | None) -> Iterator[dim]:
    """Parts that all must hold."""
    if expression is None:
        return
    last = expression.ops[-1] if expression.ops else None
    if last and last["fn"] is operator.and_ and isinstance(last["args"][0], dim):
        yield from conjuncts(expression.clone(expression.dimension, expression.ops[:-1]))
        yield from conjuncts(last["args"][0])
    else:
        yield expression


def held_in(expression: dim | None) -> list[Held]:
    """The filters that an expression was made of."""
    parts = [part.ops[0] for part in conjuncts(expression) if len(part.ops) == 1]
    return [op["kwargs"]["held"] for op in parts if op["fn"] is passes]


def _known(expression: dim) -> tuple[str, np.ndarray] | None:
    held = held_in(expression)
    return (held[0].attribute.name, held[0].mask) if held else None


def _arguments(expression: dim) -> Iterator[Any]:
    for op in expression.ops:
        yield from (*op["args"], *op["kwargs"].values())


def _columns(expression: dim) -> set[str]:
    nested = [_columns(each) for each in _arguments(expression) if isinstance(each, dim)]
    return {expression.dimension.name}.union(*nested)


def _constants(expression: dim) -> list[Any]:
    """Plain values that an expression compares with."""
    found: list[Any] = []
    for each in _arguments(expression):
        if isinstance(each, dim):
            found += _constants(each)
        elif isinstance(each, (list, tuple, set, frozenset)):
            found += each
        elif np.ndim(each) == 0:
            found.append(each)
    return found


# -- which bins pass


def _found(expression: dim, schema: Any) -> tuple[str, np.ndarray]:
    columns = _columns(expression)
    attribute = _attribute_about(columns, schema)
    if len(attribute.shape) == 2:
        return attribute.name, _cells(expression, attribute, columns)
    name = next(iter(columns))
    values, codes = _samples(attribute, _constants(expression), name)
    mask = np.zeros(attribute.bins, bool)
    inside = codes >= 0
    passed = _holds(expression, {name: values})
    mask[codes[inside & passed]] = True
    return attribute.name, mask


def _attribute_about(columns: set[str], schema: Any) -> Any:
    """The attribute that can tell these columns: by its columns, or by its own name where it is part of a date."""
    calendar = [each for each in schema if getattr(each, "part", None) is not None]
    for attribute in schema:
        if attribute not in calendar and columns <= set(attribute.columns):
            return attribute
    named = [each for each in calendar if columns == {each.name} and each.name not in each.columns]
    if named:
        return named[0]
    parts = [each.name for each in calendar if columns == set(each.columns)]
    if parts:
        raise ValueError(f"a selection of dates says nothing of {', '.join(parts)}: expected parts of the calendar")
    lacking = sorted(columns - {name for each in schema for name in (*each.columns, each.name)})
    if lacking:
        raise LookupError(f"no attribute reads {', '.join(lacking)}; there are {', '.join(schema.columns)}")
    raise ValueError(f"a selection joins {', '.join(sorted(columns))}; expected columns of one attribute")


def _holds(expression: dim, columns: dict[str, np.ndarray]) -> np.ndarray:
    from holoviews import Dataset

    table = Dataset(columns, kdims=list(columns), vdims=[], datatype=["dictionary"])
    return np.asarray(expression.apply(table, flat=True)).astype(bool)


def _samples(attribute: Any, constants: list[Any], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of a column among which all that an expression can tell apart occurs, and their bins."""
    if name not in attribute.columns:  # a part of the calendar, by its name
        numbers = any(not isinstance(value, str) for value in constants)
        values = attribute._low + np.arange(attribute.size) if numbers else np.array(attribute.labels(), object)
        return values, np.arange(len(values))
    if attribute.kind == "categorical":
        values = _listed(attribute, constants)
    elif attribute.kind == "temporal":
        values = _instants(attribute, constants)
    elif attribute.kind == "integer":
        values = np.append(np.arange(attribute.low, attribute.low + attribute.size, dtype=float), np.nan)
    else:
        values = np.append(_points(attribute.edges, constants), np.nan)
    return values, attribute.codes(values)


def _listed(attribute: Any, constants: list[Any]) -> np.ndarray:
    values = list(attribute.categories)
    if all(isinstance(value, str) for value in values):
        values += [value for value in constants if isinstance(value, str)] + [FAR]
    elif not any(isinstance(value, (str, bool)) for value in values):
        values += [int(value) for value in constants if isinstance(value, (int, np.integer))]
        values += [max(values) + 1]
    values += [None]
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _points(edges: np.ndarray, constants: list[Any]) -> np.ndarray:
    """Edges, constants, a value between each two neighbours and one beyond either end."""
    numbers = [float(value) for value in constants if isinstance(value, (int, float, np.number))]
    marks = np.unique([*edges, *numbers])
    marks = marks[np.isfinite(marks)]
    beyond = max(1.0, *np.abs(marks[[0, -1]])) if len(marks) else 1.0
    ends = [marks[0] - beyond, marks[-1] + beyond] if len(marks) else [0.0]
    return np.unique(np.concatenate([marks, (marks[1:] + marks[:-1]) / 2, ends]))


def _instants(attribute: Any, constants: list[Any]) -> np.ndarray:
    marks = [*attribute.starts().astype("M8[us]")]
    for value in constants:
        if not isinstance(value, (int, float, str, np.number, bool)):
            marks.append(np.datetime64(value).astype("M8[us]"))
    ticks = np.unique(np.array(marks, "M8[us]")).astype(np.int64)
    ticks = np.unique(np.concatenate([ticks, (ticks[1:] + ticks[:-1]) // 2]))
    return np.append(ticks.astype("M8[us]"), np.datetime64("NaT")).astype("M8[ns]")


def _cells(expression: dim, attribute: Any, columns: set[str]) -> np.ndarray:
    """Bins in space (bins,)."""
    constants = _constants(expression)
    edges = (attribute.x_edges, attribute.y_edges)
    lasso = any("geometry" in op["kwargs"] for op in expression.ops)
    axes = [
        (ends[1:] + ends[:-1]) / 2 if lasso or name not in columns else _points(ends, constants)
        for ends, name in zip(edges, attribute.columns, strict=True)
    ]
    x, y = (grid.ravel() for grid in np.meshgrid(*axes, indexing="ij"))
    if attribute.missing and not lasso:
        x, y = np.append(x, np.nan), np.append(y, np.nan)
    codes = attribute.codes(x, y)
    mask = np.zeros(attribute.bins, bool)
    mask[codes[(codes >= 0) & _holds(expression, dict(zip(attribute.columns, (x, y), strict=True)))]] = True
    return mask
