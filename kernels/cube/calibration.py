"""Intervals that hold: how far answers were off on queries the net was not trained on, by view and size of the answer.

Split conformal prediction (Vovk; Lei et al. 2018), per view and per power of two of what was predicted: within such a
group the widths are quantiles of what was seen. Many answers are 0. Where such zeros are frequent the interval reaches
from the prediction to 0, and so far beyond that of the answers that are *not* 0 the wanted share is covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = 40  # powers of two told apart, from below 1 to 2^39
ENOUGH = 100  # non-zero answers a group needs of its own; smaller ones take the widths of their neighbours
OFTEN = 0.05  # share of zeros from which on an interval includes 0


@dataclass(frozen=True)
class Calibration:
    """Widths below and above a prediction, by view and level; `nan` below: the interval is that between 0 and the
    prediction, made wider by `above` at both ends.

    Attributes
    ----------
    coverage : float
        Share of answers that intervals are made to cover.
    below, above : (views, LEVELS) float32
    """

    coverage: float
    below: np.ndarray
    above: np.ndarray

    def interval(self, view: int, predicted: Any, size: Any, floor: float = -np.inf) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends around `predicted` (...), whose group is given by `size` (...), not below `floor`."""
        level = levels(size)
        below, above = self.below[view][level], self.above[view][level]
        from_0 = np.isnan(below)
        low = np.where(from_0, np.minimum(0, predicted) - above, predicted - below)
        return np.maximum(low, floor), np.where(from_0, np.maximum(0, predicted), predicted) + above


def levels(size: Any) -> np.ndarray:
    """0 below 1/2, then one level per power of two."""
    with np.errstate(invalid="ignore", divide="ignore"):
        power = np.floor(np.log2(np.maximum(np.nan_to_num(np.asarray(size, np.float64)), 1e-9)))
    return np.clip(power + 2, 0, LEVELS - 1).astype(np.intp)


def calibrate(
    predicted: np.ndarray,
    truth: np.ndarray,
    size: np.ndarray,
    sizes: tuple[int, ...],
    coverage: float = 0.9,
    zeros: bool = True,
) -> Calibration:
    """Widths from held-out answers.

    Parameters
    ----------
    predicted, truth, size : (n, bins)
        `size` tells groups apart: the prediction's magnitude, or for a mean the number of rows. nan truth is left out.
    sizes : tuple of int
        Bins per view.
    zeros : bool
        Treat answers of 0 apart (counts, sums).
    """
    cuts = np.cumsum(sizes)[:-1]
    views = [np.split(array, cuts, axis=1) for array in (predicted, truth, size)]
    below, above = np.zeros((2, len(sizes), LEVELS), np.float32)
    for v, (p, y, s) in enumerate(zip(*views, strict=True)):
        known = ~np.isnan(y) & ~np.isnan(p)
        below[v], above[v] = _widths(p[known], y[known], levels(s[known]), coverage, zeros)
    return Calibration(coverage, below, above)


def _widths(
    p: np.ndarray, y: np.ndarray, level: np.ndarray, coverage: float, zeros: bool
) -> tuple[np.ndarray, np.ndarray]:
    below, above = np.zeros((2, LEVELS), np.float32)
    order = np.argsort(level, kind="stable")
    bounds = np.searchsorted(level[order], np.arange(LEVELS + 1))
    for k in range(LEVELS):
        lo, hi = k, k + 1
        some = order[bounds[lo] : bounds[hi]]
        while np.count_nonzero(y[some]) < ENOUGH and (lo > 0 or hi < LEVELS):
            lo, hi = max(0, lo - 1), min(LEVELS, hi + 1)
            some = order[bounds[lo] : bounds[hi]]
        below[k], above[k] = _group(p[some], y[some], coverage, zeros)
    return below, above


def _group(p: np.ndarray, y: np.ndarray, coverage: float, zeros: bool) -> tuple[float, float]:
    if not len(y):
        return np.nan if zeros else 0.0, 0.0
    some = y != 0 if zeros else np.ones(len(y), bool)
    if zeros and 1 - some.mean() > OFTEN:
        beyond = np.maximum(np.minimum(0, p) - y, y - np.maximum(0, p))  # what is between 0 and p, or not
        return np.nan, _quantile(beyond[some], coverage)
    width = _quantile(np.abs(y - p)[some], coverage)
    return width, width


def _quantile(values: np.ndarray, share: float) -> float:
    """Smallest width that covers `share` of the values and one more, as new ones ask for; 0 if there are none."""
    if not len(values):
        return 0.0
    rank = min(len(values) - 1, int(np.ceil((len(values) + 1) * share)) - 1)
    width = max(0.0, float(np.partition(values, rank)[rank]))
    return float(np.nextafter(np.float32(width), np.float32(np.inf)))  # what float32 holds is not narrower
