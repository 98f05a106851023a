"""Selections of one attribute that the query map shows, where they lie, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from learnviews.apps.nncubes.wording import filter_words
from learnviews.kernels.cube import Model, Query

MOST = 300  # single bins; of more, those with the most rows
PAIRED = 8  # categories whose pairs are shown: those with the most rows
STEPS = 40  # places of a range along an axis at most
ROW = 0.5  # rows: answers of fewer are noise
CONTEXTS = 32  # queries to compare over, for nets that are asked for one selection after the other


def selections_of(attribute: Any, rows: np.ndarray) -> list[Any]:
    """Filters: single bins, and ranges, boxes or sets of several, from small to large.

    Parameters
    ----------
    attribute : Attribute
    rows : (bins,)
        Where there are none, nothing is worth a point.
    """
    held = np.flatnonzero(rows >= ROW)
    alone = sorted(held[np.argsort(-rows[held], kind="stable")][:MOST].tolist())
    if len(attribute.shape) == 2:
        return _boxes(attribute, alone, rows)
    labels = attribute.labels()
    if not attribute.ordered:
        large = held[np.argsort(-rows[held], kind="stable")][:PAIRED].tolist()
        pairs = [frozenset([labels[i], labels[j]]) for i, j in combinations(sorted(large), 2)] if len(held) > 2 else []
        return [frozenset([labels[i]]) for i in alone] + pairs
    singles = [(i, i + 1) if i < attribute.size else frozenset([labels[i]]) for i in alone]
    return singles + [(a, b) for a, b in _ranges(attribute.size) if rows[a:b].sum() >= ROW]


def _ranges(n: int) -> list[tuple[int, int]]:
    out, width = [], 2
    while width <= max(2, n // 2) and width < n:
        step = max(1, width // 2, -(-n // STEPS))
        out += [(start, start + width) for start in range(0, n - width + 1, step)]
        width *= 2
    return out


def _boxes(attribute: Any, cells: list[int], rows: np.ndarray) -> list[Any]:
    """Cells, and boxes of a quarter and half the map's width."""
    nx, ny = attribute.shape
    grid = rows[: nx * ny].reshape(nx, ny)
    out = [(i // ny, i // ny + 1, i % ny, i % ny + 1) for i in cells if i < nx * ny]
    for part in (4, 2):
        w, h = -(-nx // part), -(-ny // part)
        boxes = [(x, min(x + w, nx), y, min(y + h, ny)) for x in range(0, nx, w) for y in range(0, ny, h)]
        out += [box for box in boxes if grid[box[0] : box[1], box[2] : box[3]].sum() >= ROW]
    return list(dict.fromkeys(out))


@dataclass(frozen=True, eq=False)
class Laid:
    """Selections of an attribute, and where they lie.

    Attributes
    ----------
    name : str
        The attribute.
    filters : list
    labels : list of str
        In words.
    masks : (n, bins of the attribute) bool
    places : (n, 2)
    """

    name: str
    filters: list[Any]
    labels: list[str]
    masks: np.ndarray
    places: np.ndarray

    def row_of(self, mask: np.ndarray) -> int | None:
        """The selection of these bins (bins,), if it is among them."""
        found = np.flatnonzero((self.masks == mask).all(1)) if len(self.masks) else []
        return int(found[0]) if len(found) else None


@lru_cache(64)
def lay(model: Model, name: str, aggregate: Any) -> Laid:
    """An attribute's selections; of every model, attribute and aggregate once for all sessions."""
    one = model.schema[name]
    first = model.aggregate("count") if "count" in model.aggregates else None
    rows = np.ones(one.bins) if first is None else np.nan_to_num(model.views(None, first)[name])
    filters = selections_of(one, rows)
    masks = np.array([one.mask(held) for held in filters], bool).reshape(len(filters), one.bins)
    options = {} if model.additive else {"contexts": CONTEXTS}
    places = model.project(name, masks, aggregate=aggregate, **options) if len(masks) else np.empty((0, 2))
    return Laid(name, filters, [filter_words(one, held) for held in filters], masks, places)


@lru_cache(256)
def place_of(model: Model, held: Query, aggregate: Any) -> tuple[float, float] | None:
    """Where one more selection lies, that of a query's only filter; None where to find out takes too long."""
    (name,) = held.filters
    if not model.additive:
        return None
    x, y = model.project(name, [held], aggregate=aggregate)[0]
    return float(x), float(y)


@dataclass(frozen=True, eq=False)
class Answers:
    """What selections answer under the filters of the other attributes.

    Attributes
    ----------
    laid : Laid
    values : (n,)
        nan where hardly a row is left.
    rows : (n,) or None
    whole, whole_rows : float
        Without any filter on the attribute.
    now : (x, y) or None
        Where the present filter on the attribute lies.
    """

    laid: Laid
    values: np.ndarray
    rows: np.ndarray | None
    whole: float
    whole_rows: float
    now: tuple[float, float] | None


def answers(model: Model, source: Any, query: Query, name: str, aggregate: Any) -> Answers:
    """Answers of an attribute's selections, by a source: the model, or its exact cube."""
    laid = lay(model, name, aggregate)
    masks = queries(model, query, laid, np.arange(len(laid.filters)))
    every = model.schema.masks([query.replace(**{name: None})])
    masks = np.concatenate([masks, every])
    values = np.asarray(source.totals_many(masks, aggregate), np.float64)
    rows = None
    if "count" in model.aggregates:
        rows = values if aggregate == "count" else np.asarray(source.totals_many(masks, "count"), np.float64)
        values = np.where(rows < ROW, np.nan, values) if aggregate != "count" else values
    now = _now(model, query, laid, aggregate)
    share = None if rows is None else rows[:-1]
    return Answers(laid, values[:-1], share, float(values[-1]), np.nan if rows is None else float(rows[-1]), now)


def queries(model: Model, query: Query, laid: Laid, rows: np.ndarray) -> np.ndarray:
    """Masks (n, all bins) of the query with some of the selections in the place of its own filter."""
    masks = np.repeat(model.schema.masks([query.replace(**{laid.name: None})]), len(rows), axis=0)
    masks[:, model.schema.slices[laid.name]] = laid.masks[rows]
    return masks


def _now(model: Model, query: Query, laid: Laid, aggregate: Any) -> tuple[float, float] | None:
    held = query.filters.get(laid.name)
    if held is None:
        return None
    row = laid.row_of(model.schema[laid.name].mask(held))
    if row is not None:
        return float(laid.places[row, 0]), float(laid.places[row, 1])
    return place_of(model, Query(**{laid.name: held}), aggregate)
