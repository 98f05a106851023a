"""Times as whole steps of an even grid, series on it, and the length of their season."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cleaning import _plain, numbers, seconds

_LONGEST = 100_000  # steps of a grid


class Timeline:
    """Even steps: numbers, calendar months, or seconds.

    Attributes
    ----------
    unit : {"number", "month", "second"}
    origin, step : float
        In that unit.
    """

    def __init__(self, times: pd.Series, groups: np.ndarray) -> None:
        self.number = _plain(times)
        self.unit = "number" if self.number else "second"
        if not self.number and _monthly(times):
            self.unit = "month"
        at = self._at(times)
        self.origin = float(np.nanmin(at)) if np.isfinite(at).any() else 0.0
        self.step = _step(at, groups)

    def _at(self, times: pd.Series) -> np.ndarray:
        if self.number:
            return numbers(times)
        if self.unit == "second":
            return seconds(times)
        dated = _dated(times)
        return (dated.dt.year * 12 + dated.dt.month).to_numpy(dtype=float, na_value=np.nan)

    def positions(self, times: pd.Series) -> np.ndarray:
        """The step of each time, counted from the first; NaN where there is no time. (rows,) float64"""
        return np.round((self._at(times) - self.origin) / self.step)

    def phases(self, positions: np.ndarray) -> np.ndarray:
        """Sine and cosine of the place in day, week and year; of nothing where times are mere numbers. (n, 2k)"""
        if self.number:
            return np.zeros((len(positions), 0))
        at = self.origin + positions * self.step
        periods = [12.0] if self.unit == "month" else [86_400.0, 7 * 86_400.0, 365.2425 * 86_400.0]
        angles = [2 * np.pi * at / period for period in periods if period > 1.5 * self.step]
        return np.column_stack([f(a) for a in angles for f in (np.sin, np.cos)]) if angles else np.zeros((len(at), 0))


def _dated(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times, utc=True, errors="coerce", **({"format": "mixed"} if times.dtype == object else {}))


def _monthly(times: pd.Series) -> bool:
    """Whether there is one date per month, always on the same day or on the last one."""
    dated = _dated(times).dropna()
    months = dated.dt.year * 12 + dated.dt.month
    if months.nunique() < 2 or months.nunique() < dated.nunique():
        return False
    return dated.dt.day.nunique() == 1 or bool(dated.dt.is_month_end.all())


def _step(at: np.ndarray, groups: np.ndarray) -> float:
    """The usual distance of neighbours in a series; smaller where that would throw many of them together."""
    each = [np.diff(np.unique(at[(groups == g) & np.isfinite(at)])) for g in dict.fromkeys(groups)]
    gaps = np.concatenate(each) if each else np.array([])
    if not len(gaps):
        return 1.0
    usual = float(np.quantile(gaps, 0.5, method="lower"))
    if np.mean(gaps < usual / 2) > 0.1:
        usual = float(np.quantile(gaps, 0.1))
    return max(usual, float(np.nanmax(at) - np.nanmin(at)) / _LONGEST, 1e-9)


class History:
    """One series on the grid: its known values, the gaps between them filled by straight lines, standardised.

    Attributes
    ----------
    start : int
        Position of the first value.
    z : (n,) float64
        (value - mean) / spread.
    """

    def __init__(
        self, positions: np.ndarray, values: np.ndarray, mean: float | None = None, spread: float | None = None
    ):
        order = pd.Series(values).groupby(positions.astype(int)).mean()  # by position, ascending
        self.positions, self.values = order.index.to_numpy(dtype=int), order.to_numpy(dtype=float)
        self.start, end = int(self.positions[0]), int(self.positions[-1])
        full = np.interp(np.arange(self.start, end + 1), self.positions, self.values)
        self.mean = float(self.values.mean()) if mean is None else mean
        self.spread = (float(self.values.std()) or 1.0) if spread is None else spread
        self.z = (full - self.mean) / self.spread

    @property
    def end(self) -> int:
        """Position after the last value."""
        return self.start + len(self.z)

    def joined(self, positions: np.ndarray, values: np.ndarray) -> History:
        """With later values too, on the same scale."""
        both = np.concatenate([self.positions, positions]), np.concatenate([self.values, values])
        return History(*both, self.mean, self.spread)


def season(series: list[np.ndarray], longest: int = 400) -> int:
    """Steps until series resemble themselves: the highest peak of their autocorrelation; 1 where none stands out."""
    found = [memory for z in series if len(memory := _autocorrelation(z, longest)) > 3]
    if not found:
        return 1
    width = min(map(len, found))
    memory = np.mean([m[:width] for m in found], axis=0)
    inner = np.flatnonzero((memory[1:-1] > memory[:-2]) & (memory[1:-1] >= memory[2:])) + 1
    inner = inner[(inner > 1) & (memory[inner] > 0.2)]
    return int(inner[memory[inner].argmax()]) if len(inner) else 1


def _autocorrelation(z: np.ndarray, longest: int) -> np.ndarray:
    """Of the series without its straight line, lags 0 to a third of its length."""
    steps = np.arange(len(z))
    if len(z) < 8:
        return np.zeros(0)
    rest = z - np.polyval(np.polyfit(steps, z, 1), steps)
    total = float(rest @ rest)
    if total <= 1e-12:
        return np.zeros(0)
    lags = range(min(longest, len(z) // 3) + 1)
    return np.array([rest[lag:] @ rest[: len(rest) - lag] / total for lag in lags])
