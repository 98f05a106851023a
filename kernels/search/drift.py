"""How far new rows differ from those that a model was trained on, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .profile import KINDS, Bins, Profile

if TYPE_CHECKING:
    import pandas as pd

    from .data import Dataset

BINS = 12
"""Of a column, at most: in finer ones few rows are scattered by chance."""
CLEAR = 2.0
"""Times the distance of two samples of the same rows from which on a difference counts as one."""


@dataclass(frozen=True, eq=False)
class Drift:
    """How a column of new rows differs from the same column of others.

    Parameters
    ----------
    bins : Bins
        Of both.
    before, after : (bins,) int array
        Rows in each.
    distance : float
        Total variation: the share of rows that would have to move to another bin, 0 to 1.
    chance : float
        The distance to be expected of so many rows of one and the same distribution.
    strange : float
        Share of the new values that lie beyond the range of the others, or are labels that these do not have.
    """

    bins: Bins
    before: np.ndarray
    after: np.ndarray
    distance: float
    chance: float
    strange: float

    @property
    def name(self) -> str:
        """The column."""
        return self.bins.name

    @property
    def clear(self) -> bool:
        """Whether the difference is more than chance makes it."""
        return self.distance > CLEAR * self.chance


def drift(before: Dataset, after: Dataset, columns: Iterable[str] | None = None) -> list[Drift]:
    """How far the columns of new rows differ from those of others, the most different first.

    Parameters
    ----------
    before, after : Dataset
        The rows that were trained on, and the new ones.
    columns : iterable of str, optional
        By default all that both have and that can be put into bins: numbers, dates and labels.

    Returns
    -------
    list of Drift
        By distance in units of what chance makes of it.

    Raises
    ------
    KeyError
        If a column is not in both.
    """
    names = [name for name in before.columns if name in after.columns] if columns is None else list(columns)
    for name in names:
        for data in (before, after):
            if name not in data.columns:
                raise KeyError(f"{data.name}: has no column {name!r}")
    names = [name for name in names if before.columns[name].type in KINDS]
    if not names:
        return []
    both, new = _together(before, after, names), np.arange(len(before) + len(after)) >= len(before)
    profile = Profile(both, names, BINS, BINS)
    counts = profile.counts(~new), profile.counts(new)
    found = [_of(bins, counts[0][bins.name], counts[1][bins.name]) for bins in profile.columns]
    found = [replace(each, strange=_strange(both.frame[each.name], new)) for each in found]
    return sorted(found, key=lambda each: -each.distance / max(each.chance, 1e-12))


def _together(before: Dataset, after: Dataset, names: list[str]) -> Dataset:
    """Both, one below the other, as the types are in the first."""
    import pandas as pd

    types = {name: before.columns[name].type for name in names if after.columns[name].type != before.columns[name].type}
    after = after.with_types(types) if types else after
    frames = [data.frame[names].reset_index(drop=True) for data in (before, after)]
    like = before.select(names)
    return replace(like, frame=_numbered(pd.concat(frames, ignore_index=True), like), splits=None)


def _numbered(frame: pd.DataFrame, like: Dataset) -> pd.DataFrame:
    return frame.rename_axis(like.frame.index.name)


def _of(bins: Bins, before: np.ndarray, after: np.ndarray) -> Drift:
    rows = before.sum(), after.sum()
    if not all(rows):
        return Drift(bins, before, after, 0.0, 0.0, 0.0)
    shares = before / rows[0], after / rows[1]
    return Drift(bins, before, after, float(np.abs(shares[0] - shares[1]).sum() / 2), chance(before, after), 0.0)


def chance(before: np.ndarray, after: np.ndarray) -> float:
    """The total variation between two samples of one distribution that is to be expected: of each bin the difference of
    two shares is about normal, and the mean size of a normal variable is its deviation times sqrt(2 / pi)."""
    rows = before.sum(), after.sum()
    share = (before + after) / sum(rows)
    deviation = np.sqrt(share * (1 - share) * (1 / rows[0] + 1 / rows[1]))
    return float(np.sqrt(2 / np.pi) * deviation.sum() / 2)


def _strange(values: pd.Series, new: np.ndarray) -> float:
    """Share of the known new values that the others do not hold, or reach."""
    import pandas as pd

    known, seen = values[new].dropna(), values[~new].dropna()
    if not len(known) or not len(seen):
        return float(len(known) > 0)
    labels = pd.api.types.is_bool_dtype(values.dtype) or values.dtype == object
    if labels or isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype):
        return float((~known.astype(str).isin(set(seen.astype(str)))).mean())
    return float(((known < seen.min()) | (known > seen.max())).mean())
