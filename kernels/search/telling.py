"""Which columns of a table tell most of a number, in milliseconds: for choosing what to show, not for conclusions.

`understand.parameter_importance` is the thorough answer; it fits a forest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

BINS = 8
SHOWN = 8


def telling(columns: pd.DataFrame, target: Any) -> pd.Series:
    """Share of the variance of the target's ranks that each column explains, the most telling first.

    A number is cut into `BINS` groups of about equal size, anything else is grouped by its values; rows without a value
    are left out, and count as not explained. Chance is taken off (epsilon squared, Kelley 1935).

    Parameters
    ----------
    columns : DataFrame, (rows, columns)
    target : (rows,) numbers
        Rows where it is not finite are left out.

    Returns
    -------
    Series of numbers from 0 to 1, by name
    """
    target = np.asarray(target, float)
    known = np.isfinite(target)
    rank = pd.Series(target[known]).rank().to_numpy()
    found = {name: _explained(_groups(columns[name][known]), rank) for name in columns}
    return pd.Series(found, dtype=float).sort_values(ascending=False, kind="stable")


def _groups(values: pd.Series) -> np.ndarray:
    """A group's number per row; -1 where there is no value."""
    if is_number(values):
        ranks = values.astype(float).rank(method="average", pct=True).to_numpy()
        return np.where(np.isnan(ranks), -1, np.ceil(np.nan_to_num(ranks) * BINS)).astype(np.int64)
    return pd.factorize(values.map(str, na_action="ignore"))[0]


def is_number(values: pd.Series) -> bool:
    """Whether all values that are there are numbers, and no truth values."""
    if values.dtype != object:
        return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    there = values.dropna()
    return len(there) > 0 and all(isinstance(each, int | float) and not isinstance(each, bool) for each in there)


def _explained(groups: np.ndarray, rank: np.ndarray) -> float:
    there = groups >= 0
    rank, groups = rank[there], groups[there]
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.bincount(groups)
    if len(counts) < 2 or len(rank) <= len(counts):
        return 0.0
    means = np.bincount(groups, rank) / counts
    total, within = ((rank - rank.mean()) ** 2).sum(), ((rank - means[groups]) ** 2).sum()
    if total == 0:
        return 0.0
    share = 1 - (within / total) * (len(rank) - 1) / (len(rank) - len(counts))
    return float(max(share, 0.0) * there.mean())
