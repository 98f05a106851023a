"""Time series as rows of numbers, for their classification: statistics, intervals, values, random convolutions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from . import stash
from .reading import Reader

_LAGS = (1, 2, 3, 5, 8, 13)
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_APART = (0, -5, -2, -1, 1, 2, 5)  # steps
_WIDEST = 8  # channels whose relations are looked at
_TIMES = ("time", "date", "timestamp", "t", "index")


class SeriesFeatures(TransformerMixin, BaseEstimator):
    """One column of series as numbers. Only the channels' number is learned from rows.

    Parameters
    ----------
    reader : Reader, optional
        Opens the files that the cells name; None where the cells are arrays or tables.
    features : {"kernels", "statistics", "intervals", "values", "all"}
        Random convolution kernels (ROCKET: largest value and share of positive ones); moments, quantiles, spectrum and
        autocorrelation, and of several channels the correlations between them; mean, spread and slope over nested
        intervals; the values themselves.
    length : int
        Steps every series is brought to, for all but the statistics.
    kernels : int
        How many.
    """

    def __init__(self, reader: Reader | None = None, features="kernels", length=64, kernels=150, seed=0):
        self.reader, self.features, self.length = reader, features, length
        self.kernels, self.seed = kernels, seed

    def fit(self, X, y=None):
        found = [self._channels(*cell) for cell in self._cells(X)]
        self.channels_ = max((series.shape[1] for series in found if series is not None), default=1)
        self.bank_ = _bank(self.kernels, self.length, self.channels_, self.seed)
        return self

    def transform(self, X):
        cells = self._cells(X)
        names = ("statistics", "intervals", "values", "kernels") if self.features == "all" else (self.features,)
        return np.concatenate([self._part(name, cells) for name in names], axis=1)  # (rows, features)

    def _part(self, name: str, cells: list[tuple]) -> np.ndarray:
        """(rows, features) of one kind."""
        if name == "kernels":
            return convolved(self._evenly(cells), self.bank_)
        if name == "values":
            return self._evenly(cells).reshape(len(cells), -1)
        return np.array([self._told(name, *cell) for cell in cells])

    def _evenly(self, cells: list[tuple]) -> np.ndarray:
        """(rows, length, channels)"""
        return np.array([self._even(*cell) for cell in cells])

    def _even(self, cell, row) -> np.ndarray:
        return self._once(cell, ("even", self.channels_, self.length), lambda: self._resampled(cell, row))

    def _resampled(self, cell, row) -> np.ndarray:
        return resampled(self._whole(cell, row), self.length)

    def _told(self, name: str, cell, row) -> np.ndarray:
        """Statistics, or intervals, of one series."""
        key = (name, self.channels_, self.length if name == "intervals" else 0)
        return self._once(cell, key, lambda: self._tell(name, cell, row))

    def _tell(self, name: str, cell, row) -> np.ndarray:
        series = self._whole(cell, row) if name == "statistics" else self._even(cell, row)
        part = statistics if name == "statistics" else intervals
        told = [part(channel) for channel in series.T]
        return np.concatenate([*told, relations(series)] if name == "statistics" else told)

    def _whole(self, cell, row) -> np.ndarray:
        """(steps, channels) of one series, as many channels as the training's widest had."""
        series = self._channels(cell, row)
        return np.zeros((1, self.channels_)) if series is None else _wide(series, self.channels_)

    def _channels(self, cell, row) -> np.ndarray | None:
        return self._once(cell, "channels", lambda: channels(self._open(cell, row)))

    def _open(self, cell, row):
        return self.reader.open(cell, row) if self.reader is not None and isinstance(cell, Path) else cell

    def _once(self, cell, about, make: Callable):
        """None of this is learned from rows: of a file it is computed once."""
        if self.reader is None or not isinstance(cell, Path):
            return make()
        return stash.of_file(cell, (self.reader.types, about), make)

    def _cells(self, X) -> list[tuple]:
        """Each row's cell, or the path it names, and its id."""
        cells = X.iloc[:, 0]
        return list(zip(cells if self.reader is None else self.reader.paths(cells), cells.index, strict=True))

    def get_feature_names_out(self, input_features=None):
        column = "series" if input_features is None else input_features[0]
        width = self.transform(pd.DataFrame({"series": [np.zeros((self.length, self.channels_))]})).shape[1]
        return np.asarray([f"{column} {i}" for i in range(width)], dtype=object)


def channels(cell) -> np.ndarray | None:
    """The values of one series, (steps, channels), gaps filled by straight lines; None where there is nothing."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return None
    table = cell if isinstance(cell, pd.DataFrame) else pd.DataFrame(np.asarray(cell, dtype=float))
    time = next((c for c in table.columns if str(c).lower() in _TIMES), None)
    if time is not None and table.shape[1] > 1:
        table = table.sort_values(time, kind="stable").drop(columns=time)
    numeric = table.apply(pd.to_numeric, errors="coerce").replace([np.inf, -np.inf], np.nan).dropna(axis=1, how="all")
    filled = numeric.interpolate(limit_direction="both").to_numpy(dtype=float)
    return filled if filled.size else None


def _wide(series: np.ndarray, count: int) -> np.ndarray:
    """`series` with exactly `count` channels: zeros where it has fewer."""
    short = count - series.shape[1]
    return np.pad(series, ((0, 0), (0, short))) if short > 0 else series[:, :count]


def resampled(series: np.ndarray, length: int) -> np.ndarray:
    """`series` at `length` even steps from its first to its last. (length, channels)"""
    old, new = np.linspace(0, 1, len(series)), np.linspace(0, 1, length)
    return np.column_stack([np.interp(new, old, channel) for channel in series.T])


def statistics(x: np.ndarray) -> np.ndarray:
    """Moments, quantiles, slope, roughness, autocorrelation and shares of the spectrum of one channel. (25,)"""
    centred = x - x.mean()
    spread = centred.std() or 1.0
    z = centred / spread
    steps = np.diff(z) if len(z) > 1 else np.zeros(1)
    slope = np.polyfit(np.linspace(-1, 1, len(z)), z, 1)[0] if len(z) > 1 else 0.0
    crossings = np.mean(z[1:] * z[:-1] < 0) if len(z) > 1 else 0.0
    shape = [
        x.mean(),
        spread,
        (z**3).mean(),
        (z**4).mean(),
        slope,
        np.abs(steps).mean(),
        steps.std(),
        crossings,
        len(x),
    ]
    memory = [np.mean(z[lag:] * z[:-lag]) if len(z) > lag else 0.0 for lag in _LAGS]
    return np.concatenate([shape, np.quantile(x, _SHARES), memory, _spectrum(z)])


def _spectrum(z: np.ndarray) -> np.ndarray:
    """Shares of the power in four bands of frequency, and the strongest frequency. (5,)"""
    power = np.abs(np.fft.rfft(z))[1:] ** 2
    total = power.sum()
    if not len(power) or total <= 0:
        return np.zeros(5)
    bands = [part.sum() / total for part in np.array_split(power, 4)]
    return np.array([*bands, (power.argmax() + 1) / len(z)])


def intervals(x: np.ndarray) -> np.ndarray:
    """Mean, spread and slope over the whole, its halves, quarters and eighths. (45,)"""
    parts = [part for count in (1, 2, 4, 8) for part in np.array_split(x, count)]
    return np.array([value for part in parts for value in (part.mean(), part.std(), part[-1] - part[0])])


def relations(series: np.ndarray) -> np.ndarray:
    """Correlations between channels, at once and some steps later (`_APART`), of each pair of the first `_WIDEST`.

    Parameters
    ----------
    series : (steps, channels) array

    Returns
    -------
    (pairs x lags,) array
        Empty for one channel; 0 where a channel does not move.
    """
    x = series[:, :_WIDEST] - series[:, :_WIDEST].mean(axis=0)
    spread = x.std(axis=0)
    z = x / np.where(spread > 0, spread, 1)
    pairs = list(combinations(range(z.shape[1]), 2))
    told = [_together(z[:, a], z[:, b], lag) for a, b in pairs for lag in _APART]
    return np.array(told, dtype=float)


def _together(a: np.ndarray, b: np.ndarray, lag: int) -> float:
    """Mean product of two standardised channels, the second `lag` steps later."""
    if abs(lag) >= len(a):
        return 0.0
    first, second = (a[: len(a) - lag], b[lag:]) if lag >= 0 else (a[-lag:], b[: len(b) + lag])
    return float(np.mean(first * second))


def _bank(count: int, length: int, width: int, seed: int) -> list[tuple]:
    """ROCKET's kernels (Dempster, Petitjean, Webb 2020): weights, bias, dilation, channel of each.

    Of several channels some see one and some see a few together, as in its form for many channels: then weights are
    (channels, size), and the channels an array.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        size = int(min(rng.choice([7, 9, 11]), length))
        few = 1 if width == 1 else int(2 ** rng.uniform(0, np.log2(min(width, size) + 1)))
        weights = rng.normal(size=size if few == 1 else (few, size))
        most = np.log2(max((length - 1) / max(size - 1, 1), 1))
        weights = weights - weights.mean(axis=-1, keepdims=True)
        bias, dilation = rng.uniform(-1, 1), int(2 ** rng.uniform(0, most))
        seen = int(rng.integers(width)) if few == 1 else rng.choice(width, few, replace=False)
        found.append((weights, bias, dilation, seen))
    return found


def convolved(series: np.ndarray, bank: list[tuple]) -> np.ndarray:
    """Per kernel, the largest value and the share of positive ones of its convolution with the standardised series.

    Parameters
    ----------
    series : (rows, length, channels) array
    bank : list of (weights, bias, dilation, channel)
        Weights (size,) and a channel, or (channels, size) and the channels that are summed.

    Returns
    -------
    (rows, 2 x kernels) array
    """
    spread = series.std(axis=1, keepdims=True)
    z = (series - series.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    found = np.empty((len(series), len(bank), 2))
    for i, (weights, bias, dilation, seen) in enumerate(bank):
        table, channels_seen = np.atleast_2d(weights), np.atleast_1d(seen)
        steps = series.shape[1] - (table.shape[1] - 1) * dilation
        answer = np.full((len(series), steps), bias)
        for channel, row in zip(channels_seen, table, strict=True):
            for place, weight in enumerate(row):
                answer += weight * z[:, place * dilation : place * dilation + steps, channel]
        found[:, i] = np.column_stack([answer.max(axis=1), (answer > 0).mean(axis=1)])
    return found.reshape(len(series), -1)
