"""Changes of two attributes at once, nearly all of them: what an additive net answers to two regions is a sum over a
table of their bins, so that a product of three matrices holds the answers of every pair of regions.

These are the suggestions that people understand: two filters instead of six.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .regions import Intervals, Sets
from .targets import Target

if TYPE_CHECKING:
    from .invert import Search

TICKS = 28  # places along an axis where regions begin and end
EACH = 6  # pairs of regions kept of every pair of attributes
MARGIN = 0.5  # of what counts as a hit, as these are looked at by the model only


def pairs(search: Search) -> np.ndarray:
    """Hard rows with two attributes changed that hit, those of little change; the nearest ones where none hits.

    None at all where answers are not sums: nets that are not additive, means, whole views.
    """
    rows = [search.single()[:1]]
    if _linear(search) and len(search.free) > 1:
        tables = _tables(search)
        regions = {name: _regions(each) for name, each in search.free.items()}
        shown = {name: search.free[name].masks(hard).astype(np.float32) for name, hard in regions.items()}
        change = {name: _change(search, name, mask) for name, mask in shown.items()}
        for a, b in combinations(search.free, 2):
            answers = [shown[a] @ table[a, b] @ shown[b].T for table in tables]
            chosen = _best(search, answers, change[a][:, None] + change[b])
            row = np.repeat(rows[0], len(chosen), axis=0)
            row[:, search.columns[a]] = regions[a][chosen[:, 0]]
            row[:, search.columns[b]] = regions[b][chosen[:, 1]]
            rows.append(row)
    return np.concatenate(rows[1:]) if len(rows) > 1 else rows[0][:0]


def _linear(search: Search) -> bool:
    one = all(len(target.value) == 1 for target in search.targets)
    views = {target.key[0] for target in search.targets if target.places is not None}
    sums = search.aggregate == "count" or search.aggregate[0] == "sum"
    return one and sums and search.model.additive and not views & set(search.free)


def _tables(search: Search) -> list[dict[tuple[str, str], np.ndarray]]:
    """Per target: what it is for every bin of a and every bin of b (n_a, n_b), all else as in the base."""
    return [_table(search, target) for target in search.targets]


def _table(search: Search, target: Target) -> dict[tuple[str, str], np.ndarray]:
    slices, names = search.schema.slices, list(search.free)
    origin = search.origin.copy()
    if target.places is not None:
        origin[slices[target.key[0]]] = False
        origin[target.places] = True
    sizes = [slices[name].stop - slices[name].start for name in names[:-1]]
    masks = np.repeat(origin[None], sum(sizes), axis=0)
    ends = np.cumsum([0, *sizes])
    for k, name in enumerate(names[:-1]):
        masks[ends[k] : ends[k + 1], slices[name]] = np.eye(sizes[k], dtype=bool)
    answers = search.model.query_many(masks, search.aggregate).astype(np.float32)
    return {(a, b): answers[ends[k] : ends[k + 1], slices[b]] for k, a in enumerate(names[:-1]) for b in names[k + 1 :]}


def _regions(region: Intervals | Sets) -> np.ndarray:
    """All regions of an attribute, or those on a coarser grid; of a map what one cut per side gives."""
    if isinstance(region, Sets):
        return region.every()
    whole = np.array([end for size in region.shape for end in (0, size)])
    rows = []
    for axis, size in enumerate(region.shape):
        ticks = np.unique(np.rint(np.linspace(0, size, min(size + 1, TICKS))).astype(np.int64))
        start, stop = np.triu_indices(len(ticks), 1)
        row = np.repeat(whole[None], len(start), axis=0)
        row[:, 2 * axis], row[:, 2 * axis + 1] = ticks[start], ticks[stop]
        rows.append(row)
    return np.concatenate(rows)


def _change(search: Search, name: str, masks: np.ndarray) -> np.ndarray:
    part = search.schema.slices[name]
    origin, seen = search.origin[part], search.seen[part]
    both, either = (masks * (origin & seen)).sum(1), (np.maximum(masks, origin) * seen).sum(1)
    return np.where(either > 0, 1 - both / np.maximum(either, 1), 0)


def _best(search: Search, answers: list[np.ndarray], change: np.ndarray) -> np.ndarray:
    """Places (k, 2) of the pairs of regions to keep."""
    if not change.size:
        return np.empty((0, 2), np.int64)
    misses = [
        np.abs(found - target.value) / max(abs(float(target.value[0])), target.least)
        for found, target in zip(answers, search.targets, strict=True)
    ]
    miss = sum(misses) / len(misses)
    key = np.where(miss <= MARGIN * search.hit, change, 10 + miss).ravel()
    least = np.argpartition(key, min(EACH, key.size) - 1)[:EACH]
    return np.stack(np.unravel_index(least, change.shape), 1)
