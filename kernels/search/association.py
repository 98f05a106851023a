"""How much of a column each other column tells by itself: a quick look, before any model is made.

Both columns are put into few bins. With H the entropy of the target's bins and I the mutual information of the two,
what is told is I / H: 0 for nothing, 1 for all of it. Few rows in many bins seem to tell something by chance alone,
(r - 1) (c - 1) / 2n on average (Miller, "Note on the bias of information estimates", 1955): this is taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .answers import label_text

if TYPE_CHECKING:
    from .data import Dataset

ROWS = 20_000  # that are looked at, at most
BINS = 8  # of numbers and times, with about as many rows in each
LABELS = 30  # told apart of a column of labels or a target of classes; the rarest are one
ORDERED = ("integer", "real", "dateTime")
LABELLED = ("boolean", "categorical")


def associations(
    data: Dataset, target: str, columns: Iterable[str] | None = None, classes: bool = False
) -> pd.DataFrame:
    """What each column by itself tells of one.

    Parameters
    ----------
    data : Dataset
    target : str
    columns : iterable of str, optional
        By default all others.
    classes : bool
        Take each value of the target for a class, also where they are numbers.

    Returns
    -------
    DataFrame of (told, rank_correlation, rows), by column, the most telling first
        `told`: between 0 and 1. `rank_correlation`: Spearman's, of two columns of numbers or times; else nan. `rows`:
        where both are known, of at most 20,000 evenly spaced ones. Texts and files have no entry.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    names = [name for name in (data.columns if columns is None else columns) if name != target]
    for name in (target, *names):
        data.column(name)
    frame = data.frame.iloc[:: max(1, -(-len(data) // ROWS))]
    kind = data.columns[target].type
    truth = _codes(frame[target], "categorical" if classes else kind)
    numbers = None if classes or kind not in ORDERED else _ordered(frame[target])
    found = {}
    for name in (name for name in names if data.columns[name].type in (*ORDERED, *LABELLED)):
        codes = _codes(frame[name], data.columns[name].type)
        known = (codes >= 0) & (truth >= 0)
        ranked = float("nan")
        if numbers is not None and data.columns[name].type in ORDERED:
            ranked = rank_correlation(_ordered(frame[name]), numbers)
        found[name] = (told(codes[known], truth[known]), ranked, int(known.sum()))
    table = pd.DataFrame.from_dict(found, orient="index", columns=["told", "rank_correlation", "rows"])
    return table.rename_axis("column").sort_values("told", ascending=False, kind="stable")


def own_past(
    data: Dataset, target: str, time: str, group: str | Iterable[str] | None = None, lags: int = 24
) -> pd.DataFrame:
    """How alike the values of a series are to those some steps before: its autocorrelation.

    Parameters
    ----------
    time : str
        Orders the rows.
    group : str or list of str, optional
        Tells several series apart: the correlation is over the pairs of all of them, each around its own mean.

    Returns
    -------
    DataFrame of (correlation, rows), by lag 1, 2, ...
        Pearson's; as far as there are 4 pairs at least, and at most a third of the longest series.
    """
    by = [group] if isinstance(group, str) else list(group or ())
    frame = data.frame[[time, *by, target]].dropna().sort_values(time, kind="stable")
    parts = [part for _, part in frame.groupby(by, observed=True)] if by else [frame]
    series = [part[target].to_numpy(float)[-ROWS:] for part in parts]
    series = [values - values.mean() for values in series if len(values)]
    longest = max(map(len, series), default=0) // 3
    found = {}
    for lag in range(1, min(lags, longest) + 1):
        early = np.concatenate([values[:-lag] for values in series if len(values) > lag])
        late = np.concatenate([values[lag:] for values in series if len(values) > lag])
        if len(early) >= 4:
            found[lag] = (_correlation(early, late), len(early))
    return pd.DataFrame.from_dict(found, orient="index", columns=["correlation", "rows"]).rename_axis("lag")


def told(codes: np.ndarray, truth: np.ndarray) -> float:
    """Share of the entropy of `truth` that `codes` tell; both (rows,) whole numbers from 0 on."""
    if not len(codes):
        return 0.0
    codes, truth = (np.unique(each, return_inverse=True)[1] for each in (codes, truth))
    counts = np.zeros((codes.max() + 1, truth.max() + 1))
    np.add.at(counts, (codes, truth), 1)
    p, rows = counts / counts.sum(), len(codes)
    joint, one, other = (_entropy(each) for each in (p.ravel(), p.sum(1), p.sum(0)))
    chance = (counts.shape[0] - 1) * (counts.shape[1] - 1) / (2 * rows)
    return float(np.clip((one + other - joint - chance) / other, 0, 1)) if other > 0 else 0.0


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's; nan where one of them is constant, or fewer than 4 rows know both."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < 4:
        return float("nan")
    return _correlation(*(pd.Series(each[known]).rank().to_numpy() for each in (one, other)))


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = (each / (np.abs(each).max() or 1.0) for each in (one - one.mean(), other - other.mean()))
    spread = np.sqrt((one**2).sum() * (other**2).sum())
    return float(np.clip((one * other).sum() / spread, -1, 1)) if spread > 0 else float("nan")


def _entropy(p: np.ndarray) -> float:
    return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def _codes(values: pd.Series, kind: str) -> np.ndarray:
    """(rows,) the bin of each value; -1 where it is missing."""
    if kind in ORDERED:
        return _binned(_ordered(values))
    texts = values.map(label_text, na_action="ignore")
    order = {label: rank for rank, label in enumerate(texts.value_counts().index[: LABELS - 1])}
    codes = texts.map(lambda text: order.get(text, LABELS - 1), na_action="ignore")
    return codes.to_numpy(dtype=float, na_value=-1).astype(int)


def _binned(numbers: np.ndarray) -> np.ndarray:
    """A bin for each of few values, else bins of about as many rows."""
    known = np.isfinite(numbers)
    values = np.unique(numbers[known])
    if len(values) > BINS:
        values = np.unique(np.quantile(numbers[known], np.arange(BINS) / BINS, method="lower"))
    return np.where(known, np.searchsorted(values, numbers, "right") - 1, -1)


def _ordered(values: pd.Series) -> Any:
    """Numbers, or times in nanoseconds; nan where there is none."""
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return np.where(values.isna(), np.nan, pd.factorize(values, sort=True)[0])
