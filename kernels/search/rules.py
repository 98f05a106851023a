"""Forecasts without learning from features: last value, last season, drift, mean, exponential smoothing."""

from __future__ import annotations

import itertools

import numpy as np


def forecast(rule: str, z: np.ndarray, steps: int, season: int) -> np.ndarray:
    """The next `steps` values of one series.

    Parameters
    ----------
    rule : {"naive", "seasonal", "drift", "mean", "smoothing"}
    z : (n,) float64
        The past, at least one value.
    season : int
        Its length; 1 for none.
    """
    ahead = np.arange(1, steps + 1)
    if rule == "seasonal" and len(z) >= season > 1:
        return z[len(z) - season + (ahead - 1) % season]
    if rule == "drift":
        return z[-1] + (z[-1] - z[0]) / max(1, len(z) - 1) * ahead
    if rule == "mean":
        return np.full(steps, z.mean())
    if rule == "smoothing":
        return smoothed(z, steps, season)
    return np.full(steps, z[-1])


def smoothed(z: np.ndarray, steps: int, season: int) -> np.ndarray:
    """Additive exponential smoothing with damped trend and season (Holt, Winters).

    The weights are those of a small grid whose forecasts of one step had the least squared error; the grid is run
    side by side.
    """
    season = season if len(z) >= 2 * season else 1
    grid = np.array(
        list(itertools.product((0.05, 0.2, 0.5, 0.9), (0.0, 0.1, 0.3), (0.05, 0.3) if season > 1 else (0.0,)))
    )
    a, b, c = grid.T  # (G,)
    damp, level, trend = 0.95, np.full(len(grid), z[:season].mean()), np.zeros(len(grid))
    cycle = np.tile(z[:season] - z[:season].mean(), (len(grid), 1))  # (G, season)
    error = np.zeros(len(grid))
    for t in range(season if season > 1 else 1, len(z)):
        at = t % season
        said = level + damp * trend + cycle[:, at]
        error += (z[t] - said) ** 2
        before, level = level, a * (z[t] - cycle[:, at]) + (1 - a) * (level + damp * trend)
        trend = b * (level - before) + (1 - b) * damp * trend
        cycle[:, at] += c * (z[t] - level - cycle[:, at])
    best = int(error.argmin())
    ahead = np.arange(1, steps + 1)
    drift = trend[best] * np.cumsum(damp**ahead)
    return level[best] + drift + cycle[best, (len(z) - 1 + ahead) % season]
