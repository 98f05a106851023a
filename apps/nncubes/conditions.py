"""What a filter means for a table: comparisons of columns, before they are written in any language."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnviews.kernels.cube import Attribute


@dataclass(frozen=True)
class Span:
    """A column, or a part of a date, between two values; None is open. `closed`: the upper end is included."""

    column: str
    low: Any
    high: Any
    closed: bool = False
    part: str | None = None


@dataclass(frozen=True)
class Values:
    """A column that holds one of these values, or none of them."""

    column: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Missing:
    """A column without a value."""

    column: str


Test = Span | Values | Missing
Alternatives = list[list[Test]]  # one of them holds; all tests of it do


def conditions(attribute: Attribute, held: Any) -> Alternatives:
    """When a row passes a filter."""
    mask = attribute.mask(held)
    column = attribute.columns[0]
    if attribute.kind == "categorical":
        found = _categories(attribute, mask)
    elif len(attribute.shape) == 2:
        found = _cells(attribute, mask[: attribute.size].reshape(attribute.shape))
    else:
        found = [[_span(attribute, a, b)] for a, b in runs(mask[: attribute.size])]
    if attribute.missing and mask[-1]:
        found.append([Missing(column)])
    return found


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Half-open ranges of the places that are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _categories(attribute: Any, mask: np.ndarray) -> Alternatives:
    categories, column = attribute.categories, attribute.columns[0]
    chosen = tuple(value for value, taken in zip(categories, mask, strict=False) if taken)
    found: Alternatives = [[Values(column, chosen)]] if chosen else []
    if attribute.other and mask[len(categories)]:
        rest = tuple(value for value in categories if value not in chosen)
        return [[Values(column, rest, negated=True)]]
    return found


def _span(attribute: Any, a: int, b: int) -> Span:
    """Bins a to b - 1 of one axis."""
    column = attribute.columns[0]
    if attribute.kind == "integer":
        return Span(column, attribute.low + a, attribute.low + b - 1, closed=True)
    if attribute.kind == "numeric":
        return _between(column, attribute.edges, a, b, attribute.clamp)
    if attribute.part is not None:
        return Span(column, attribute._low + a, attribute._low + b - 1, closed=True, part=attribute.part)
    starts = attribute.starts()
    return Span(column, _instant(starts[a]), _instant(starts[b]))


def _instant(time: np.datetime64) -> str:
    """A date, with the time of day where it has one."""
    day = time.astype("M8[D]")
    return str(day) if day == time else str(time.astype("M8[us]")).replace("T", " ")


def _between(column: str, edges: np.ndarray, a: int, b: int, clamp: bool) -> Span:
    n = len(edges) - 1
    low = None if (a == 0 and clamp) or np.isinf(edges[a]) else float(edges[a])
    high = None if (b == n and clamp) or np.isinf(edges[b]) else float(edges[b])
    return Span(column, low, high, closed=b == n)


def _cells(attribute: Any, chosen: np.ndarray) -> Alternatives:
    """Rectangles that make up chosen cells (nx, ny): columns that are alike are taken together."""
    x, y = attribute.columns
    found: Alternatives = []
    rows = [tuple(runs(column)) for column in chosen]
    for spans, group in itertools.groupby(range(len(rows)), key=lambda i: rows[i]):
        places = list(group)
        across = _between(x, attribute.x_edges, places[0], places[-1] + 1, attribute.clamp)
        found += [[across, _between(y, attribute.y_edges, a, b, attribute.clamp)] for a, b in spans]
    return found
