"""Fewer points of a line, that look the same: the least and the largest value of every pixel's width are kept."""

from __future__ import annotations

import numpy as np


def decimated(x: np.ndarray, y: np.ndarray, low: float, high: float, buckets: int) -> np.ndarray:
    """Positions, rising, of the points to draw of a line between `low` and `high`.

    Parameters
    ----------
    x : (points,) array
        Rising.
    y : (points,) array
        NaN: a gap, kept where nothing else is near.
    low, high : float
        What is seen of x; the neighbours on both sides are kept, so that the line runs out of the picture.
    buckets : int
        Parts of equal width, of each of which at most two points are kept: as many as there are pixels, or less.

    Raises
    ------
    ValueError
        If there are fewer than one bucket, or x and y differ in length.
    """
    if len(x) != len(y) or buckets < 1:
        raise ValueError(f"expected as many y as x and a bucket or more, got {len(y)}, {len(x)} and {buckets}")
    start = max(int(np.searchsorted(x, low, "left")) - 1, 0)
    end = min(int(np.searchsorted(x, high, "right")) + 1, len(x))
    if end - start <= 2 * buckets + 2:
        return np.arange(start, max(end, start))
    width = (float(x[end - 1]) - float(x[start])) / buckets or 1.0
    bucket = np.minimum(((x[start:end] - x[start]) / width).astype(np.int64), buckets - 1)
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    kept = [_first(np.fmin, y[start:end], bucket, starts), _first(np.fmax, y[start:end], bucket, starts)]
    return start + np.unique(np.concatenate([[0, end - start - 1], *kept]))


def _first(extreme: np.ufunc, y: np.ndarray, bucket: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Of each bucket the first place of its extreme value; of one without values its first place."""
    found = np.repeat(extreme.reduceat(y, starts), np.diff(np.append(starts, len(y))))
    at = np.flatnonzero((y == found) | np.isnan(found))
    return at[np.diff(bucket[at], prepend=-1) > 0]
