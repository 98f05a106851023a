"""Bins within bins: filters carried from an attribute to one with finer bins, and back."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .attributes import Attribute
from .query import Filter, Query
from .schema import Schema


@functools.lru_cache(64)
def parents(coarse: Attribute, fine: Attribute) -> np.ndarray:
    """The coarse bin that holds each fine one: (fine.bins,) int64, read-only.

    Raises
    ------
    ValueError
        If a coarse bin is no union of fine ones.
    """
    if coarse == fine:
        found = np.arange(coarse.size)
    elif (coarse.kind, coarse.columns, coarse.missing) != (fine.kind, fine.columns, fine.missing):
        raise _not_nested(coarse, fine)
    else:
        found = _parents(coarse, fine)
    if coarse.missing:
        found = np.append(found, coarse.size)
    found = found.astype(np.int64)
    found.flags.writeable = False
    return found


def _parents(coarse: Any, fine: Any) -> np.ndarray:
    if coarse.kind == "numeric" and coarse.clamp == fine.clamp:
        return _between(coarse, fine, coarse.edges, fine.edges)
    if coarse.kind == "temporal" and coarse.part is None and fine.part is None:
        return _between(coarse, fine, *(each.starts().astype("M8[us]") for each in (coarse, fine)))
    if coarse.kind == "spatial" and (coarse.projection, coarse.clamp) == (fine.projection, fine.clamp):
        x = _between(coarse, fine, coarse.x_edges, fine.x_edges)
        y = _between(coarse, fine, coarse.y_edges, fine.y_edges)
        return (x[:, None] * coarse.shape[1] + y).ravel()
    if coarse.kind == "categorical" and coarse.other and fine.categories[: coarse.size - 1] == coarse.categories:
        return np.minimum(np.arange(fine.size), coarse.size - 1)
    raise _not_nested(coarse, fine)


def _between(coarse: Attribute, fine: Attribute, edges: np.ndarray, finer: np.ndarray) -> np.ndarray:
    """Of one axis: every edge must be one of the finer ones, to the last bit."""
    if (edges[[0, -1]] != finer[[0, -1]]).any() or not np.isin(edges, finer).all():
        raise _not_nested(coarse, fine)
    return np.searchsorted(edges, finer[:-1], "right") - 1


def _not_nested(coarse: Attribute, fine: Attribute) -> ValueError:
    return ValueError(f"{coarse!r} is not made of bins of {fine!r}: expected finer bins of the same column")


def children(coarse: Attribute, fine: Attribute, start: int, stop: int) -> tuple[int, int]:
    """The fine bins [start, stop) of a range of coarse ones, in a row."""
    first, last = np.searchsorted(parents(coarse, fine), [start, stop])
    return int(first), int(last)


def translate(held: Filter, old: Attribute, new: Attribute) -> tuple[Filter | None, bool]:
    """A filter on one attribute as one on another with finer or coarser bins of the same column.

    Parameters
    ----------
    held : tuple, frozenset or boolean array
        As a `Query` holds it. Ranges stay ranges, sets of labels sets, all else becomes a mask.
    old, new : Attribute

    Returns
    -------
    filter : tuple, frozenset, (bins,) array or None
        None where all bins are taken.
    exact : bool
        Whether it takes the same rows. To coarser bins, those that overlap are taken.

    Raises
    ------
    ValueError
        If neither is made of bins of the other.
    """
    if old == new:
        return held, True
    try:
        inside, finer = parents(old, new), True
    except ValueError:
        inside, finer = parents(new, old), False
    found: Filter | None = _range(held, old, new, inside, finer) if isinstance(held, tuple) else None
    mask = old.mask(held)
    other = mask[inside] if finer else np.bincount(inside, mask, new.bins) > 0
    if other.all():
        return None, finer or bool(mask.all())
    if found is None or not (new.mask(found) == other).all():
        found = _labels(new, other) if isinstance(held, frozenset) and not new.ordered else other
    return found, finer or bool((other[inside] == mask).all())


def _range(held: tuple, old: Attribute, new: Attribute, inside: np.ndarray, finer: bool) -> tuple | None:
    if len(held) == 4:
        found: list[int] = []
        for axis in range(2):
            factor = new.shape[axis] // old.shape[axis] if finer else old.shape[axis] // new.shape[axis]
            start, stop = held[2 * axis : 2 * axis + 2]
            found += [start * factor, stop * factor] if finer else [start // factor, -(-stop // factor)]
        return tuple(found)
    start, stop = held
    if finer:
        return children(old, new, start, stop)
    return (int(inside[start]), int(inside[stop - 1]) + 1) if start < stop else (0, 0)


def _labels(attribute: Attribute, mask: np.ndarray) -> frozenset:
    return frozenset(label for label, taken in zip(attribute.labels(), mask, strict=True) if taken)


def translate_query(query: Query, old: Schema, new: Schema) -> tuple[Query, bool]:
    """A query of one schema as one of another whose attributes, of the same names, are finer or coarser.

    Returns
    -------
    Query, and whether it takes the same rows; see `translate`.
    """
    found = {name: translate(held, old[name], new[name]) for name, held in query.filters.items()}
    return Query(**{name: held for name, (held, _) in found.items()}), all(exact for _, exact in found.values())
