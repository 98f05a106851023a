"""Axes of parallel coordinates: from a column to heights between 0 and 1, and the labels beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..kernels.figures import figure
from ..kernels.search.telling import is_number

ABSENT = -0.14  # height of rows that have no value
MOST_LABELS = 14  # of categories; of more only some are named


@dataclass(frozen=True)
class ParallelAxis:
    """One axis.

    Attributes
    ----------
    name : str
    heights : (rows,) 0 at the foot to 1 at the top, `ABSENT` without a value
    texts : (rows,) values as texts, "" without one
    ticks : heights and what stands there
    """

    name: str
    heights: np.ndarray
    texts: np.ndarray
    ticks: tuple[tuple[float, str], ...] = ()

    @property
    def absent(self) -> bool:
        """Whether there are rows without a value."""
        return bool((self.heights == ABSENT).any())

    def taken(self, rows: np.ndarray) -> ParallelAxis:
        """Some rows only."""
        return ParallelAxis(self.name, self.heights[rows], self.texts[rows], self.ticks)


def axis_of(column: pd.Series, log: bool | None = None, name: str | None = None) -> ParallelAxis:
    """An axis for a column: of its values where it holds no numbers, else from its least to its greatest.

    Parameters
    ----------
    log : bool, optional
        By default where all numbers are above 0 and span three powers of ten.
    """
    name = str(column.name) if name is None else name
    return _number_axis(name, column, log) if is_number(column) else _label_axis(name, column)


def score_axis(name: str, values: np.ndarray, larger: bool) -> ParallelAxis:
    """The axis of a score, the best at the top; what is far worse than most lies at the foot."""
    known = values[np.isfinite(values)]
    low, q1, q3, high = np.quantile(known, [0, 0.25, 0.75, 1]) if len(known) else (0.0, 0.0, 1.0, 1.0)
    far = 3 * (q3 - q1) or np.inf
    low, high = (max(low, q1 - far), high) if larger else (low, min(high, q3 + far))
    heights = _between(np.clip(values, low, high), low, high)
    ticks = [(_between(np.array([each]), low, high)[0], figure(each)) for each in _round_numbers(low, high, False)]
    if not larger:
        heights, ticks = 1 - heights, [(1 - at, text) for at, text in ticks]
    heights = np.where(np.isfinite(values), heights, ABSENT)
    texts = np.array([figure(each, 5) if np.isfinite(each) else "" for each in values], dtype=object)
    return ParallelAxis(name, heights, texts, tuple(ticks))


def _number_axis(name: str, column: pd.Series, log: bool | None) -> ParallelAxis:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    log = bool(low > 0 and (np.log10(high) - np.log10(low) >= 3 if log is None else log))
    scale = np.log10 if log else np.asarray
    heights = _between(scale(values), scale(low), scale(high))
    ticks = [
        (float(_between(scale(each), scale(low), scale(high))), figure(each)) for each in _round_numbers(low, high, log)
    ]
    texts = np.array(["" if np.isnan(each) else figure(each, 5) for each in values], dtype=object)
    return ParallelAxis(name, np.where(np.isnan(values), ABSENT, heights), texts, tuple(ticks))


def _label_axis(name: str, column: pd.Series) -> ParallelAxis:
    texts = column.map(str, na_action="ignore")
    labels = sorted(texts.dropna().unique(), reverse=True)  # the first at the top
    place = {label: (at + 0.5) / len(labels) for at, label in enumerate(labels)}
    heights = np.array([place.get(each, ABSENT) for each in texts], float)
    every = max(1, -(-len(labels) // MOST_LABELS))
    ticks = tuple((place[label], label) for label in labels[::every])
    return ParallelAxis(name, heights, texts.fillna("").to_numpy(object), ticks)


def _between(values: Any, low: Any, high: Any) -> np.ndarray:
    return np.full(np.shape(values), 0.5) if _same(low, high) else (np.asarray(values, float) - low) / (high - low)


def _same(low: Any, high: Any) -> bool:
    """Whether two numbers are too close for floats to divide what is between them."""
    return bool(high - low <= 1e-12 * max(abs(low), abs(high), 1e-290))


def _round_numbers(low: float, high: float, log: bool, most: int = 5) -> list[float]:
    """Few numbers between two that are easy to read."""
    if _same(low, high):
        return [float(low)]
    if log:
        powers = np.arange(np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9) + 1)
        chosen = powers[:: max(1, -(-len(powers) // most))]
        return [float(10.0**power) for power in chosen] if len(chosen) > 1 else [float(low), float(high)]
    rough = (high - low) / (most - 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * (1 - 1e-9))
    return [float(each) for each in np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step]
