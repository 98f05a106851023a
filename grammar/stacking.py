"""Geometry of stacked bars: where each segment begins and ends, as distances from the zero line.

Positive segments grow away from the zero line on one side, negative ones on the other, in the order of the columns.

A log scale has no zero for bars to stand on. Here it is the *bar* that is measured on a log scale: a bar that adds up
to `total` is log10(1 + total / floor) long, and its segments share that length in proportion to their values. Totals
far below `floor` are drawn in proportion, totals far above it one unit per decade.
"""

from __future__ import annotations

import math

import numpy as np

TRANSFORMS = ("linear", "log")


def stack(values: np.ndarray, transform: str = "linear", floor: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Near and far end of every segment.

    Parameters
    ----------
    values : (T, K)
        Signed sizes; column 0 lies next to the zero line. NaN counts as 0.
    transform : {"linear", "log"}
    floor : float, for the log transform
        The total at which lengths turn from proportional to logarithmic.

    Returns
    -------
    near, far : (T, K)
        Signed distances from the zero line; |near| <= |far|, and the far end of a segment is the near end of the next
        one of its sign.

    Raises
    ------
    ValueError
        If values are not (T, K), the transform is unknown, or the log transform lacks a positive floor.
    """
    values = np.asarray(values, float)
    if values.ndim != 2:
        raise ValueError(f"expected values of shape (steps, lags), got {values.shape}")
    values = np.nan_to_num(values, nan=0.0)
    sides = [_one_side(part, transform, floor) for part in (np.maximum(values, 0), np.maximum(-values, 0))]
    (near, far), (near_below, far_below) = sides
    below = values < 0
    return np.where(below, -near_below, near), np.where(below, -far_below, far)


def _one_side(values: np.ndarray, transform: str, floor: float | None) -> tuple[np.ndarray, np.ndarray]:
    """`stack` of values that are all >= 0."""
    ends = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=ends[:, 1:])
    total = ends[:, -1:]
    scale = np.divide(length(total, transform, floor), total, out=np.ones_like(total), where=total > 0)
    ends *= scale
    return ends[:, :-1], ends[:, 1:]


def length(total: np.ndarray, transform: str = "linear", floor: float | None = None) -> np.ndarray:
    """How long a bar is that adds up to `total`, sign kept; see `stack` for the parameters and errors."""
    if transform not in TRANSFORMS:
        raise ValueError(f"transform must be one of {list(TRANSFORMS)}, got {transform!r}")
    if transform == "linear":
        return np.asarray(total, float)
    if floor is None or not (math.isfinite(floor) and floor > 0):
        raise ValueError(f"the log transform needs a floor above 0, got {floor!r}")
    return np.sign(total) * np.log1p(np.abs(total) / floor) / math.log(10)


def default_floor(largest: float) -> float:
    """A power of ten three decades under the largest bar; 1 when there is no bar."""
    if not (math.isfinite(largest) and largest > 0):
        return 1.0
    return 10.0 ** max(math.floor(math.log10(largest)) - 3, -300)


def log_ticks(low: float, high: float, floor: float) -> dict[float, str]:
    """Ticks for bars of log length: position -> label with the true total.

    Parameters
    ----------
    low, high : float
        The largest total below and above the zero line, low <= 0 <= high.
    floor : float
        The floor the lengths were computed with.
    """
    ticks = {0.0: "0"}
    for sign, reach in ((1, high), (-1, -low)):
        decades = round(math.log10(reach / floor)) if reach > floor else 0
        exponents = range(0, decades + 1, max(1, decades // 4))
        for total in (floor * 10.0**e for e in exponents):
            if total <= 1.05 * reach:
                ticks[float(length(np.array(sign * total), "log", floor))] = f"{sign * total:.3g}"
    span = float(length(np.array(high), "log", floor) - length(np.array(low), "log", floor))
    return {at: label for at, label in ticks.items() if at == 0 or abs(at) > 0.08 * span}


def grid(steps: np.ndarray, lags: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, ...]:
    """A table of cells as a grid, lags ordered by distance.

    Parameters
    ----------
    steps, lags, values : (N,)
        One row per cell, in any order; absent cells are 0.

    Returns
    -------
    step : (S,), rising
    lag : (K,), by |lag|, positive before negative
    grid : (S, K)
    row, column : (N,) int
        Where each row of the table went.

    Raises
    ------
    ValueError
        If a cell occurs twice.
    """
    step, row = np.unique(steps, return_inverse=True)
    found, column = np.unique(lags, return_inverse=True)
    order = np.lexsort((-found, np.abs(found)))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    column = place[column]
    filled = np.zeros((len(step), len(found)))
    filled[row, column] = values
    if len(np.unique(row * max(len(found), 1) + column)) != len(values):
        raise ValueError("expected every (step, lag) once, got some of them twice")
    return step, found[order], filled, row, column
