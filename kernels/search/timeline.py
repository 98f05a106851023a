"""Times as whole steps of an even grid: of numbers, calendar months or seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cleaning import _plain, numbers, seconds

_LONGEST = 100_000  # steps of a grid
_CELLS = 3_000_000  # steps of all series together


class Timeline:
    """Even steps: numbers, calendar months, or seconds.

    Attributes
    ----------
    unit : {"number", "month", "second"}
    origin, step : float
        In that unit.
    """

    def __init__(self, times: pd.Series, groups: np.ndarray) -> None:  # groups: (rows,) codes of series
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
    there = np.isfinite(at)
    at, groups = at[there], groups[there]
    order = np.lexsort((at, groups))
    gaps, same = np.diff(at[order]), np.diff(groups[order]) == 0
    whole = gaps[same].sum()  # of all series, one after the other
    gaps = gaps[same & (gaps > 0)]
    if not len(gaps):
        return 1.0
    usual = float(np.quantile(gaps, 0.5, method="lower"))
    if np.mean(gaps < usual / 2) > 0.1:
        usual = float(np.quantile(gaps, 0.1))
    return max(usual, float(np.ptp(at)) / _LONGEST, float(whole) / _CELLS, 1e-9)
