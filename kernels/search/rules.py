"""Forecasts without learning from features: last value, last season, drift, mean, exponential smoothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

_CELLS = 2_000_000  # of the seasons of all weights and series that are run side by side


def forecasts(rule: str, pasts: Sequence[np.ndarray], steps: int, season: int) -> np.ndarray:
    """(series, steps): the next values of several series; zeros where nothing is known.

    Parameters
    ----------
    rule : {"naive", "seasonal", "drift", "mean", "smoothing"}
    pasts : list of (n,) arrays
    season : int
        Its length; 1 for none.
    """
    found = np.zeros((len(pasts), steps))
    there = [i for i, past in enumerate(pasts) if len(past)]
    if rule == "smoothing":
        found[there] = _smoothed_all([pasts[i] for i in there], steps, season)
        return found
    for i in there:
        found[i] = forecast(rule, pasts[i], steps, season)
    return found


def forecast(rule: str, z: np.ndarray, steps: int, season: int) -> np.ndarray:
    """The next `steps` values of one series of at least one value."""
    ahead = np.arange(1, steps + 1)
    if rule == "smoothing":
        return smoothed(z, steps, season)
    if rule == "seasonal" and len(z) >= season > 1:
        return z[len(z) - season + (ahead - 1) % season]
    if rule == "drift":
        return z[-1] + (z[-1] - z[0]) / max(1, len(z) - 1) * ahead
    if rule == "mean":
        return np.full(steps, z.mean())
    return np.full(steps, z[-1])


def smoothed(z: np.ndarray, steps: int, season: int) -> np.ndarray:
    """Additive exponential smoothing with damped trend and season (Holt, Winters).

    The weights are those of a small grid whose forecasts of one step had the least squared error; the grid is run
    side by side.
    """
    return _smoothed_all([z], steps, season)[0]


def _smoothed_all(pasts: Sequence[np.ndarray], steps: int, season: int) -> np.ndarray:
    """(series, steps); those that are long enough for the season with it, as many at once as fit into memory."""
    found = np.zeros((len(pasts), steps))
    long = np.array([len(past) >= 2 * season for past in pasts], dtype=bool)
    for length, mine in ((season, np.flatnonzero(long)), (1, np.flatnonzero(~long))):
        size = max(1, _CELLS // (24 * length))
        for begin in range(0, len(mine), size):
            at = mine[begin : begin + size]
            found[at] = _smoothed_together([pasts[i] for i in at], steps, length)
    return found


def _smoothed_together(pasts: Sequence[np.ndarray], steps: int, season: int) -> np.ndarray:
    grid = np.array(
        list(itertools.product((0.05, 0.2, 0.5, 0.9), (0.0, 0.1, 0.3), (0.05, 0.3) if season > 1 else (0.0,)))
    )
    a, b, c = grid.T  # (K,)
    lengths = np.array([len(past) for past in pasts])
    z = np.zeros((len(pasts), lengths.max()))  # (G, T)
    for row, past in zip(z, pasts, strict=True):
        row[: len(past)] = past
    damp, level = 0.95, np.repeat(z[:, :season].mean(axis=1)[:, None], len(grid), axis=1)  # (G, K)
    trend, error = np.zeros_like(level), np.zeros_like(level)
    cycle = np.repeat((z[:, :season] - level[:, :1])[:, None, :], len(grid), axis=1)  # (G, K, season)
    for t in range(season if season > 1 else 1, z.shape[1]):
        at, on = t % season, (t < lengths)[:, None]
        now, turn = z[:, t, None], cycle[:, :, at]
        flat = level + damp * trend
        error += np.where(on, (now - flat - turn) ** 2, 0.0)
        risen = a * (now - turn) + (1 - a) * flat
        trend = np.where(on, b * (risen - level) + (1 - b) * damp * trend, trend)
        level = np.where(on, risen, level)
        cycle[:, :, at] = turn + np.where(on, c * (now - risen - turn), 0.0)
    mine, best = np.arange(len(pasts)), error.argmin(axis=1)
    ahead = np.arange(1, steps + 1)
    drift = trend[mine, best][:, None] * np.cumsum(damp**ahead)
    turns = (lengths[:, None] - 1 + ahead) % season
    return level[mine, best][:, None] + drift + cycle[mine, best][mine[:, None], turns]
